// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <span>
#include <string>

#include "core/core.h"
#include "dicom/dicom.h"
#include "seal/sealer.h"
#include "seal/trust.h"

/// What is looked at around sealing, so that nobody hands out a seal that does not verify.
namespace fiducia::seal {

/// Whether a seal by `signer`, entered now in the ledger `origin`, would be accepted by `trust`.
/// Errors: signer_untrusted, signer_expired, signer_revoked, ledger_revoked, config_invalid (key,
/// certificate and name of the signer do not belong together, or the ledger is not in the file).
[[nodiscard]] Status check_signer(const Trust& trust, const Signer& signer,
                                  const std::string& origin, UnixTime now);

/// Whether `written`, the copy of `source` that carries `embedded` (embed_parts), says what was
/// sealed by the first evidence in it: the bytes are `parts`, the evidence is found, each attribute
/// and the pixels' bytes are as sealed. Nothing is decoded. Errors: io_unwritable.
[[nodiscard]] Status check_copy(const std::filesystem::path& written,
                                std::span<const ByteView> parts, const dicom::File& source,
                                ByteView embedded);

}  // namespace fiducia::seal
