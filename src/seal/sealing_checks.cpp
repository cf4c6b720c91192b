// SPDX-License-Identifier: Apache-2.0
#include "seal/sealing_checks.h"

#include <algorithm>
#include <functional>

#include "canonical/pixel_source.h"
#include "evidence/embed.h"
#include "evidence/evidence_file.h"
#include "finding/finding.h"
#include "seal/compare_header.h"
#include "trust/judge.h"

namespace fiducia::seal {
namespace {

std::unexpected<Error> refused(ErrorCode code, std::string what) {
  return fail(code, std::move(what),
              code == ErrorCode::ledger_revoked
                  ? "Make a new home, whose ledger has a new key; nothing was entered."
                  : "Seal with another device (--device), or make one with `fiducia device add`; "
                    "nothing was entered in the ledger.");
}

ErrorCode code_of(const finding::Finding& finding) {
  if (finding.code == finding::Code::signer_expired) return ErrorCode::signer_expired;
  if (finding.code == finding::Code::signer_revoked) return ErrorCode::signer_revoked;
  return ErrorCode::signer_untrusted;
}

std::unexpected<Error> written_otherwise(const char* what) {
  return fail(ErrorCode::io_unwritable,
              std::string("the copy as written is not what was sealed: ") + what,
              "Check disk and memory of this machine, then seal again; the seal itself is in the "
              "ledger and in the store.");
}

/// Whether `copy` holds `parts` and nothing else. Pages of both that are done with are given back.
bool holds(const dicom::File& copy, std::span<const ByteView> parts, const dicom::File* source) {
  constexpr std::size_t piece_bytes = 8 << 20;
  ByteView bytes = copy.bytes();
  for (ByteView part : parts)
    while (!part.empty()) {
      const ByteView piece = part.first(std::min(part.size(), piece_bytes));
      if (bytes.size() < piece.size() || !same_bytes(bytes.first(piece.size()), piece))
        return false;
      copy.release(bytes.first(piece.size()));
      if (source != nullptr) source->release(piece);
      bytes = bytes.subspan(piece.size());
      part = part.subspan(piece.size());
    }
  return bytes.empty();
}

/// Where among `parts`, put together, these bytes lie; none where they are not a piece of one.
std::optional<std::size_t> place_in(std::span<const ByteView> parts, ByteView piece) {
  std::size_t before = 0;
  for (const ByteView part : parts) {
    const std::less_equal<const std::byte*> not_after;
    if (not_after(part.data(), piece.data()) &&
        not_after(piece.data() + piece.size(), part.data() + part.size()))
      return before + static_cast<std::size_t>(piece.data() - part.data());
    before += part.size();
  }
  return std::nullopt;
}

/// Whether the pixels of the copy, which holds `parts`, are those of the source: they need not be
/// compared again where they lie in the place to which they were written.
bool same_pixels(ByteView was, ByteView is, const dicom::File& copy,
                 std::span<const ByteView> parts) {
  if (was.size() != is.size()) return false;
  const auto place = place_in(parts, was);
  return (place && copy.bytes().data() + *place == is.data()) || same_bytes(was, is);
}

const dicom::Element* find_sealed_pixels(const dicom::File& file,
                                         const evidence::SealedPixels& pixels) {
  return canonical::find_pixel_element(file.data_set(),
                                       static_cast<codec::SampleKind>(pixels.geometry.kind),
                                       pixels.geometry.sample_bytes);
}

}  // namespace

Status check_signer(const trust::Trust& trust, const Signer& signer, const std::string& origin,
                    UnixTime now) {
  const crypto::Certificate& own = signer.chain.front();
  if (own.key_hash() != signer.key->public_key().hash())
    return fail(ErrorCode::config_invalid,
                "The key of the device \"" + signer.device + "\" is not that of its certificate.",
                "Put back the key that belongs to it, or add a device under a new name.");
  if (own.common_name() != signer.device)
    return fail(ErrorCode::config_invalid,
                "The certificate of the device \"" + signer.device + "\" names another one.",
                "Call the device as its certificate does.");
  const trust::TrustJudge judge(trust, {});
  if (const auto findings = judge.judge_chain(signer.chain, now); !findings.empty()) {
    Error error{.code = code_of(findings.front()), .what = findings.front().text};
    switch (error.code) {
      case ErrorCode::signer_expired:
        error.what = own.not_after() < now ? "The certificate of the device \"" + signer.device +
                                                 "\" ended at " + to_rfc3339(own.not_after()) + "."
                                           : "A certificate of the device \"" + signer.device +
                                                 "\" is not valid now.";
        break;
      case ErrorCode::signer_revoked:
        error.what = "The device \"" + signer.device +
                     "\" cannot seal: its key, or that of its authority, is revoked.";
        break;
      default:
        error.what = "The device \"" + signer.device + "\" cannot seal: " + error.what;
    }
    return refused(error.code, std::move(error.what));
  }
  const auto ledger = std::ranges::find(trust.ledgers, origin, &trust::TrustedLedger::origin);
  if (ledger == trust.ledgers.end())
    return fail(ErrorCode::config_invalid, "The trust file does not name the ledger of this home.",
                "Put the ledger's entry back into it.");
  const Digest key = trust::key_hash_of(ledger->key);
  for (const trust::Revocation& revocation : trust.revocations)
    if (revocation.key == key && revocation.at <= now)
      return refused(ErrorCode::ledger_revoked, "The key of this home's ledger is revoked since " +
                                                    to_rfc3339(revocation.at) + ".");
  return {};
}

Result<CopySource> CopySource::of(const dicom::File& source, ByteView embedded) {
  CopySource out;
  out.embedded_ = embedded;
  FIDUCIA_TRY(evidences, evidence::read_evidence_file(embedded));
  FIDUCIA_TRY(evidence, evidence::read_evidence(evidences.front()));
  out.evidence_ = std::move(evidence);
  out.transfer_syntax_uid_ = source.transfer_syntax().uid;
  if (!source.transfer_syntax().deflated) out.source_ = &source;
  if (const auto& pixels = out.evidence_.statement.pixels) {
    const dicom::Element* element = find_sealed_pixels(source, *pixels);
    if (element == nullptr) return fail_malformed("evidence", "it has no such pixels.");
    if (source.transfer_syntax().deflated)
      out.pixels_digest_ = crypto::sha256(element->value);
    else
      out.pixels_ = element->value;
  }
  return out;
}

Status CopySource::check_copy(const std::filesystem::path& written,
                              std::span<const ByteView> parts) const {
  return check_copy(dicom::File::open(written), parts);
}

Status CopySource::check_copy(const Result<dicom::File>& copy,
                              std::span<const ByteView> parts) const {
  if (!copy) return written_otherwise("it does not read.");
  if (!holds(*copy, parts, source_)) return written_otherwise("its bytes are others.");
  if (copy->transfer_syntax().uid != transfer_syntax_uid_)
    return written_otherwise("its encoding is another one.");
  const auto found = evidence::find_embedded(copy->data_set());
  if (!found || found->size() < embedded_.size() ||
      !same_bytes(found->first(embedded_.size()), embedded_))
    return written_otherwise("its evidence is not found.");

  std::optional<std::string> photometric;
  if (const auto& pixels = evidence_.statement.pixels) {
    photometric =
        canonical::photometric_for_header(copy->data_set(), pixels->photometric_interpretation);
    const dicom::Element* element = find_sealed_pixels(*copy, *pixels);
    const bool same =
        element != nullptr && (pixels_digest_ ? crypto::sha256(element->value) == *pixels_digest_
                                              : same_pixels(pixels_, element->value, *copy, parts));
    if (!same) return written_otherwise("its pixels are others.");
  }
  ContentComparison comparison;
  // Without a decoder: icons that need one are not looked at again.
  compare_header(*copy, evidence_, photometric, canonical::decode_nested_pixels(*copy, nullptr), {},
                 comparison);
  if (comparison.header == Match::different) return written_otherwise("its attributes are others.");
  return {};
}

}  // namespace fiducia::seal
