// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "canonical/pixels.h"
#include "canonical/salts.h"
#include "core/core.h"
#include "crypto/crypto.h"
#include "dicom/dicom.h"
#include "evidence/statement.h"

namespace fiducia::evidence {

/// One row of the header's leaf table: tells which attribute differs. Borrows the path from the
/// evidence (or from the canonical header while sealing).
struct SealedAttribute {
  ByteView path;
  dicom::Vr vr;
  Digest hash;
};

/// Everything a stranger needs to verify one object offline (spec/evidence.md).
///
/// `encoded` owns the bytes; spans point into it. Movable, not copyable (copies would dangle).
struct Evidence {
  Bytes encoded;
  ByteView sign1;  // the COSE_Sign1 over the statement
  Statement statement;
  Digest object_root;
  canonical::Seed seed{};
  std::vector<SealedAttribute> attributes;  // ascending paths
  canonical::PixelLeaves pixels;
  std::vector<ByteView> receipts;     // COSE receipts, order of preference
  std::string checkpoint;             // signed note, "" when none
  std::vector<ByteView> time_stamps;  // tokens of RFC 3161 over the checkpoint's text

  Evidence() = default;
  Evidence(const Evidence&) = delete;
  Evidence& operator=(const Evidence&) = delete;
  Evidence(Evidence&&) = default;
  Evidence& operator=(Evidence&&) = default;
};

/// Index of the (first) sealed attribute with this canonical path; absent when none was sealed.
[[nodiscard]] std::optional<std::size_t> find_sealed(const Evidence& evidence, ByteView path);

/// Decodes one evidence; one trailing 00 (the pad byte of an OB element) is allowed. Checks form
/// and that the tables fit the statement (counts, order), not that anything is true: that is
/// the verifier's work. Errors: truncated, malformed (kind "evidence"), over_limit, unsupported.
[[nodiscard]] Result<Evidence> read_evidence(ByteView encoded);

/// The evidences of a file written by `export` or as a sidecar: one evidence, or a CBOR array of
/// them. Each is returned undecoded. Errors: as read_evidence. Borrows from `encoded`.
[[nodiscard]] Result<std::vector<ByteView>> read_evidence_file(ByteView encoded);

/// The same of what a file carries (find_embedded), where a pad byte 00 may follow.
[[nodiscard]] Result<std::vector<ByteView>> read_embedded_evidence(ByteView value);

/// Whether a file is one: its first evidence can be read.
[[nodiscard]] bool is_evidence_file(ByteView encoded);

/// One evidence stays as it is, several become a CBOR array.
[[nodiscard]] Bytes write_evidence_file(std::span<const Bytes> evidences);

/// A copy of `evidence` with receipts, checkpoint and time-stamps in place of what it had (a
/// fresher proof). Time-stamps are over one checkpoint, so none are taken over from before.
[[nodiscard]] Result<Bytes> with_receipts(ByteView evidence, std::span<const Bytes> receipts,
                                          std::string_view checkpoint,
                                          std::span<const Bytes> time_stamps = {});

/// What a time-stamp authority is asked to stamp for this evidence: SHA-256 of the checkpoint's
/// text, which is what the ledger signs (origin, size, root; no signature lines), so that a token
/// stays good when cosignatures are added. Absent when the note does not read. Source:
/// spec/evidence.md section 3.
[[nodiscard]] std::optional<Digest> time_stamp_imprint(std::string_view checkpoint);

/// What a sealer puts together. Deterministic.
struct EvidenceParts {
  ByteView sign1;
  const canonical::Seed* seed = nullptr;
  std::span<const SealedAttribute> attributes;
  const canonical::PixelLeaves* pixels = nullptr;  // null: the object has no pixels
  std::span<const Bytes> receipts;
  std::string_view checkpoint;
  std::span<const Bytes> time_stamps = {};  // at most limits::time_stamps_max
};
[[nodiscard]] Bytes write_evidence(const EvidenceParts& parts);

}  // namespace fiducia::evidence
