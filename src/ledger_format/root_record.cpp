// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/root_record.h"

#include <algorithm>

namespace fiducia::ledger_format {
namespace {

constexpr std::uint64_t records_version = 1;

std::unexpected<Error> bad_record(std::string what) {
  return fail_malformed("signed_root", std::move(what));
}

void write_record(crypto::CborWriter& writer, const RootRecord& record) {
  crypto::CborWriter empty_map;
  empty_map.map(0);
  writer.array(2);
  writer.uint(record.tree_size);
  writer.raw(crypto::assemble_sign1(record.signed_root.protected_bytes, empty_map.take(),
                                    record.root.view(), record.signed_root.signature));
}

Result<RootRecord> read_record(crypto::CborReader& reader, const std::string& origin,
                               const crypto::PublicKey& log_key) {
  FIDUCIA_TRY(fields, reader.array());
  if (fields != 2) return bad_record("A signed root does not have two parts.");
  RootRecord record;
  FIDUCIA_TRY(tree_size, reader.uint());
  if (tree_size == 0) return bad_record("A signed root is of the empty tree.");
  FIDUCIA_TRY(encoded, reader.skip());
  FIDUCIA_TRY(message, crypto::read_sign1(encoded, crypto::CborOrder::deterministic));
  const auto root = message.payload ? digest_from_bytes(*message.payload) : std::nullopt;
  if (!root) return bad_record("The payload of a signed root is not a hash of 32 bytes.");
  FIDUCIA_TRY(headers, crypto::read_headers(message));
  if (!headers.issuer || *headers.issuer != origin)
    return bad_record("The signed root was issued by another log.");
  if (!headers.issued_at || headers.vds != std::optional<std::int64_t>{1})
    return bad_record("The signed root has no time or no kind of tree.");
  FIDUCIA_CHECK(crypto::verify_sign1(message, log_key, *message.payload));
  record.tree_size = tree_size;
  record.root = *root;
  record.issued_at = UnixTime{*headers.issued_at};
  record.signed_root.protected_bytes.assign(message.protected_bytes.begin(),
                                            message.protected_bytes.end());
  record.signed_root.signature.assign(message.signature.begin(), message.signature.end());
  return record;
}

Result<RootRecords> read_record_parts(ByteView encoded, const std::string& origin,
                                      const crypto::PublicKey& log_key) {
  crypto::CborReader reader{encoded, crypto::CborOrder::deterministic};
  FIDUCIA_TRY(fields, reader.array());
  if (fields != 3) return bad_record("The file does not have three parts.");
  FIDUCIA_TRY(version, reader.uint());
  if (version != records_version) return bad_record("The file is of another version than 1.");
  RootRecords records;
  FIDUCIA_TRY(current, read_record(reader, origin, log_key));
  records.current = std::move(current);
  FIDUCIA_TRY(type, reader.peek());
  if (type == crypto::CborType::null) {
    FIDUCIA_CHECK(reader.null());
  } else {
    FIDUCIA_TRY(previous, read_record(reader, origin, log_key));
    // Its date may be later: that of a clock that was wrong (`seal --clock-is-right`).
    if (previous.tree_size >= records.current.tree_size)
      return bad_record("The previous signed root is not older than the current one.");
    records.previous = std::move(previous);
  }
  FIDUCIA_CHECK(reader.finish());
  // One spelling only: an unprotected header or an odd encoding would escape the signatures.
  if (!same_bytes(write_root_records(records), encoded))
    return bad_record("The file is not in its one canonical encoding.");
  return records;
}

}  // namespace

Bytes write_root_records(const RootRecords& records) {
  crypto::CborWriter writer;
  writer.array(3);
  writer.uint(records_version);
  write_record(writer, records.current);
  if (records.previous)
    write_record(writer, *records.previous);
  else
    writer.null();
  return writer.take();
}

Result<RootRecords> read_root_records(ByteView encoded, const std::string& origin,
                                      const crypto::PublicKey& log_key) {
  auto records = read_record_parts(encoded, origin, log_key);
  if (!records && records.error().code != ErrorCode::signature_bad)
    return fail_malformed("signed_root", records.error().what, records.error().where.offset);
  return records;
}

}  // namespace fiducia::ledger_format
