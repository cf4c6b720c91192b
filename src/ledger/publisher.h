// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "core/core.h"
#include "ledger/round.h"

/// Inside the ledger: brings committed rounds into the store, behind the appends.
namespace fiducia::ledger {

/// A tree whose tiles are in the store.
struct Published {
  ledger_format::RootRecord record;
  std::shared_ptr<const std::string> note;
};

/// Publishes rounds in order: tiles and bundles, then signed-root.cbor, then the checkpoint, so
/// that a reader who sees a checkpoint finds all it calls for. One thread of its own.
///
/// A round that comes alone is published at once. While they follow each other closely, what came
/// within 50 ms is published together; more than four rounds only for the tree after the last of
/// them. So the store may hold no partial tile of a size that was signed in between: its content
/// is the beginning of the wider tile or bundle that is there (spec/ledger.md section 2).
class Publisher {
 public:
  /// All three outlive this.
  Publisher(const LogIdentity& identity, Sequencer& sequencer, ObjectStore& store);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  /// Publishes what is committed, if it can.
  ~Publisher();

  /// What opening does, before the thread runs: rounds that a crash left unpublished come into
  /// the store, replacing what a loss of power may have torn, and the store's checkpoint is
  /// compared with the sequencer's. Errors: io_unreadable, io_unwritable, malformed,
  /// signature_bad, ledger_conflict (the store is ahead of the sequencer, or another tree's).
  [[nodiscard]] Status recover();
  /// Publishes whatever is committed now. Errors: io_unwritable, ledger_conflict, malformed.
  [[nodiscard]] Status publish();
  void start();

  /// Tells that a round was committed; `tree_size` is the tree with it.
  void committed(std::uint64_t tree_size);
  /// Waits until few enough rounds are unpublished. Errors: why publishing failed.
  [[nodiscard]] Status wait_for_room();
  /// Waits until the checkpoint of this size, or a later one, is in the store. Errors: as above.
  [[nodiscard]] Status wait_for(std::uint64_t tree_size);
  /// The newest tree that is in the store; a log that is open has one.
  [[nodiscard]] Published newest();
  /// Puts a checkpoint with cosignatures in the place of the plain one, if it is still the newest.
  [[nodiscard]] Status publish_cosigned(const std::string& note);

 private:
  void run(const std::stop_token& stop);
  [[nodiscard]] Status publish_locked(Existing existing) FIDUCIA_REQUIRES(publishing_);
  [[nodiscard]] std::optional<ledger_format::RootRecord> record_until(
      std::uint64_t stored_size, std::span<const Round> rounds) const FIDUCIA_REQUIRES(publishing_);
  [[nodiscard]] Status write_rounds(std::span<const Round> rounds, std::uint64_t stored_size,
                                    Existing existing) FIDUCIA_REQUIRES(publishing_);
  [[nodiscard]] Result<ledger_format::Checkpoint> read_stored_checkpoint() const;
  [[nodiscard]] Result<std::uint64_t> check_not_ahead(const News& news) const;
  [[nodiscard]] Status check_store() const FIDUCIA_REQUIRES(publishing_);

  const LogIdentity& identity_;
  Sequencer& sequencer_;
  ObjectStore& store_;

  Mutex publishing_;                           // held while publishing
  Tail tail_ FIDUCIA_GUARDED_BY(publishing_);  // what is in the store

  mutable Mutex mutex_;
  StoppableCondition changed_;
  std::uint64_t published_ FIDUCIA_GUARDED_BY(mutex_) = 0;
  std::uint64_t committed_ FIDUCIA_GUARDED_BY(mutex_) = 0;
  std::deque<std::uint64_t> unpublished_
      FIDUCIA_GUARDED_BY(mutex_);  // tree sizes of committed rounds
  std::chrono::steady_clock::time_point published_at_ FIDUCIA_GUARDED_BY(mutex_);
  bool urgent_ FIDUCIA_GUARDED_BY(mutex_) =
      false;  // somebody waits, or the room for rounds is used up
  bool idle_ FIDUCIA_GUARDED_BY(mutex_) = false;  // its thread waits for something to publish
  std::optional<Error> failure_ FIDUCIA_GUARDED_BY(mutex_);
  std::jthread thread_;  // last: stops before the rest goes
};

}  // namespace fiducia::ledger
