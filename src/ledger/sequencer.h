// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/core.h"
#include "ledger_format/root_record.h"
#include "ledger_format/tree.h"

namespace fiducia::ledger {

/// A tree and all that the next round builds upon.
struct Tail {
  ledger_format::Frontage frontage;
  Bytes bundle;  // content of the partial entry bundle, empty at a multiple of 256
  std::optional<ledger_format::RootRecord> record;
  std::string note;  // the log's signed checkpoint of this tree
};
/// Deterministic CBOR, at most limits::ledger_tail_bytes_max.
[[nodiscard]] Bytes write_tail(const Tail& tail);
/// Checks that frontage, bundle and sizes fit each other and that the frontage leads to the
/// record's root; signatures are for the caller. Errors: malformed (kind "journal").
[[nodiscard]] Result<Tail> read_tail(ByteView encoded);

/// Entries that were appended together and what was signed over the tree that holds them.
struct Round {
  std::uint64_t first = 0;           // leaf index of the first entry: the size of the tree before
  Bytes entries;                     // as in a bundle: u16be length, entry, ...; at least one
  ledger_format::RootRecord record;  // of the tree after; need not be signed (`sign_record`)
  std::string note;                  // the log's signed checkpoint of the tree after
};
/// Without the signature over the root.
[[nodiscard]] Bytes write_round(const Round& round);
/// Errors: malformed (kind "journal").
[[nodiscard]] Result<Round> read_round(ByteView encoded);

/// What came after a tree that the caller knows. If the rounds behind that tree are no longer all
/// kept, `base` is the oldest tree that later rounds build upon; else it is absent.
struct News {
  std::optional<Tail> base;
  std::vector<Round> rounds;  // in order, the first builds upon `base` or the known tree
};

/// Decides the order of rounds and keeps each until its tiles are in the store. `commit` is the
/// moment at which entries become part of the log: what happens later (tiles, the public
/// checkpoint) is a consequence that anybody who opens the log can complete.
///
/// Two turns, each held by one thread of one process at a time: `take_turn` to append,
/// `take_publishing` to write tiles. Both may be held at once, by different threads.
class Sequencer {
 public:
  virtual ~Sequencer() = default;

  /// Waits for the turn to append and tells what is behind a tree of `known_size` leaves (0:
  /// everything that is kept, with its base; no base and no rounds: the log is still empty).
  /// Errors: busy, io_unreadable, malformed; then the turn is not held.
  [[nodiscard]] virtual Result<News> take_turn(std::uint64_t known_size) = 0;
  /// Makes `round`, which builds upon `before`, durable and gives the turn back. Calls `meanwhile`
  /// once, if it can while the disk works (perhaps not, if it fails). On an error the round may or
  /// may not have been committed, and the next `take_turn` tells which.
  /// Errors: io_unwritable, busy (the turn was lost).
  [[nodiscard]] virtual Status commit(const Round& round, const Tail& before,
                                      const std::function<void()>& meanwhile) = 0;
  /// Gives the turn back without a round.
  virtual void abandon() noexcept = 0;

  /// Waits for the turn to publish; otherwise as `take_turn`: rounds that are committed and were
  /// not published when this returns.
  [[nodiscard]] virtual Result<News> take_publishing(std::uint64_t known_size) = 0;
  /// Everything up to `tail` is in the store, though not yet durable; gives the turn back. The
  /// sequencer calls `sync` (the store's) before it forgets rounds, which need not be now.
  /// Errors: io_unwritable, and those of `sync`; the turn is given back in any case.
  [[nodiscard]] virtual Status published(const Tail& tail, const std::function<Status()>& sync) = 0;
  virtual void abandon_publishing() noexcept = 0;
};

}  // namespace fiducia::ledger
