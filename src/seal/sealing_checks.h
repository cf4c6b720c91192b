// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <span>
#include <string>

#include "core/core.h"
#include "dicom/dicom.h"
#include "evidence/evidence_file.h"
#include "seal/sealer.h"
#include "trust/trust_file.h"

/// What is looked at around sealing, so that nobody hands out a seal that does not verify.
namespace fiducia::seal {

/// Whether a seal by `signer`, entered now in the ledger `origin`, would be accepted by `trust`.
/// Errors: signer_untrusted, signer_expired, signer_revoked, ledger_revoked, config_invalid (key,
/// certificate and name of the signer do not belong together, or the ledger is not in the file).
[[nodiscard]] Status check_signer(const trust::Trust& trust, const Signer& signer,
                                  const std::string& origin, UnixTime now);

/// What a copy is compared with. Borrows the evidence, and the source where that is not deflated:
/// a deflated one may be closed before the copy is read, so that only one of them is in memory.
class CopySource {
 public:
  /// `embedded`: what goes into the copy (embed_parts). Errors: malformed, when it is no evidence
  /// of this file.
  [[nodiscard]] static Result<CopySource> of(const dicom::File& source, ByteView embedded);
  /// Whether `written` says what was sealed by the first evidence in it: the bytes are `parts`, the
  /// evidence is found, each attribute and the pixels' bytes are as sealed. Nothing is decoded.
  /// Errors: io_unwritable.
  [[nodiscard]] Status check_copy(const std::filesystem::path& written,
                                  std::span<const ByteView> parts) const;
  /// The same for a copy that is open, or could not be opened.
  [[nodiscard]] Status check_copy(const Result<dicom::File>& copy,
                                  std::span<const ByteView> parts) const;

 private:
  CopySource() = default;
  ByteView embedded_;
  evidence::Evidence evidence_;
  std::string transfer_syntax_uid_;
  const dicom::File* source_ = nullptr;  // that is not deflated
  ByteView pixels_;                      // of it
  std::optional<Digest> pixels_digest_;  // of a deflated one
};

}  // namespace fiducia::seal
