// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "codec/codec.h"
#include "finding/finding.h"
#include "home/home.h"
#include "seal/seal.h"
#include "seal_output.h"
#include "sealing/sealing.h"

namespace fiducia::app {

/// The note about pictures that the store could not find again by their pixels once altered.

/// What became of one input.
struct Sealed {
  /// unwritten: ledger and store have the seal, but the copy or sidecar could not be written.
  enum class Status { sealed, already_sealed, skipped, unwritten, failed };
  Status status = Status::failed;
  std::string path;
  std::string device;  // of the seal that holds now
  Digest object_root;
  std::string origin;  // of the ledger that has the entry
  std::uint64_t ledger_index = 0;
  std::uint64_t tree_size = 0;
  EvidencePlace evidence = EvidencePlace::store;
  std::string output;                      // the file written, "" when none
  std::vector<finding::Finding> findings;  // what the person who seals should know
  std::optional<Error> error;              // failed, skipped, unwritten
};

/// Seals inputs batch by batch. Each batch: drafts in parallel, one append to the ledger, one
/// transaction of the store, then the files asked for. So a file that carries a seal is always
/// in the ledger and in the store, and a kill at any moment leaves files whole.
///
/// An image is sealed once: where evidence is known under which it is authentic, that evidence is
/// used again; where the identity is known with other content, sealing is refused, because it
/// would turn an altered image into a sealed one. A seal of this home that counts no more (its
/// device was revoked) can be renewed: all content must match it, and it stays in the evidence.
class SealRun {
 public:
  /// References must outlive the run. `stop` ends the run before the next append.
  /// `mark`: what `store` knows of its home, checked (home_parts.h).
  SealRun(const cli::SealOptions& options, const home::Home& home, const seal::Signer& signer,
          sealing::Recorder& recorder, store::EvidenceStore& store, store::HomeMark mark,
          home::Appenders appenders, const seal::Verifier& verifier, std::stop_token stop,
          Clock clock = system_now);

  /// Seals all; `emit` is called from this thread for each input, batch by batch in their order.
  /// Errors: those of ledger and store, which end the run; errors of single files do not.
  [[nodiscard]] fiducia::Status seal(std::vector<sealing::Input> inputs,
                                     const std::function<void(Sealed&&)>& emit);

 private:
  struct Work;
  void prepare(Work& work, codec::CodecChild& child) const;
  [[nodiscard]] fiducia::Status check_identity(Work& work, codec::CodecChild& child) const;
  [[nodiscard]] fiducia::Status draft(Work& work, codec::CodecChild& child) const;
  [[nodiscard]] Result<bool> is_worthless_seal_of_ours(Work& work,
                                                       const seal::VerifyResult& result) const;
  [[nodiscard]] fiducia::Status reuse(Work& work, Bytes evidence,
                                      const seal::VerifyResult& result) const;
  [[nodiscard]] fiducia::Status check_can_be_found(const Work& work) const;
  [[nodiscard]] fiducia::Status check_target_of(const Work& work) const;
  [[nodiscard]] fiducia::Status check_branch(const seal::VerifyResult& result) const;
  [[nodiscard]] fiducia::Status take_mark(const ledger::Recorded& recorded);
  [[nodiscard]] fiducia::Status record(std::vector<Work>& batch);
  [[nodiscard]] fiducia::Status write_outputs(std::vector<Work>& batch);
  void write_one(Work& work) const;
  void put_back_twins(std::vector<Work>& batch, std::deque<sealing::Input>& waiting) const;

  const cli::SealOptions& options_;
  const home::Home& home_;
  const seal::Signer& signer_;
  sealing::Recorder& recorder_;
  store::EvidenceStore& store_;
  store::HomeMark mark_;  // changed between batches only
  const home::Appenders appenders_;
  const seal::Verifier& verifier_;
  const std::stop_token stop_;
  const Clock clock_;
  std::vector<codec::CodecChild> children_;  // one a worker
};

}  // namespace fiducia::app
