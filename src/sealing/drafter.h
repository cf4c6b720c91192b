// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module sealing: what becomes of an object before the ledger.
#include <cstdint>
#include <functional>

#include "codec/codec.h"
#include "sealing/service.h"
#include "sealing/work.h"

namespace fiducia::sealing {

/// Judges objects, and drafts seals for those that may have one. Thread-safe for different work and
/// children.
class Drafter {
 public:
  /// `tree_size`: of this home's ledger as it is known now.
  Drafter(const ServiceParts& parts, std::function<std::uint64_t()> tree_size)
      : parts_(parts), tree_size_(std::move(tree_size)) {}

  /// Leaves the work drafted, or settled with the evidence that it has already or with an error.
  void judge(Work& work, codec::CodecChild& child) const;

 private:
  [[nodiscard]] Status judge_open(Work& work, codec::CodecChild& child) const;
  [[nodiscard]] Status check_identity(Work& work, codec::CodecChild& child) const;
  [[nodiscard]] Status draft(Work& work, codec::CodecChild& child) const;
  [[nodiscard]] Status check_branch(const seal::VerifyResult& result) const;
  [[nodiscard]] Result<bool> is_worthless_seal_of_ours(Work& work,
                                                       const seal::VerifyResult& result) const;

  const ServiceParts& parts_;
  const std::function<std::uint64_t()> tree_size_;
};

}  // namespace fiducia::sealing
