// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "made_log.h"
#include "witness/witness.h"

namespace fiducia::witness::test {

using namespace fiducia::ledger_format::test;

/// What asks a witness that knows `log` at `old_size` to cosign it at `size`.
inline AddCheckpoint make_request(const MadeLog& log, std::uint64_t old_size, std::uint64_t size,
                                  std::uint64_t forked_from = MadeLog::no_fork) {
  AddCheckpoint made{.old_size = old_size, .proof = {}, .note = log.note(size, forked_from)};
  if (old_size > 0 && old_size <= size)
    made.proof = merkle::consistency_proof(MadeLog::leaves(size, forked_from), old_size);
  return made;
}

/// A witness in a scratch folder that knows the log.
struct ScratchWitness {
  ScratchFolder scratch;
  fs::path folder = scratch.path() / "witness";
  MadeLog log;
  explicit ScratchWitness(const std::string& name = "witness.example.org") {
    const auto created = Witness::create(folder, name);
    FIDUCIA_ASSERT(created.has_value());
    const auto added = open().add_log(log.name(), log.vkey());
    FIDUCIA_ASSERT(added.has_value());
  }
  [[nodiscard]] Witness open(Clock clock = at(noon)) const {
    auto witness = Witness::open(folder, std::move(clock));
    FIDUCIA_ASSERT(witness.has_value());
    return std::move(*witness);
  }
  [[nodiscard]] fs::path log_folder() const { return folder / "logs" / origin_hash(log.name()); }
};

/// The checkpoint with the cosignature lines of an answer, verified.
inline ledger_format::VerifiedSignature verified_answer(const WitnessAnswer& answer,
                                                        const std::string& note,
                                                        const ledger_format::VerifierKey& key) {
  const auto merged = ledger_format::merge_cosignatures(note, answer.body, std::span{&key, 1});
  FIDUCIA_ASSERT(merged.has_value());
  return merged->added.front();
}

}  // namespace fiducia::witness::test
