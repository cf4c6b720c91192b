// SPDX-License-Identifier: Apache-2.0
// The service that seals, by many threads, with a real home, ledger and store; and what becomes of
// each object when a part of it fails in the middle.
#include "sealing/service.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <set>
#include <thread>

#include "evidence/evidence.h"
#include "sealing/bench.h"

namespace fiducia::sealing {
namespace {

using finding::Verdict;
using test::Bench;
using test::image;
using test::StoreStep;
using Status_ = Answer::Status;

class Sealing : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path home() const { return scratch_.home(); }
  [[nodiscard]] std::filesystem::path path(const std::string& name) const {
    return scratch_.path(name);
  }
  /// An object from a file, from memory or from a spool, as `kind` turns.
  [[nodiscard]] Object object(unsigned kind, const Bytes& bytes, const std::string& name) const {
    if (kind % 3 == 0) return object_in_memory(bytes, name);
    const std::filesystem::path file = path(name);
    EXPECT_TRUE(durable_write(file, bytes).has_value());
    if (kind % 3 == 1) return object_in_file(file);
    std::optional<MappedFile> spool = MappedFile::open(file).value();
    std::filesystem::remove(file);  // as a spool without a name
    return object_in_spool(std::move(*spool), name);
  }

 private:
  const test::ScratchHome scratch_;
};

[[nodiscard]] std::string said(const Answer& answer) {
  return answer.error ? to_sentence(*answer.error) : "no error";
}

void run_threads(unsigned count, const std::function<void(unsigned)>& work) {
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
}

/// Lets threads through once something has happened.
class Gate {
 public:
  void open() {
    const MutexLock lock{mutex_};
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    MutexLock lock{mutex_};
    changed_.wait(lock, [&]() FIDUCIA_REQUIRES(mutex_) { return open_; });
  }

 private:
  Mutex mutex_;
  Condition changed_;
  bool open_ FIDUCIA_GUARDED_BY(mutex_) = false;
};

/// What one call says of all of them, told at once.
std::vector<Settled> sealed_in_one_call(Bench& bench, std::vector<Object> objects) {
  std::vector<Settled> all;
  EXPECT_TRUE(bench.service()
                  .seal_all(std::move(objects), {},
                            [&](std::vector<Settled> settled) -> Status {
                              all = std::move(settled);
                              return {};
                            })
                  .has_value());
  return all;
}

TEST_F(Sealing, by_many_threads_from_any_source_answers_for_each_object) {
  constexpr unsigned threads = 8, each = 8;
  Bench bench{home()};
  std::vector<Answer> answers(threads * each);
  std::vector<Bytes> images(threads * each);
  run_threads(threads, [&](unsigned thread) {
    for (unsigned i = 0; i < each; ++i) {
      const unsigned n = thread * each + i;
      images[n] = image("1.2.3." + std::to_string(n + 1), n);
      answers[n] = bench.service().seal(object(n, images[n], std::to_string(n) + ".dcm"));
    }
  });
  std::set<std::uint64_t> indices;
  for (unsigned n = 0; n < threads * each; ++n) {
    ASSERT_EQ(answers[n].status, Status_::sealed) << said(answers[n]);
    EXPECT_EQ(answers[n].device, "CT-1");
    EXPECT_EQ(answers[n].origin, bench.home().about().ledger_origin);
    EXPECT_LT(answers[n].ledger_index, answers[n].tree_size);
    EXPECT_TRUE(indices.insert(answers[n].ledger_index).second);
    EXPECT_EQ(bench.verdict(images[n]), Verdict::authentic);
    EXPECT_TRUE(bench.store().find_by_root(answers[n].object_root).value().has_value());
  }
  EXPECT_EQ(*indices.begin(), 1U) << "behind the genesis entry";
  EXPECT_EQ(*indices.rbegin(), threads * each) << "and nothing between them";
  EXPECT_EQ(bench.store().count().value(), threads * each);
  EXPECT_EQ(bench.store().mark().value().tree_size, threads * each + 1);
  EXPECT_EQ(bench.store().mark().value().pending, 0U);
}

TEST_F(Sealing, of_several_shares_one_round_in_their_order) {
  constexpr unsigned count = 20;
  Bench bench{home()};
  std::vector<Object> objects;
  for (unsigned n = 0; n < count; ++n)
    objects.push_back(object(n, image("1.2.3." + std::to_string(n + 1), n), std::to_string(n)));
  const std::vector<Settled> all = sealed_in_one_call(bench, std::move(objects));
  ASSERT_EQ(all.size(), count);
  for (unsigned n = 0; n < count; ++n) {
    EXPECT_EQ(all[n].index, n);
    EXPECT_EQ(all[n].answer.ledger_index, n + 1);
  }
  EXPECT_EQ(bench.recorder->rounds, std::vector<std::size_t>{count});
}

// While one round is on its way, those that come wait; the next one takes them together.
TEST_F(Sealing, by_threads_that_wait_shares_the_next_round) {
  constexpr unsigned waiting = 6;
  Bench bench{home()};
  Gate drafted;
  std::atomic<unsigned> counted = 0;
  bench.probed_store->before = [&](StoreStep step) -> Status {
    if (step == StoreStep::count && ++counted == waiting + 1) drafted.open();
    return {};
  };
  bench.recorder->before = [&]() -> Status {
    drafted.pass();  // the first round lasts until all others are on their way
    return {};
  };
  std::vector<Answer> answers(waiting + 1);
  run_threads(waiting + 1, [&](unsigned n) {
    answers[n] = bench.service().seal(object_in_memory(image("1.2." + std::to_string(n), n), ""));
  });
  for (const Answer& answer : answers) EXPECT_EQ(answer.status, Status_::sealed) << said(answer);
  std::size_t entries = 0;
  for (const std::size_t round : bench.recorder->rounds) entries += round;
  EXPECT_EQ(entries, waiting + 1);
}

TEST_F(Sealing, says_what_belongs_to_a_study_and_a_series) {
  Bench bench{home()};
  ASSERT_EQ(bench.service().seal(object_in_memory(image("1.2.3", 1), "a")).status, Status_::sealed);
  const Answer answer = bench.service().seal(object_in_memory(image("1.2.4", 2), "b"));
  for (const store::ListQuery& query : {store::ListQuery{.study_instance_uid = "1.2.4.1"},
                                        store::ListQuery{.series_instance_uid = "1.2.4.2"}}) {
    const auto page = bench.store().list(query).value();
    ASSERT_EQ(page.objects.size(), 1U);
    EXPECT_EQ(page.objects.front().object_root, answer.object_root);
  }
}

TEST_F(Sealing, of_one_object_by_many_threads_makes_one_seal) {
  constexpr unsigned threads = 8;
  Bench bench{home()};
  const Bytes bytes = image("1.2.3", 1);
  std::vector<Answer> answers(threads);
  run_threads(threads, [&](unsigned n) {
    answers[n] = bench.service().seal(object_in_memory(bytes, std::to_string(n)));
  });
  unsigned sealed = 0;
  for (const Answer& answer : answers) {
    if (answer.status == Status_::sealed)
      ++sealed;
    else
      EXPECT_EQ(answer.status, Status_::already_sealed) << said(answer);
    EXPECT_EQ(answer.ledger_index, 1U);
    EXPECT_EQ(answer.object_root, answers.front().object_root);
  }
  EXPECT_EQ(sealed, 1U);
  EXPECT_EQ(bench.store().count().value(), 1U);
  EXPECT_EQ(bench.recorder->rounds, std::vector<std::size_t>{1});
}

TEST_F(Sealing, of_one_identity_with_other_content_is_a_conflict_for_all_but_one) {
  constexpr unsigned threads = 8;
  Bench bench{home()};
  std::vector<Answer> answers(threads);
  run_threads(threads, [&](unsigned n) {
    answers[n] = bench.service().seal(object_in_memory(image("1.2.3", n), std::to_string(n)));
  });
  unsigned sealed = 0;
  for (unsigned n = 0; n < threads; ++n) {
    if (answers[n].status == Status_::sealed) {
      ++sealed;
      EXPECT_EQ(bench.verdict(image("1.2.3", n)), Verdict::authentic);
    } else {
      ASSERT_EQ(answers[n].status, Status_::conflict) << said(answers[n]);
      EXPECT_EQ(answers[n].error->code, ErrorCode::conflict);
      EXPECT_EQ(answers[n].error->where.file, std::to_string(n));
      EXPECT_EQ(bench.verdict(image("1.2.3", n)), Verdict::altered);
    }
  }
  EXPECT_EQ(sealed, 1U);
  EXPECT_EQ(bench.recorder->rounds, std::vector<std::size_t>{1}) << "nothing of the others";
}

TEST_F(Sealing, of_twins_in_one_call_settles_the_first_and_then_the_others) {
  Bench bench{home()};
  std::vector<Object> objects;
  objects.push_back(object_in_memory(image("1.2.3", 1), "a"));
  objects.push_back(object_in_memory(image("1.2.3", 1), "copy"));
  objects.push_back(object_in_memory(image("1.2.3", 2), "forged"));
  objects.push_back(object_in_memory(image("1.2.4", 3), "b"));
  std::vector<std::pair<std::size_t, Status_>> all;
  std::size_t calls = 0;
  ASSERT_TRUE(bench.service()
                  .seal_all(std::move(objects), {},
                            [&](const std::vector<Settled>& settled) -> Status {
                              ++calls;
                              for (const Settled& one : settled)
                                all.emplace_back(one.index, one.answer.status);
                              return {};
                            })
                  .has_value());
  EXPECT_EQ(calls, 2U);
  const std::vector<std::pair<std::size_t, Status_>> expected{{0, Status_::sealed},
                                                              {3, Status_::sealed},
                                                              {1, Status_::already_sealed},
                                                              {2, Status_::conflict}};
  EXPECT_EQ(all, expected);
}

/// Two services, as on two machines: each has a connection of its own to one store, and both append
/// to one ledger.
class TwoServices : public Sealing {
 protected:
  class Shared final : public Recorder {
   public:
    explicit Shared(std::unique_ptr<Recorder> real) : real_(std::move(real)) {}
    [[nodiscard]] const ledger::LogStatus& status() const override { return real_->status(); }
    [[nodiscard]] Result<ledger::Recorded> record(std::span<const Bytes> entries) override {
      return real_->record(entries);  // a log's appends may come from many threads
    }

   private:
    const std::unique_ptr<Recorder> real_;
  };
  Shared shared_{open_recorder(home::Home::open(home()).value()).value()};
};

TEST_F(TwoServices, on_one_store_seal_each_identity_once) {
  constexpr unsigned identities = 12;
  Bench here{home(), &shared_};
  Bench there{home(), &shared_};
  // Even ones are the same object on both sides, odd ones are not.
  const auto side = [](unsigned service, unsigned n) {
    return image("1.2.3." + std::to_string(n), n % 2 == 0 ? n : 2 * n + 100 + service);
  };
  std::vector<Answer> answers(2 * identities);
  run_threads(4, [&](unsigned thread) {
    const unsigned service = thread % 2;
    std::vector<Object> objects;
    std::vector<unsigned> which;
    for (unsigned n = thread / 2; n < identities; n += 2) {
      objects.push_back(object_in_memory(side(service, n), ""));
      which.push_back(n);
    }
    // In different orders, so that each waits for the other if anything does.
    if (service == 1) {
      std::ranges::reverse(objects);
      std::ranges::reverse(which);
    }
    Bench& bench = service == 0 ? here : there;
    const Status done = bench.service().seal_all(
        std::move(objects), {}, [&](std::vector<Settled> settled) -> Status {
          for (Settled& one : settled)
            answers[service * identities + which[one.index]] = std::move(one.answer);
          return {};
        });
    EXPECT_TRUE(done.has_value());
  });
  for (unsigned n = 0; n < identities; ++n) {
    SCOPED_TRACE(n);
    const Answer& one = answers[n];
    const Answer& other = answers[identities + n];
    EXPECT_NE(one.status == Status_::sealed, other.status == Status_::sealed)
        << said(one) << " / " << said(other);
    const Answer& second = one.status == Status_::sealed ? other : one;
    EXPECT_EQ(second.status, n % 2 == 0 ? Status_::already_sealed : Status_::conflict)
        << said(second);
    const unsigned winner = one.status == Status_::sealed ? 0 : 1;
    EXPECT_EQ(here.verdict(side(winner, n)), Verdict::authentic);
    EXPECT_EQ(there.verdict(side(winner, n)), Verdict::authentic);
  }
  EXPECT_EQ(here.store().count().value(), identities);
}

TEST_F(TwoServices, wait_for_an_identity_until_its_seal_is_in_the_store) {
  Bench here{home(), &shared_};
  Bench there{home(), &shared_};
  Gate asked;
  std::atomic<unsigned> asks = 0;
  there.probed_store->before = [&](StoreStep step) -> Status {
    if (step == StoreStep::reserve && ++asks == 2)
      asked.open();  // it was taken, and is asked again
    return {};
  };
  Gate claimed;
  here.recorder->before = [&]() -> Status {
    claimed.open();
    asked.pass();
    return {};
  };
  Answer first, second, third;
  {
    const std::jthread one{
        [&] { first = here.service().seal(object_in_memory(image("1.2.3", 1), "one")); }};
    claimed.pass();
    const std::jthread two{
        [&] { second = there.service().seal(object_in_memory(image("1.2.3", 2), "two")); }};
    // What nobody has claimed goes on meanwhile.
    asked.pass();
    third = there.service().seal(object_in_memory(image("1.2.4", 3), "three"));
  }
  EXPECT_EQ(first.status, Status_::sealed) << said(first);
  EXPECT_EQ(second.status, Status_::conflict) << said(second);
  EXPECT_EQ(third.status, Status_::sealed) << said(third);
}

TEST_F(TwoServices, go_on_with_an_identity_that_the_other_gave_up) {
  Bench here{home(), &shared_};
  Bench there{home(), &shared_};
  Gate asked;
  std::atomic<unsigned> asks = 0;
  there.probed_store->before = [&](StoreStep step) -> Status {
    if (step == StoreStep::reserve && ++asks == 2) asked.open();
    return {};
  };
  const store::Claim claim{.sop_instance_uid = "1.2.3", .known = 0};
  auto held = here.store().reserve({&claim, 1}, 0);
  ASSERT_EQ((*held)->answers().front(), store::ClaimAnswer::granted);
  Answer answer;
  {
    const std::jthread other{
        [&] { answer = there.service().seal(object_in_memory(image("1.2.3", 2), "two")); }};
    asked.pass();
    held->reset();
  }
  EXPECT_EQ(answer.status, Status_::sealed) << said(answer);
}

TEST_F(TwoServices, do_not_wait_forever) {
  Bench here{home(), &shared_};
  Bench there{home(), &shared_, /*claim_timeout_ms=*/1};
  const store::Claim claim{.sop_instance_uid = "1.2.3", .known = 0};
  const auto held = here.store().reserve({&claim, 1}, 0);
  ASSERT_TRUE(held.has_value());
  Answer answer = there.service().seal(object_in_memory(image("1.2.3", 2), "two"));
  EXPECT_EQ(answer.status, Status_::unavailable);
  EXPECT_EQ(answer.error->code, ErrorCode::busy);
  // A stop ends the wait as well.
  std::stop_source stop;
  here.probed_store->before = [&](StoreStep step) -> Status {
    if (step == StoreStep::reserve) stop.request_stop();
    return {};
  };
  answer = here.service().seal(object_in_memory(image("1.2.3", 2), "two"), stop.get_token());
  EXPECT_EQ(answer.status, Status_::unavailable);
  EXPECT_EQ(answer.error->code, ErrorCode::busy);
  EXPECT_TRUE(here.recorder->rounds.empty());
  EXPECT_EQ(here.store().count().value(), 0U);
}

/// What fails once, in the second round.
struct Fault {
  const char* name;
  std::function<void(Bench&)> arm;
  bool entered = false;  // the ledger has the entry, though nobody knows
};

TEST_F(Sealing, that_fails_in_the_middle_writes_nothing_and_can_be_tried_again) {
  const Error broken = fail(ErrorCode::io_unwritable, "broken for a test").error();
  const auto store_fails_at = [broken](StoreStep at) {
    return [broken, at](Bench& bench) {
      bench.probed_store->before = [broken, at](StoreStep step) -> Status {
        if (step == at) return std::unexpected(broken);
        return {};
      };
    };
  };
  const std::vector<Fault> faults{
      {"the store does not claim", store_fails_at(StoreStep::reserve)},
      {"the store does not take the mark", store_fails_at(StoreStep::put_mark)},
      {"the ledger does not answer",
       [broken](Bench& bench) {
         bench.recorder->before = [broken]() -> Status { return std::unexpected(broken); };
       }},
      {"the ledger answers with an error",
       [broken](Bench& bench) {
         bench.recorder->after = [broken](ledger::Recorded&) -> Status {
           return std::unexpected(broken);
         };
       },
       true},
      {"the ledger answers for fewer",
       [](Bench& bench) {
         bench.recorder->after = [](ledger::Recorded& recorded) -> Status {
           recorded.entries.clear();
           return {};
         };
       },
       true},
      {"the store does not take the evidence", store_fails_at(StoreStep::put_reserved), true},
  };
  unsigned number = 0;
  std::uint64_t size = 1;
  for (const Fault& fault : faults) {
    SCOPED_TRACE(fault.name);
    const std::string uid = "1.2.3." + std::to_string(++number);
    const std::filesystem::path file = path("in/" + uid);
    std::filesystem::create_directories(file.parent_path());
    const Bytes bytes = image(uid, number);
    ASSERT_TRUE(durable_write(file, bytes).has_value());
    const auto in_its_place = [&] {
      Object object = object_in_file(file);
      object.placement = in_place(file);
      return object;
    };
    {
      Bench bench{home()};
      const std::uint64_t before = bench.store().count().value();
      EXPECT_EQ(bench.service().seal(object_in_memory(image(uid + ".9", 9), "")).status,
                Status_::sealed);
      ++size;
      fault.arm(bench);
      std::vector<Object> objects;
      objects.push_back(in_its_place());
      objects.push_back(object_in_memory(Bytes(200), "no image"));
      objects.push_back(object_in_memory(image(uid + ".9", 9), "known"));
      objects.push_back(object_in_memory(image(uid + ".9", 8), "forged"));
      std::vector<Answer> answers(objects.size());
      ASSERT_TRUE(bench.service()
                      .seal_all(std::move(objects), {},
                                [&](std::vector<Settled> settled) -> Status {
                                  for (Settled& one : settled)
                                    answers[one.index] = std::move(one.answer);
                                  return {};
                                })
                      .has_value());
      EXPECT_EQ(answers[0].status, Status_::unavailable);
      ASSERT_TRUE(answers[0].error.has_value());
      EXPECT_TRUE(answers[0].output.empty());
      // The others have their own answers.
      EXPECT_EQ(answers[1].status, Status_::refused);
      EXPECT_EQ(answers[2].status, Status_::already_sealed);
      EXPECT_EQ(answers[3].status, Status_::conflict);
      EXPECT_EQ(read_file(file, 1 << 20).value(), bytes);
      EXPECT_EQ(bench.store().count().value(), before + 1);
      EXPECT_EQ(bench.verdict(bytes), Verdict::unsealed);
      if (fault.entered) ++size;
      // When it works again, it works again.
      bench.probed_store->before = [](StoreStep) { return Status{}; };
      bench.recorder->before = [] { return Status{}; };
      bench.recorder->after = [](ledger::Recorded&) { return Status{}; };
      const Answer again = bench.service().seal(in_its_place());
      EXPECT_EQ(again.status, Status_::sealed) << said(again);
      EXPECT_EQ(again.ledger_index, size++);
      EXPECT_EQ(bench.verdict(read_file(file, 1 << 20).value()), Verdict::authentic);
      fault.arm(bench);
      static_cast<void>(bench.service().seal(object_in_memory(image(uid + ".8", 7), "last")));
      if (fault.entered) ++size;
    }
    // What was entered and forgotten is known: nothing looks like an old copy of the store.
    EXPECT_EQ(Bench{home()}.store().mark().value().pending > 0, fault.entered || number == 3);
  }
}

TEST_F(Sealing, with_a_store_that_cannot_be_asked_refuses_that_object_alone) {
  Bench bench{home()};
  ASSERT_EQ(bench.service().seal(object_in_memory(image("1.2.3", 1), "a")).status, Status_::sealed);
  // Of what is known, the verifier asks the store for the evidence.
  bench.probed_store->before = [&](StoreStep step) -> Status {
    if (step == StoreStep::find) return fail(ErrorCode::io_unreadable, "broken for a test");
    return {};
  };
  std::vector<Object> objects;
  objects.push_back(object_in_memory(image("1.2.3", 1), "known"));
  objects.push_back(object_in_memory(image("1.2.4", 2), "new"));
  const std::vector<Settled> all = sealed_in_one_call(bench, std::move(objects));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].answer.status, Status_::refused);
  EXPECT_EQ(all[0].answer.error->code, ErrorCode::io_unreadable);
  EXPECT_EQ(all[1].answer.status, Status_::sealed);
}

TEST_F(Sealing, does_not_say_sealed_of_what_would_not_verify) {
  Bench bench{home()};
  // A receipt that was damaged on its way from the ledger.
  bench.recorder->after = [](ledger::Recorded& recorded) -> Status {
    recorded.entries[1].receipt.back() ^= std::byte{1};
    return {};
  };
  std::vector<Object> objects;
  std::vector<Bytes> images;
  for (unsigned n = 0; n < 3; ++n) {
    images.push_back(image("1.2.3." + std::to_string(n), n));
    ASSERT_TRUE(durable_write(path(std::to_string(n)), images[n]).has_value());
    objects.push_back(object_in_file(path(std::to_string(n))));
    objects.back().placement = in_place(path(std::to_string(n)));
  }
  const std::vector<Settled> all = sealed_in_one_call(bench, std::move(objects));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].answer.status, Status_::sealed);
  EXPECT_EQ(all[1].answer.status, Status_::refused);
  ASSERT_TRUE(all[1].answer.error.has_value());
  EXPECT_EQ(all[1].answer.error->where.file, path("1").string());
  EXPECT_EQ(all[2].answer.status, Status_::sealed);
  EXPECT_EQ(read_file(path("1"), 1 << 20).value(), images[1]) << "not written";
  EXPECT_EQ(bench.store().count().value(), 2U);
  EXPECT_EQ(bench.verdict(images[1]), Verdict::unsealed);
}

TEST_F(Sealing, ends_for_good_when_the_ledger_contradicts_itself) {
  Bench bench{home()};
  ASSERT_EQ(bench.service().seal(object_in_memory(image("1.2.3", 1), "a")).status, Status_::sealed);
  bench.recorder->after = [](ledger::Recorded& recorded) -> Status {
    recorded.entries.front().index = 1;  // the place of the first
    return {};
  };
  for (const char* uid : {"1.2.4", "1.2.5"}) {
    const Answer answer = bench.service().seal(object_in_memory(image(uid, 2), uid));
    EXPECT_EQ(answer.status, Status_::unavailable);
    EXPECT_EQ(answer.error->code, ErrorCode::ledger_conflict);
  }
  EXPECT_EQ(bench.recorder->rounds.size(), 2U) << "it was not asked again";
}

TEST_F(Sealing, puts_the_evidence_where_its_owner_wants_it) {
  Bench bench{home()};
  const auto sealed = [&](Object object, std::shared_ptr<Placement> placement) {
    object.placement = std::move(placement);
    return bench.service().seal(std::move(object));
  };
  const auto carries = [&](const Bytes& bytes) {
    const auto file = dicom::File::read(bytes);
    return file.has_value() && evidence::find_embedded(file->data_set()).has_value() &&
           bench.verdict(bytes) == Verdict::authentic;
  };
  // Memory to memory: what a gateway sends on.
  Bytes copy;
  Answer answer = sealed(object_in_memory(image("1.2.1", 1), "a"), handed_over([&](Bytes bytes) {
                           copy = std::move(bytes);
                           return Status{};
                         }));
  EXPECT_EQ(answer.status, Status_::sealed) << said(answer);
  EXPECT_EQ(answer.evidence, EvidencePlace::file);
  EXPECT_TRUE(answer.output.empty());
  EXPECT_TRUE(carries(copy));
  // Memory to a file that is called by its UID.
  answer = sealed(object_in_memory(image("1.2.2", 2), "b"), copy_in(path("out"), "b"));
  EXPECT_EQ(answer.output, path("out/1.2.2.dcm")) << said(answer);
  EXPECT_TRUE(carries(read_file(path("out/1.2.2.dcm"), 1 << 20).value()));
  struct stat info = {};
  ASSERT_EQ(stat(path("out/1.2.2.dcm").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U) << "nobody said who else may read it";
  // File to file.
  const Bytes third = image("1.2.3", 3);
  ASSERT_TRUE(durable_write(path("c.dcm"), third, {.mode = 0640}).has_value());
  answer = sealed(object_in_file(path("c.dcm")), copy_at(path("c.dcm"), path("deep/er/c.dcm")));
  EXPECT_EQ(answer.output, path("deep/er/c.dcm")) << said(answer);
  EXPECT_EQ(read_file(path("c.dcm"), 1 << 20).value(), third);
  EXPECT_TRUE(carries(read_file(path("deep/er/c.dcm"), 1 << 20).value()));
  ASSERT_EQ(stat(path("deep/er/c.dcm").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640U);
  answer = sealed(object_in_file(path("c.dcm")), beside(path("c.dcm")));
  EXPECT_EQ(answer.status, Status_::already_sealed) << said(answer);
  EXPECT_EQ(answer.evidence, EvidencePlace::sidecar);
  EXPECT_TRUE(std::filesystem::exists(path("c.dcm.evidence")));
  answer = sealed(object_in_file(path("c.dcm")), in_place(path("c.dcm")));
  EXPECT_EQ(answer.status, Status_::already_sealed) << said(answer);
  EXPECT_TRUE(carries(read_file(path("c.dcm"), 1 << 20).value()));
}

TEST_F(Sealing, that_cannot_write_says_that_the_seal_is_in_the_store) {
  Bench bench{home()};
  ASSERT_TRUE(durable_write(path("no-folder"), as_bytes("a letter")).has_value());
  for (const bool by_sink : {false, true}) {
    const std::string uid = by_sink ? "1.2.4" : "1.2.3";
    Object object = object_in_memory(image(uid, 1), "a");
    object.placement = by_sink ? handed_over([](const Bytes&) -> Status {
      return fail(ErrorCode::io_unwritable, "nobody listens");
    })
                               : copy_in(path("no-folder/below"), "a");
    const Answer answer = bench.service().seal(std::move(object));
    EXPECT_EQ(answer.status, Status_::unwritten);
    EXPECT_EQ(answer.evidence, EvidencePlace::store);
    EXPECT_EQ(answer.error->code, ErrorCode::io_unwritable) << said(answer);
    EXPECT_TRUE(answer.output.empty());
    EXPECT_EQ(bench.verdict(image(uid, 1)), Verdict::authentic);
  }
}

TEST_F(Sealing, by_threads_that_write_leaves_no_note_behind) {
  constexpr unsigned threads = 8;
  {
    Bench bench{home()};
    run_threads(threads, [&](unsigned n) {
      const std::filesystem::path file = path(std::to_string(n) + ".dcm");
      EXPECT_TRUE(durable_write(file, image("1.2." + std::to_string(n), n)).has_value());
      Object object = object_in_file(file);
      object.placement = in_place(file);
      const Answer answer = bench.service().seal(std::move(object));
      EXPECT_EQ(answer.status, Status_::sealed) << said(answer);
      EXPECT_EQ(bench.verdict(read_file(file, 1 << 20).value()), Verdict::authentic);
    });
  }
  for (const auto& entry : std::filesystem::directory_iterator{home()})
    EXPECT_FALSE(entry.path().filename().string().starts_with("writing")) << entry.path();
  EXPECT_EQ(home::remove_leftovers(home()), 0U);
}

TEST_F(Sealing, after_a_stop_enters_nothing) {
  Bench bench{home()};
  std::stop_source stop;
  stop.request_stop();
  const Answer answer =
      bench.service().seal(object_in_memory(image("1.2.3", 1), "a"), stop.get_token());
  EXPECT_EQ(answer.status, Status_::unavailable);
  EXPECT_EQ(answer.error->code, ErrorCode::busy);
  EXPECT_TRUE(bench.recorder->rounds.empty());
  EXPECT_EQ(bench.store().count().value(), 0U);
}

TEST_F(Sealing, ends_where_the_one_who_is_told_says_so) {
  Bench bench{home()};
  std::vector<Object> objects;
  objects.push_back(object_in_memory(image("1.2.3", 1), "a"));
  objects.push_back(object_in_memory(image("1.2.3", 1), "twin"));
  std::size_t told = 0;
  const Status done =
      bench.service().seal_all(std::move(objects), {}, [&](std::vector<Settled> settled) -> Status {
        told += settled.size();
        return fail(ErrorCode::internal, "enough");
      });
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().what, "enough");
  EXPECT_EQ(told, 1U);
}

}  // namespace
}  // namespace fiducia::sealing
