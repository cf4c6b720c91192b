// SPDX-License-Identifier: Apache-2.0
// Evidence: whatever is accepted is what our own writer would have written.
#include <cstdlib>

#include "evidence/evidence_file.h"
#include "target.h"

using namespace fiducia;
using fiducia::fuzz::require;

namespace {

void check_one(ByteView input) {
  const auto evidence = evidence::read_evidence(input);
  if (!evidence) {
    require(!evidence.error().what.empty());
    return;
  }
  require(evidence->attributes.size() == evidence->statement.header_leaf_count);
  std::vector<Bytes> receipts;
  for (const ByteView receipt : evidence->receipts)
    receipts.emplace_back(receipt.begin(), receipt.end());
  std::vector<Bytes> time_stamps;
  for (const ByteView token : evidence->time_stamps)
    time_stamps.emplace_back(token.begin(), token.end());
  const Bytes written =
      evidence::write_evidence({.sign1 = evidence->sign1,
                                .seed = &evidence->seed,
                                .attributes = evidence->attributes,
                                .pixels = evidence->statement.pixels ? &evidence->pixels : nullptr,
                                .receipts = receipts,
                                .checkpoint = evidence->checkpoint,
                                .time_stamps = time_stamps});
  require(written == evidence->encoded);
  require(evidence::write_statement(evidence->statement).size() > 0);
  const auto again = evidence::with_receipts(input, {}, "");
  require(again.has_value());
  require(evidence::read_evidence(*again)->object_root == evidence->object_root);
}

}  // namespace

FIDUCIA_FUZZ_TARGET(evidence) {
  const ByteView input = std::as_bytes(std::span{data, size});
  check_one(input);
  if (const auto parts = evidence::read_evidence_file(input))
    for (const ByteView part : *parts) check_one(part);
  return 0;
}
