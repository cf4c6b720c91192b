// SPDX-License-Identifier: Apache-2.0
// The publisher's thread against the appends that tell it of rounds.
#include "ledger/publisher.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "ledger/journal.h"
#include "ledger_support.h"

namespace fiducia::ledger::test {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s;

/// A journal whose `commit` returns, while `slow` is set, only when the publisher has brought the
/// round into the store: so its thread is faster than the append that will tell of the round.
class SlowToAnswer final : public Sequencer {
 public:
  explicit SlowToAnswer(std::unique_ptr<LocalJournal> journal) : journal_(std::move(journal)) {}

  Result<News> take_turn(std::uint64_t known_size) override {
    return journal_->take_turn(known_size);
  }
  Status commit(const Round& round, const Tail& before,
                const std::function<void()>& meanwhile) override {
    Status done = journal_->commit(round, before, meanwhile);
    std::unique_lock guard{mutex_};
    committed_ = round.record.tree_size;
    changed_.notify_all();
    const auto arrived = [&] { return !slow_ || published_ >= committed_; };
    EXPECT_TRUE(changed_.wait_for(guard, patience, arrived));
    return done;
  }
  void abandon() noexcept override { journal_->abandon(); }
  Result<News> take_publishing(std::uint64_t known_size) override {
    std::unique_lock guard{mutex_};
    changed_.wait_for(guard, patience, [&] { return !held_ || committed_ >= wanted_; });
    held_ = false;
    guard.unlock();
    return journal_->take_publishing(known_size);
  }
  Status published(const Tail& tail, const std::function<Status()>& sync) override {
    Status done = journal_->published(tail, sync);
    const std::lock_guard guard{mutex_};
    published_ = tail.frontage.size;
    changed_.notify_all();
    return done;
  }
  void abandon_publishing() noexcept override { journal_->abandon_publishing(); }

  void answer_slowly(bool slow) {
    const std::lock_guard guard{mutex_};
    slow_ = slow;
  }
  /// The next publication begins only when a tree of `size` leaves is committed.
  void hold_publishing_until(std::uint64_t size) {
    const std::lock_guard guard{mutex_};
    held_ = true;
    wanted_ = size;
  }
  /// Whether a tree of `size` leaves gets published, without anybody asking for it.
  [[nodiscard]] bool wait_for_publishing(std::uint64_t size) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, patience, [&] { return published_ >= size; });
  }

 private:
  const std::unique_ptr<LocalJournal> journal_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::uint64_t committed_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t wanted_ = 0;
  bool held_ = false;
  bool slow_ = false;
};

TEST(Publisher, goes_on_after_it_was_faster_than_the_append_that_tells_it) {
  const ScratchLog scratch;
  auto journal = LocalJournal::open(scratch.folder).value();
  auto slow = std::make_unique<SlowToAnswer>(std::move(journal));
  SlowToAnswer& sequencer = *slow;
  auto log =
      Log::open(LogParts{.store = std::make_shared<DirectoryStore>(scratch.folder),
                         .sequencer = std::move(slow),
                         .origin = origin,
                         .key = std::make_shared<const crypto::PrivateKey>(copy_of(scratch.key)),
                         .clock = at(noon)})
          .value();
  std::uint64_t size = 1;
  for (int turn = 0; turn < 20; ++turn) {
    SCOPED_TRACE("turn " + std::to_string(turn));
    // The thread is woken by the first round and finds the second one as well, which is told later.
    sequencer.hold_publishing_until(size + 2);
    ASSERT_TRUE(log.append(counter_entries(size, 1)).has_value());
    sequencer.answer_slowly(true);
    ASSERT_TRUE(log.append(counter_entries(size + 1, 1)).has_value());
    sequencer.answer_slowly(false);
    size += 2;
    // Nothing may be left that keeps it from being woken again.
    ASSERT_TRUE(log.append(counter_entries(size, 1)).has_value());
    ASSERT_TRUE(sequencer.wait_for_publishing(++size)) << "the thread was not woken";
  }
  // More rounds than may wait unpublished: none of those above still counts as one.
  for (std::size_t i = 0; i < 2 * limits::ledger_unpublished_rounds_max; ++i, ++size)
    ASSERT_TRUE(log.append(counter_entries(size, 1)).has_value());
  ASSERT_TRUE(log.flush().has_value());
  EXPECT_EQ(scratch.read()->status().tree_size, size);
  EXPECT_TRUE(scratch.check()->ok);
}

}  // namespace
}  // namespace fiducia::ledger::test
