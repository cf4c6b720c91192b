// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <optional>

#include "canonical/canonical.h"
#include "evidence/evidence.h"
#include "home/home.h"
#include "seal/seal.h"
#include "trust/trust.h"

namespace fiducia::sealing {

/// The evidence store of a home, opened read-only at the first question: a file that carries its
/// own evidence may never ask one, and opening costs a millisecond. Thread-safe.
class StoredEvidence final : public evidence::EvidenceLookup {
 public:
  explicit StoredEvidence(std::filesystem::path home) : home_(std::move(home)) {}
  [[nodiscard]] Result<std::vector<Bytes>> find_by_instance(
      std::string_view sop_instance_uid) override;
  /// When the store cannot be opened, the sketch is empty and `find_by_sketch` says why.
  [[nodiscard]] std::unique_ptr<canonical::SketchBuilder> new_sketch() override;
  [[nodiscard]] Result<std::vector<Bytes>> find_by_sketch(const canonical::Sketch& sketch) override;

 private:
  [[nodiscard]] Result<store::EvidenceStore*> opened();
  const std::filesystem::path home_;
  Mutex mutex_;
  // Once it is set it stays, so that what opened() gave needs no lock.
  std::unique_ptr<store::EvidenceStore> store_ FIDUCIA_GUARDED_BY(mutex_);
  std::optional<Error> failure_ FIDUCIA_GUARDED_BY(mutex_);
};

/// What a verifier works with: the trust file, and a store if there is a home.
struct VerifierSource {
  trust::Trust trust;
  std::unique_ptr<StoredEvidence> lookup;  // null: no home, no store
};

/// The trust file named by `trust_option`, else that of the home. Errors: config_missing when
/// neither is there, or when --home names no home; those of open_trust.
[[nodiscard]] Result<VerifierSource> open_verifier_source(const std::string& home_option,
                                                          const std::string& trust_option);

/// A verifier that takes the trust out of `source`, whose store must outlive it. Where the user
/// named evidence files, they stand in place of the store and of what lies beside an image
/// (`options.look_beside` is set here). Errors: those of reading them, with the file's name.
[[nodiscard]] Result<seal::Verifier> make_verifier(VerifierSource& source,
                                                   std::span<const std::string> evidence_files,
                                                   seal::VerifierOptions options);

}  // namespace fiducia::sealing
