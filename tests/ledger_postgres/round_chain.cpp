// SPDX-License-Identifier: Apache-2.0
#include "round_chain.h"

#include "merkle/merkle.h"

namespace fiducia::ledger_postgres::test {
namespace {

std::vector<Bytes> split(ByteView entries) {
  std::vector<Bytes> list;
  ByteCursor cursor{entries};
  while (cursor.remaining() > 0) {
    const ByteView entry = cursor.take(cursor.be<std::uint16_t>().value()).value();
    list.emplace_back(entry.begin(), entry.end());
  }
  return list;
}

Bytes join(std::span<const Bytes> entries) {
  Bytes joined;
  for (const Bytes& entry : entries) {
    append_be(joined, static_cast<std::uint16_t>(entry.size()));
    append(joined, entry);
  }
  return joined;
}

ledger_format::GrownTree grow(const ledger::Tail& before, std::span<const Bytes> entries) {
  std::vector<Digest> leaves;
  for (const Bytes& entry : entries) leaves.push_back(merkle::leaf_hash(entry));
  return ledger_format::GrownTree{before.frontage, leaves};
}

std::string size_of(const ledger::Tail& tail) { return std::to_string(tail.frontage.size); }

}  // namespace

ledger::Tail tail_behind(const ledger::Tail& before, const ledger::Round& round) {
  const std::vector<Bytes> added = split(round.entries);
  std::vector<Bytes> last = split(before.bundle);
  last.insert(last.end(), added.begin(), added.end());
  const ledger_format::GrownTree grown = grow(before, added);
  const std::size_t partial = grown.after().size % ledger_format::tile_width;
  return {.frontage = grown.after(),
          .bundle = join(std::span{last}.last(partial)),
          .record = round.record,
          .note = round.note};
}

ledger::Round RoundChain::next(std::uint64_t count, std::uint64_t salt,
                               std::size_t entry_bytes) const {
  std::vector<Bytes> entries;
  for (std::uint64_t i = 0; i < count; ++i) {
    Bytes entry;
    append_be(entry, size() + i);
    append_be(entry, salt);
    entry.resize(std::max(entry_bytes, entry.size()));
    entries.push_back(std::move(entry));
  }
  const std::uint64_t after = size() + count;
  return {.first = size(),
          .entries = join(entries),
          .record = {.tree_size = after,
                     .root = grow(tail(), entries).root(),
                     .issued_at = UnixTime{1'764'000'000 + static_cast<std::int64_t>(after)},
                     .signed_root = {.protected_bytes = Bytes(20), .signature = Bytes(64)}},
          .note = "checkpoint of " + std::to_string(after) + "\n"};
}

void RoundChain::add(const ledger::Round& round) {
  tails_.push_back(tail_behind(tail(), round));
  rounds_.push_back(round);
}

std::string RoundChain::difference(const ledger::News& news, std::uint64_t known_size) const {
  std::uint64_t start = known_size;
  if (news.base) {
    start = news.base->frontage.size;
    if (start <= known_size) return "a base of " + size_of(*news.base) + " was not needed";
  }
  std::size_t at = 0;
  while (at < tails_.size() && tails_[at].frontage.size != start) ++at;
  if (at == tails_.size()) return "no tree ever had " + std::to_string(start) + " leaves";
  if (news.base && ledger::write_tail(*news.base) != ledger::write_tail(tails_[at]))
    return "the base of " + size_of(*news.base) + " leaves is another tree";
  if (news.rounds.size() != rounds_.size() - at)
    return std::to_string(news.rounds.size()) + " rounds behind " + std::to_string(start) +
           ", not " + std::to_string(rounds_.size() - at);
  for (std::size_t i = 0; i < news.rounds.size(); ++i)
    if (ledger::write_round(news.rounds[i]) != ledger::write_round(rounds_[at + i]))
      return "round " + std::to_string(at + i) + " is another one";
  return {};
}

}  // namespace fiducia::ledger_postgres::test
