// SPDX-License-Identifier: Apache-2.0
#include "dimse/pdu.h"

#include <array>

namespace fiducia::dimse {
namespace {

constexpr std::size_t pdv_header_bytes = 6;        // length, context ID, message control header
constexpr std::uint32_t fixed_body_bytes = 4;      // of reject, release and abort
constexpr std::uint32_t associate_bytes_min = 68;  // what stands before the items

std::byte byte_of(auto value) { return static_cast<std::byte>(value); }

void write_four(Bytes& to, PduType type, std::byte second, std::byte third, std::byte fourth) {
  write_pdu(to, type, std::array<std::byte, 4>{std::byte{0}, second, third, fourth});
}

}  // namespace

void PduReader::add(ByteView bytes) {
  // What was given out is used by now.
  if (begin_ > 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    origin_ += begin_;
    begin_ = 0;
  }
  append(buffer_, bytes);
}

Status PduReader::check_header(std::uint8_t type, std::uint32_t length_bytes) const {
  const std::uint64_t offset = origin_ + begin_;
  switch (static_cast<PduType>(type)) {
    case PduType::associate_rq:
    case PduType::associate_ac:
      if (length_bytes < associate_bytes_min)
        return fail_malformed("pdu", "an association is proposed or accepted in 68 bytes or more.",
                              offset);
      if (length_bytes > limits::dimse_associate_bytes_max)
        return fail(ErrorCode::over_limit,
                    "an association is proposed or accepted in " + std::to_string(length_bytes) +
                        " bytes; " + std::to_string(limits::dimse_associate_bytes_max) +
                        " are allowed.",
                    "Propose fewer presentation contexts.", {.offset = offset});
      return {};
    case PduType::p_data_tf:
      if (length_bytes < pdv_header_bytes)
        return fail_malformed("pdu", "a P-DATA-TF without a presentation data value.", offset);
      if (length_bytes > p_data_bytes_max_)
        return fail(ErrorCode::over_limit,
                    "a P-DATA-TF of " + std::to_string(length_bytes) + " bytes; agreed were " +
                        std::to_string(p_data_bytes_max_) + " at most.",
                    "The peer has to keep to the maximum length that was agreed.",
                    {.offset = offset});
      return {};
    case PduType::associate_rj:
    case PduType::release_rq:
    case PduType::release_rp:
    case PduType::abort:
      if (length_bytes != fixed_body_bytes)
        return fail_malformed("pdu", "a PDU of this type has four bytes after its length.", offset);
      return {};
  }
  Error unknown{.code = ErrorCode::unsupported,
                .what = "a PDU of a type that PS3.8 does not know.",
                .where = {.offset = offset},
                .kind = "pdu"};
  return std::unexpected(std::move(unknown));
}

Result<std::optional<Pdu>> PduReader::next() {
  const ByteView rest = ByteView{buffer_}.subspan(begin_);
  if (rest.empty()) return std::nullopt;
  // A wrong type is told at the first byte: whoever speaks another protocol waits for an answer.
  const auto type = std::to_integer<std::uint8_t>(rest.front());
  if (type == 0 || type > static_cast<std::uint8_t>(PduType::abort))
    return std::unexpected(check_header(type, 0).error());
  if (rest.size() < pdu_header_bytes) return std::nullopt;
  const auto length_bytes = load_be<std::uint32_t>(&rest[2]);
  FIDUCIA_CHECK(check_header(type, length_bytes));
  if (rest.size() - pdu_header_bytes < length_bytes) return std::nullopt;
  begin_ += pdu_header_bytes + length_bytes;
  return Pdu{.type = static_cast<PduType>(type),
             .body = rest.subspan(pdu_header_bytes, length_bytes)};
}

Result<std::vector<Pdv>> read_p_data(ByteView body) {
  std::vector<Pdv> out;
  ByteCursor cursor{body};
  while (cursor.remaining() > 0) {
    const std::uint64_t offset = cursor.offset();
    const auto length_bytes = cursor.be<std::uint32_t>();
    if (!length_bytes || *length_bytes < 2 || *length_bytes > cursor.remaining())
      return fail_malformed(
          "pdu", "a presentation data value is longer than its PDU, or too short.", offset);
    FIDUCIA_TRY(context_id, cursor.be<std::uint8_t>());
    FIDUCIA_TRY(control, cursor.be<std::uint8_t>());
    if (context_id % 2 == 0)
      return fail_malformed("pdu", "the ID of a presentation context is odd.", offset);
    // Bits 2 to 7 are 0 and are not checked (PS3.8 Annex E.2).
    FIDUCIA_TRY(fragment, cursor.take(*length_bytes - 2));
    out.push_back({.context_id = context_id,
                   .is_command = (control & 1U) != 0,
                   .is_last = (control & 2U) != 0,
                   .fragment = fragment});
  }
  if (out.empty())
    return fail_malformed("pdu", "a P-DATA-TF without a presentation data value.", 0);
  return out;
}

void write_p_data(Bytes& to, const Pdv& pdv) {
  const auto value_bytes = static_cast<std::uint32_t>(pdv.fragment.size() + 2);
  to.push_back(byte_of(PduType::p_data_tf));
  to.push_back(std::byte{0});
  append_be<std::uint32_t>(to, value_bytes + 4);
  append_be<std::uint32_t>(to, value_bytes);
  to.push_back(byte_of(pdv.context_id));
  to.push_back(byte_of((pdv.is_command ? 1U : 0U) | (pdv.is_last ? 2U : 0U)));
  append(to, pdv.fragment);
}

Result<AssociateReject> read_reject(ByteView body) {
  ByteCursor cursor{body};
  FIDUCIA_TRY(reserved, cursor.be<std::uint8_t>());
  static_cast<void>(reserved);
  FIDUCIA_TRY(result, cursor.be<std::uint8_t>());
  FIDUCIA_TRY(source, cursor.be<std::uint8_t>());
  FIDUCIA_TRY(reason, cursor.be<std::uint8_t>());
  if (result < 1 || result > 2 || source < 1 || source > 3)
    return fail_malformed("pdu", "a rejection with a result or a source that PS3.8 does not know.");
  return AssociateReject{.result = static_cast<AssociateReject::Result>(result),
                         .source = static_cast<AssociateReject::Source>(source),
                         .reason = reason};
}

void write_reject(Bytes& to, const AssociateReject& reject) {
  write_four(to, PduType::associate_rj, byte_of(reject.result), byte_of(reject.source),
             byte_of(reject.reason));
}

Abort read_abort(ByteView body) {
  const auto at = [&](std::size_t index) {
    return index < body.size() ? std::to_integer<std::uint8_t>(body[index]) : std::uint8_t{0};
  };
  if (at(2) != static_cast<std::uint8_t>(Abort::Source::provider)) return {};
  const std::uint8_t reason = at(3);
  const bool is_known = reason <= 6 && reason != 3;
  return {.source = Abort::Source::provider,
          .reason = is_known ? static_cast<Abort::Reason>(reason) : Abort::Reason::not_specified};
}

void write_abort(Bytes& to, const Abort& abort) {
  write_four(to, PduType::abort, std::byte{0}, byte_of(abort.source), byte_of(abort.reason));
}

void write_release_rq(Bytes& to) {
  write_four(to, PduType::release_rq, std::byte{0}, std::byte{0}, std::byte{0});
}

void write_release_rp(Bytes& to) {
  write_four(to, PduType::release_rp, std::byte{0}, std::byte{0}, std::byte{0});
}

void write_pdu(Bytes& to, PduType type, ByteView body) {
  to.push_back(byte_of(type));
  to.push_back(std::byte{0});
  append_be<std::uint32_t>(to, static_cast<std::uint32_t>(body.size()));
  append(to, body);
}

}  // namespace fiducia::dimse
