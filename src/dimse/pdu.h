// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/core.h"

/// Protocol data units (PS3.8 section 9.3): one byte of type, one reserved, the length of the rest.
namespace fiducia::dimse {

enum class PduType : std::uint8_t {
  associate_rq = 1,
  associate_ac = 2,
  associate_rj = 3,
  p_data_tf = 4,
  release_rq = 5,
  release_rp = 6,
  abort = 7,
};
inline constexpr std::size_t pdu_header_bytes = 6;

/// Who rejects or aborts (PS3.8 tables 9-21 and 9-26).
struct AssociateReject {
  enum class Result : std::uint8_t { permanent = 1, transient = 2 };
  enum class Source : std::uint8_t { user = 1, provider_acse = 2, provider_presentation = 3 };
  Result result = Result::permanent;
  Source source = Source::user;
  /// Source user: 1 none given, 2 application context, 3 calling AE title, 7 called AE title.
  /// Provider, ACSE: 1 none given, 2 protocol version. Presentation: 1 congestion, 2 local limit.
  std::uint8_t reason = 1;
  bool operator==(const AssociateReject&) const = default;
};
struct Abort {
  enum class Source : std::uint8_t { user = 0, provider = 2 };
  enum class Reason : std::uint8_t {
    not_specified = 0,
    unrecognized_pdu = 1,
    unexpected_pdu = 2,
    unrecognized_parameter = 4,
    unexpected_parameter = 5,
    invalid_parameter = 6,
  };
  Source source = Source::user;
  Reason reason = Reason::not_specified;  // user: always not_specified
  bool operator==(const Abort&) const = default;
};

/// A fragment of a message (PS3.8 section 9.3.5.1 and Annex E.2).
struct Pdv {
  std::uint8_t context_id = 0;  // odd
  bool is_command = false;
  bool is_last = false;
  ByteView fragment = {};  // borrowed from the PDU
};

/// One whole PDU.
struct Pdu {
  PduType type = PduType::abort;
  ByteView body = {};  // valid until the reader is used again
};

/// Cuts a stream into PDUs, however the bytes come. Holds one PDU in memory, never more than the
/// limit of its type, which is checked against the header, before the rest comes.
class PduReader {
 public:
  /// `p_data_bytes_max`: the longest body of a P-DATA-TF that we told the peer to send.
  explicit PduReader(std::uint32_t p_data_bytes_max) : p_data_bytes_max_(p_data_bytes_max) {}

  /// Takes the bytes in. Whatever `next` gave is gone.
  void add(ByteView bytes);
  /// The next whole PDU, or nothing where more bytes are needed. Errors: unsupported (kind "pdu": a
  /// type that PS3.8 does not know, told at its first byte), malformed (kind "pdu": a length that
  /// its type does not allow), over_limit. After an error the stream has no more PDUs.
  [[nodiscard]] Result<std::optional<Pdu>> next();

 private:
  [[nodiscard]] Status check_header(std::uint8_t type, std::uint32_t length_bytes) const;

  std::uint32_t p_data_bytes_max_;
  Bytes buffer_;
  std::size_t begin_ = 0;
  std::uint64_t origin_ = 0;  // of buffer_[0] in the stream
};

/// The fragments of a P-DATA-TF; at least one. Errors: malformed (kind "pdu": lengths that do not
/// add up, an even context ID, bits that PS3.8 has no meaning for).
[[nodiscard]] Result<std::vector<Pdv>> read_p_data(ByteView body);
/// Adds a P-DATA-TF with one fragment, which is at most 2^32 - 7 bytes.
void write_p_data(Bytes& to, const Pdv& pdv);

[[nodiscard]] Result<AssociateReject> read_reject(ByteView body);
void write_reject(Bytes& to, const AssociateReject& reject);
/// Reserved values of source and reason are read as they are meant: as an abort.
[[nodiscard]] Abort read_abort(ByteView body);
void write_abort(Bytes& to, const Abort& abort);
void write_release_rq(Bytes& to);
void write_release_rp(Bytes& to);

/// Adds type, reserved byte and length; `body` follows as it is.
void write_pdu(Bytes& to, PduType type, ByteView body);

}  // namespace fiducia::dimse
