// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ledger_support.h"
#include "merkle/merkle.h"

namespace fiducia::ledger::test {

/// A log in memory that signs whatever it is told to: trees of `counter_entry` leaves; a fork has
/// other leaves from some index on.
class MadeLog {
 public:
  explicit MadeLog(std::string name = origin) : name_(std::move(name)) {}
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] VerifierKey vkey() const { return vkey_of(key_, name_); }
  [[nodiscard]] const crypto::PrivateKey& key() const { return key_; }

  [[nodiscard]] static std::vector<Digest> leaves(std::uint64_t size, std::uint64_t forked_from) {
    std::vector<Digest> hashes;
    for (std::uint64_t i = 0; i < size; ++i)
      hashes.push_back(merkle::leaf_hash(counter_entry(i < forked_from ? i : i + 1'000'000)));
    return hashes;
  }
  [[nodiscard]] std::string text(std::uint64_t size, std::uint64_t forked_from = no_fork) const {
    return write_checkpoint({.origin = name_,
                             .tree_size = size,
                             .root = merkle::root(leaves(size, forked_from)),
                             .extensions = {}});
  }
  [[nodiscard]] std::string note(std::uint64_t size, std::uint64_t forked_from = no_fork) const {
    return write_note(text(size, forked_from), name_, key_).value();
  }
  [[nodiscard]] AddCheckpoint request(std::uint64_t old_size, std::uint64_t size,
                                      std::uint64_t forked_from = no_fork) const {
    AddCheckpoint made{.old_size = old_size, .proof = {}, .note = note(size, forked_from)};
    if (old_size > 0 && old_size <= size)
      made.proof = merkle::consistency_proof(leaves(size, forked_from), old_size);
    return made;
  }
  static constexpr std::uint64_t no_fork = ~std::uint64_t{0};

 private:
  std::string name_;
  crypto::PrivateKey key_ = new_key();
};

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
inline VerifiedSignature verified_answer(const WitnessAnswer& answer, const std::string& note,
                                         const VerifierKey& key) {
  const auto merged = merge_cosignatures(note, answer.body, std::span{&key, 1});
  FIDUCIA_ASSERT(merged.has_value());
  return merged->added.front();
}

}  // namespace fiducia::ledger::test
