// SPDX-License-Identifier: Apache-2.0
#include "ledger/record_protocol.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace fiducia::ledger {
namespace {

constexpr std::uint64_t request_version = 1;
constexpr std::uint64_t error_reply = 0;
constexpr std::uint64_t recorded_reply = 1;
constexpr auto last_code = static_cast<std::uint64_t>(last_error_code);

std::unexpected<Error> bad_protocol(std::string what) {
  return fail_malformed("record", std::move(what));
}

void write_error(crypto::CborWriter& writer, const Error& error) {
  writer.array(7);
  writer.uint(error_reply);
  writer.uint(static_cast<std::uint64_t>(error.code));
  writer.text(error.what);
  writer.text(error.remedy);
  writer.text(error.where.file);
  writer.text(error.where.element);
  writer.text(error.kind);
}

Result<Error> read_error(crypto::CborReader& reader) {
  Error error{.code = ErrorCode::internal, .what = {}};
  FIDUCIA_TRY(code, reader.uint());
  if (code > last_code) return bad_protocol("An error has a code that is not known.");
  error.code = static_cast<ErrorCode>(code);
  for (std::string* target :
       {&error.what, &error.remedy, &error.where.file, &error.where.element, &error.kind}) {
    FIDUCIA_TRY(text, reader.text());
    *target = std::string{text};
  }
  return error;
}

Result<Recorded> read_recorded(crypto::CborReader& reader) {
  Recorded recorded;
  FIDUCIA_TRY(tree_size, reader.uint());
  FIDUCIA_TRY(checkpoint_at, reader.integer());
  FIDUCIA_TRY(note, reader.text());
  recorded.checkpoint = std::string{note};
  const auto shared = std::make_shared<const std::string>(recorded.checkpoint);
  FIDUCIA_TRY(stamps, reader.array());
  for (std::size_t i = 0; i < stamps; ++i) {
    FIDUCIA_TRY(token, reader.bytes());
    recorded.time_stamps.emplace_back(token.begin(), token.end());
  }
  FIDUCIA_TRY(entries, reader.array());
  for (std::size_t i = 0; i < entries; ++i) {
    FIDUCIA_TRY(parts, reader.array());
    if (parts != 2) return bad_protocol("An answer does not have two parts.");
    FIDUCIA_TRY(index, reader.uint());
    FIDUCIA_TRY(receipt, reader.bytes());
    recorded.entries.push_back({.index = index,
                                .tree_size = tree_size,
                                .receipt = Bytes{receipt.begin(), receipt.end()},
                                .checkpoint_at = UnixTime{checkpoint_at},
                                .checkpoint = shared});
  }
  return recorded;
}

Result<bool> read_fully(int fd, std::span<std::byte> target) {
  std::size_t used = 0;
  while (used < target.size()) {
    const ssize_t n = ::read(fd, target.data() + used, target.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return fail(ErrorCode::io_unreadable, "The other process cannot be read from.", "Try again.");
    if (n == 0 && used == 0) return false;
    if (n == 0)
      return fail(ErrorCode::truncated, "The other process ended in the middle of a message.",
                  "Try again; entries that are in the ledger already keep their index.");
    used += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

Bytes write_record_request(std::span<const Bytes> entries) {
  crypto::CborWriter writer;
  writer.array(2);
  writer.uint(request_version);
  writer.array(entries.size());
  for (const Bytes& entry : entries) writer.bytes(entry);
  return writer.take();
}

Result<std::vector<Bytes>> read_record_request(ByteView frame) {
  crypto::CborReader reader{frame};
  FIDUCIA_TRY(parts, reader.array());
  FIDUCIA_TRY(version, reader.uint());
  if (parts != 2 || version != request_version)
    return bad_protocol("The request is of another version.");
  FIDUCIA_TRY(count, reader.array());
  std::vector<Bytes> entries;
  for (std::size_t i = 0; i < count; ++i) {
    FIDUCIA_TRY(entry, reader.bytes());
    entries.emplace_back(entry.begin(), entry.end());
  }
  FIDUCIA_CHECK(reader.finish());
  return entries;
}

Bytes write_record_reply(const Result<Recorded>& reply) {
  crypto::CborWriter writer;
  if (!reply) {
    write_error(writer, reply.error());
    return writer.take();
  }
  writer.array(6);
  writer.uint(recorded_reply);
  const ledger_format::Appended* first = reply->entries.empty() ? nullptr : &reply->entries.front();
  writer.uint(first != nullptr ? first->tree_size : 0);
  writer.integer(first != nullptr ? first->checkpoint_at.seconds : 0);
  writer.text(reply->checkpoint);
  writer.array(reply->time_stamps.size());
  for (const Bytes& token : reply->time_stamps) writer.bytes(token);
  writer.array(reply->entries.size());
  for (const ledger_format::Appended& entry : reply->entries) {
    writer.array(2);
    writer.uint(entry.index);
    writer.bytes(entry.receipt);
  }
  return writer.take();
}

Result<Recorded> read_record_reply(ByteView frame) {
  crypto::CborReader reader{frame};
  FIDUCIA_TRY(parts, reader.array());
  FIDUCIA_TRY(kind, reader.uint());
  if (kind == error_reply && parts == 7) {
    FIDUCIA_TRY(error, read_error(reader));
    FIDUCIA_CHECK(reader.finish());
    return std::unexpected(std::move(error));
  }
  if (kind != recorded_reply || parts != 6) return bad_protocol("The reply is of another version.");
  FIDUCIA_TRY(recorded, read_recorded(reader));
  FIDUCIA_CHECK(reader.finish());
  return recorded;
}

Result<std::optional<Bytes>> read_frame(int fd) {
  std::array<std::byte, 4> head;
  FIDUCIA_TRY(more, read_fully(fd, head));
  if (!more) return std::optional<Bytes>{};
  ByteCursor cursor{head};
  const std::uint32_t length = cursor.be<std::uint32_t>().value();
  if (length > record_frame_bytes_max)
    return fail(ErrorCode::over_limit, "A message of the other process is too long.",
                "Report this; it is a bug.");
  Bytes frame(length);
  FIDUCIA_TRY(complete, read_fully(fd, frame));
  if (!complete && length > 0)
    return fail(ErrorCode::truncated, "The other process ended in the middle of a message.",
                "Try again; entries that are in the ledger already keep their index.");
  return std::optional{std::move(frame)};
}

Status write_frame(int fd, ByteView frame) {
  Bytes out;
  append_be(out, narrow<std::uint32_t>(frame.size()));
  append(out, frame);
  ByteView rest{out};
  while (!rest.empty()) {
    const ssize_t n = ::write(fd, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return fail(ErrorCode::io_unwritable, "The other process has ended.",
                  "Look at what it said before, then try again.");
    rest = rest.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace fiducia::ledger
