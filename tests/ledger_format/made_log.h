// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "format_support.h"
#include "merkle/merkle.h"

namespace fiducia::ledger_format::test {

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
  static constexpr std::uint64_t no_fork = ~std::uint64_t{0};

 private:
  std::string name_;
  crypto::PrivateKey key_ = new_key();
};

}  // namespace fiducia::ledger_format::test
