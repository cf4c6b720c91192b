// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "canonical/header.h"
#include "canonical/salts.h"
#include "core/core.h"
#include "crypto/crypto.h"

namespace fiducia::canonical {

/// The digest over what values of no known VR are as text (spec/seal.md 5.7). Their leaves are over
/// bytes; which characters those are for a program with a dictionary of private attributes follows
/// from Specific Character Set, which has no leaf.
class UntypedText {
 public:
  /// `salts` of the object, whose header tree has `leaf_count` leaves.
  UntypedText(const Salts& salts, std::uint64_t leaf_count);
  /// Takes in a leaf that is sealed under UN, in the order of paths; `path` is the sealed one. Does
  /// nothing for what can be no text, or reads alike in all character sets. `budget` may be null.
  /// Errors: over_limit.
  Status add(ByteView path, const HeaderLeaf& leaf, Budget* budget);
  /// The object is of no use afterwards.
  [[nodiscard]] Digest finish() { return hash_.finish(); }
  /// The path of the first value that was taken in; empty: there is none.
  [[nodiscard]] const Bytes& first() const { return first_; }

 private:
  crypto::Sha256 hash_;
  Bytes first_;
};

}  // namespace fiducia::canonical
