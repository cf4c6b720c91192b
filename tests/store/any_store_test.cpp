// SPDX-License-Identifier: Apache-2.0
// What every kind of evidence store has to do. Compiled into the test program of each kind.
#include "store/any_store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <numeric>
#include <set>
#include <thread>

#include "crypto/crypto.h"
#include "support/support.h"

namespace fiducia::store::suite {

const Bytes key(32, std::byte{0x42});

Digest digest_of(std::uint64_t number) {
  std::array<std::byte, 8> bytes;
  store_le(bytes.data(), number);
  return crypto::sha256(bytes);
}

Record record_of(std::uint64_t number, std::size_t evidence_bytes) {
  const std::string root = "1.2.826.0.1.3680043.10.1.";
  Record record;
  record.sop_instance_uid = root + std::to_string(number);
  record.study_instance_uid = root + "8." + std::to_string(number / 8);
  record.series_instance_uid = root + "4." + std::to_string(number / 4);
  record.object_root = digest_of(number);
  std::mt19937_64 prng{number};
  for (int i = 0; i < 32; ++i) record.sketch.values.push_back(prng());
  std::sort(record.sketch.values.begin(), record.sketch.values.end());
  record.sketch.textured_tiles = 64;
  record.evidence = test::random_bytes(prng, evidence_bytes);
  record.ledger_index = number;
  return record;
}

namespace {

using Evidences = std::vector<Bytes>;
using Answers = std::vector<ClaimAnswer>;

Claim claim_of(std::uint64_t number, std::uint64_t known = 0) {
  return {.sop_instance_uid = record_of(number, 0).sop_instance_uid, .known = known};
}

/// Runs `work` in a process of its own, which is killed once it has written a byte, or ends.
class Child {
 public:
  template <class Work>
  explicit Child(const Work& work) {
    EXPECT_EQ(::pipe(channel_.data()), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(channel_[0]);
      work(channel_[1]);
      ::_exit(0);
    }
    ::close(channel_[1]);
  }
  ~Child() {
    if (pid_ > 0) kill();
    ::close(channel_[0]);
  }
  /// Waits for `number`s that the child writes; false at its end.
  bool read(std::uint64_t& number) const {
    return ::read(channel_[0], &number, sizeof number) == ssize_t{sizeof number};
  }
  /// The status that waitpid gives.
  int wait() {
    int status = 0;
    EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
    pid_ = -1;
    return status;
  }
  int kill() {
    ::kill(pid_, SIGKILL);
    return wait();
  }

 private:
  std::array<int, 2> channel_{};
  pid_t pid_ = -1;
};

void tell(int to, std::uint64_t number) {
  if (::write(to, &number, sizeof number) != ssize_t{sizeof number}) ::_exit(3);
}

TEST_P(AnyStore, finds_what_was_put_by_instance_root_and_sketch) {
  const auto store = open();
  const std::vector<Record> records{record_of(1), record_of(2), record_of(3)};
  ASSERT_TRUE(store->put(records).has_value());
  EXPECT_EQ(store->count().value(), 3u);
  for (const Record& record : records) {
    EXPECT_EQ(store->find_by_instance(record.sop_instance_uid).value(), Evidences{record.evidence});
    EXPECT_EQ(store->find_by_root(record.object_root).value(), record.evidence);
    EXPECT_EQ(store->find_by_sketch(record.sketch).value(), Evidences{record.evidence});
  }
}

TEST_P(AnyStore, finds_nothing_that_was_not_put) {
  const auto store = open();
  ASSERT_TRUE(store->put(std::vector{record_of(1)}).has_value());
  const Record other = record_of(2);
  EXPECT_TRUE(store->find_by_instance(other.sop_instance_uid).value().empty());
  EXPECT_FALSE(store->find_by_root(other.object_root).value().has_value());
  EXPECT_TRUE(store->find_by_sketch(other.sketch).value().empty());
  EXPECT_TRUE(store->find_by_sketch({}).value().empty());
}

TEST_P(AnyStore, keeps_its_records_when_opened_again) {
  const Record record = record_of(7);
  ASSERT_TRUE(open()->put(std::vector{record}).has_value());
  for (const bool read_only : {false, true}) {
    SCOPED_TRACE(read_only);
    EXPECT_EQ(open(read_only)->find_by_root(record.object_root).value(), record.evidence);
  }
}

TEST_P(AnyStore, gives_the_newest_evidence_of_an_instance_first) {
  const auto store = open();
  Record first = record_of(1), second = record_of(2), third = record_of(3);
  second.sop_instance_uid = third.sop_instance_uid = first.sop_instance_uid;
  ASSERT_TRUE(store->put(std::vector{first, second}).has_value());
  ASSERT_TRUE(store->put(std::vector{third}).has_value());
  EXPECT_EQ(store->find_by_instance(first.sop_instance_uid).value(),
            (Evidences{third.evidence, second.evidence, first.evidence}));
}

TEST_P(AnyStore, leaves_an_object_root_that_is_there_as_it_is) {
  const auto store = open();
  const Record original = record_of(1);
  Record again = record_of(2);
  again.object_root = original.object_root;
  ASSERT_TRUE(store->put(std::vector{original}).has_value());
  // In the same transaction with a new one, and twice in one transaction.
  ASSERT_TRUE(store->put(std::vector{again, record_of(3), again}).has_value());
  EXPECT_EQ(store->count().value(), 2u);
  EXPECT_EQ(store->find_by_root(original.object_root).value(), original.evidence);
  EXPECT_TRUE(store->find_by_instance(again.sop_instance_uid).value().empty());
  EXPECT_TRUE(store->find_by_sketch(again.sketch).value().empty())
      << "a refused record must leave no sketch values behind";
}

TEST_P(AnyStore, puts_all_records_of_a_call_or_none) {
  const auto store = open();
  std::vector<Record> records{record_of(1), record_of(2)};
  records[1].evidence.resize(limits::evidence_bytes_max + 1);
  const Status refused = store->put(records);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::over_limit);
  EXPECT_EQ(store->count().value(), 0u);
}

TEST_P(AnyStore, finds_nothing_under_another_key) {
  const Record record = record_of(1);
  ASSERT_TRUE(open()->put(std::vector{record}).has_value());
  const Bytes other_key(32, std::byte{0x43});
  const auto store = open(false, other_key);
  EXPECT_TRUE(store->find_by_instance(record.sop_instance_uid).value().empty());
}

TEST_P(AnyStore, finds_an_instance_with_and_without_its_padding) {
  const auto store = open();
  const Record record = record_of(1);
  ASSERT_TRUE(store->put(std::vector{record}).has_value());
  EXPECT_EQ(store->find_by_instance(record.sop_instance_uid + '\0').value().size(), 1u);
  EXPECT_TRUE(store->find_by_instance(record.sop_instance_uid + '1').value().empty());
}

TEST_P(AnyStore, an_object_without_uid_is_found_by_root_only) {
  const auto store = open();
  Record record = record_of(1);
  record.sop_instance_uid.clear();
  ASSERT_TRUE(store->put(std::vector{record}).has_value());
  EXPECT_TRUE(store->find_by_instance("").value().empty());
  EXPECT_EQ(store->find_by_root(record.object_root).value(), record.evidence);
}

TEST_P(AnyStore, remembers_what_it_is_and_what_it_knew) {
  std::array<std::byte, 16> id{};
  {
    const auto store = open();
    id = store->identity()->id;
    EXPECT_TRUE(store->identity()->key_fits);
    EXPECT_FALSE(store->identity()->emptied);
    EXPECT_EQ(store->mark()->tree_size, 0U);
    const HomeMark mark{
        .tree_size = 7, .root = digest_of(1), .pending = 3, .trust_serial = 1ULL << 63};
    ASSERT_TRUE(store->put(std::vector{record_of(1)}, &mark).has_value());
  }
  const auto again = open();
  EXPECT_EQ(again->identity()->id, id);
  EXPECT_EQ(again->mark()->tree_size, 7U);
  EXPECT_EQ(again->mark()->root, digest_of(1));
  EXPECT_EQ(again->mark()->pending, 3U);
  EXPECT_EQ(again->mark()->trust_serial, 1ULL << 63);
  EXPECT_TRUE(again->check()->ok());
  EXPECT_FALSE(open(false, Bytes(32, std::byte{1}))->identity()->key_fits);
}

TEST_P(AnyStore, holds_small_and_large_evidence) {
  const auto store = open();
  const Record empty = record_of(1, 1);
  const Record large = record_of(2, 40 << 20);
  ASSERT_TRUE(store->put(std::vector{empty, large}).has_value());
  EXPECT_EQ(store->find_by_root(empty.object_root).value(), empty.evidence);
  EXPECT_EQ(store->find_by_root(large.object_root).value(), large.evidence);
}

TEST_P(AnyStore, ranks_candidates_by_what_they_share_and_gives_at_most_four) {
  const auto store = open();
  const Record query = record_of(1000);
  std::vector<Record> records;
  for (std::size_t i = 0; i < 8; ++i) {
    Record record = record_of(i);
    // Record i shares 3 * (i + 1) values.
    std::copy_n(query.sketch.values.begin(), 3 * (i + 1), record.sketch.values.begin());
    std::sort(record.sketch.values.begin(), record.sketch.values.end());
    records.push_back(record);
  }
  std::shuffle(records.begin(), records.end(), std::mt19937_64{1});
  ASSERT_TRUE(store->put(records).has_value());
  EXPECT_EQ(store->find_by_sketch(query.sketch).value(),
            (Evidences{record_of(7).evidence, record_of(6).evidence, record_of(5).evidence,
                       record_of(4).evidence}));
}

TEST_P(AnyStore, of_equals_prefers_the_one_with_as_many_textured_tiles) {
  const auto store = open();
  Record small = record_of(1), same = record_of(2), large = record_of(3);
  small.sketch.values = large.sketch.values = same.sketch.values;
  small.sketch.textured_tiles = 10;
  large.sketch.textured_tiles = 6400;
  ASSERT_TRUE(store->put(std::vector{small, same, large}).has_value());
  const auto found = store->find_by_sketch(same.sketch).value();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0], same.evidence);
  EXPECT_EQ(found[1], small.evidence);
}

TEST_P(AnyStore, ignores_values_that_many_objects_share) {
  const auto store = open();
  // A screen: 31 values of its frame in every object, one value of its own.
  const std::vector<std::uint64_t> frame = record_of(5000).sketch.values;
  std::vector<Record> records;
  for (std::uint64_t i = 0; i < 70; ++i) {
    Record record = record_of(i);
    const std::uint64_t own = record.sketch.values.front();
    record.sketch.values = frame;
    record.sketch.values.back() = own;
    std::sort(record.sketch.values.begin(), record.sketch.values.end());
    records.push_back(record);
  }
  ASSERT_TRUE(store->put(std::span{records}.first(64)).has_value());
  EXPECT_EQ(store->find_by_sketch({.values = frame, .textured_tiles = 64}).value().size(), 4u)
      << "64 objects are still few";
  ASSERT_TRUE(store->put(std::span{records}.subspan(64)).has_value());
  std::vector<std::uint64_t> screen = frame;  // a quarter of it is an image of its own
  for (std::size_t i = 0; i < screen.size(); i += 4) screen[i] ^= 1;
  std::sort(screen.begin(), screen.end());
  EXPECT_TRUE(store->find_by_sketch({.values = screen, .textured_tiles = 64}).value().empty());
  EXPECT_EQ(store->find_by_sketch(records[5].sketch).value().front(), records[5].evidence)
      << "its own value is enough";
}

TEST_P(AnyStore, finds_an_image_although_many_copies_of_it_were_sealed) {
  const auto store = open();
  const Record image = record_of(1);
  std::vector<Record> records{image};
  for (std::uint64_t i = 2; i < 72; ++i) {
    Record copy = record_of(i);
    copy.sketch = image.sketch;
    records.push_back(copy);
  }
  ASSERT_TRUE(store->put(records).has_value());
  canonical::Sketch altered = image.sketch;
  altered.values.back() -= 1;
  const auto found = store->find_by_sketch(altered).value();
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found.front(), image.evidence) << "the first one sealed";
}

TEST_P(AnyStore, serves_readers_and_writers_at_the_same_time) {
  const auto store = open();
  constexpr std::uint64_t per_writer = 60;
  std::atomic<std::uint64_t> wrong{0};
  std::atomic<std::uint64_t> done_up_to[2] = {0, 0};
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t writer = 0; writer < 2; ++writer)
      threads.emplace_back([&, writer] {
        for (std::uint64_t i = 1; i <= per_writer; ++i) {
          if (!store->put(std::vector{record_of(writer * 1000 + i)})) ++wrong;
          done_up_to[writer] = i;
        }
      });
    for (std::uint64_t reader = 0; reader < 4; ++reader)
      threads.emplace_back([&, reader] {
        std::mt19937_64 prng{reader};
        while (done_up_to[0] + done_up_to[1] < 2 * per_writer && wrong == 0) {
          const std::uint64_t writer = prng() % 2;
          const std::uint64_t known = done_up_to[writer];
          if (known == 0) continue;
          const Record record = record_of(writer * 1000 + 1 + prng() % known);
          const auto by_root = store->find_by_root(record.object_root);
          const auto by_instance = store->find_by_instance(record.sop_instance_uid);
          const auto by_sketch = store->find_by_sketch(record.sketch);
          if (!by_root || *by_root != record.evidence) ++wrong;
          if (!by_instance || *by_instance != Evidences{record.evidence}) ++wrong;
          if (!by_sketch || *by_sketch != Evidences{record.evidence}) ++wrong;
        }
      });
  }
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(store->count().value(), 2 * per_writer);
}

TEST_P(AnyStore, refuses_a_key_that_is_not_32_bytes) {
  for (const std::size_t size : {0u, 31u, 33u}) {
    const auto store = backend_->open(false, Bytes(size));
    ASSERT_FALSE(store.has_value());
    EXPECT_EQ(store.error().code, ErrorCode::config_invalid);
  }
}

TEST_P(AnyStore, opened_for_reading_only_refuses_to_write) {
  ASSERT_TRUE(open()->put(std::vector{record_of(1)}).has_value());
  const auto store = open(true);
  const Status refused = store->put(std::vector{record_of(2)});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::io_unwritable);
  EXPECT_EQ(store->count().value(), 1u);
}

TEST_P(AnyStore, notices_that_it_was_emptied) {
  ASSERT_TRUE(open()->put(std::vector{record_of(1), record_of(2)}).has_value());
  backend_->remove(digest_of(1));
  EXPECT_FALSE(open()->check()->ok()) << "one is missing";
  EXPECT_FALSE(open()->identity()->emptied);
  backend_->remove_all();
  const auto store = open();
  EXPECT_TRUE(store->identity()->emptied);
  ASSERT_TRUE(store->accept({}).has_value());
  EXPECT_FALSE(store->identity()->emptied);
  EXPECT_TRUE(store->check()->ok());
}

// Whatever part of a record is damaged: it is found as damaged, and named.
TEST_P(AnyStore, finds_a_damaged_record_as_empty) {
  const auto store = open();
  std::uint64_t number = 1;
  std::set<Digest> damaged;
  for (const char* column :
       {"evidence", "ledger_index", "textured_tiles", "digest", "study", "series"}) {
    SCOPED_TRACE(column);
    const Record record = record_of(number++), other = record_of(number++);
    ASSERT_TRUE(store->put(std::vector{record, other}).has_value());
    backend_->damage(record.object_root, column);
    damaged.insert(record.object_root);
    EXPECT_EQ(store->find_by_instance(record.sop_instance_uid).value(), Evidences{Bytes{}});
    EXPECT_EQ(store->find_by_sketch(record.sketch).value(), Evidences{Bytes{}});
    EXPECT_EQ(store->find_by_root(record.object_root).error().code, ErrorCode::store_damaged);
    EXPECT_EQ(store->find_by_instance(other.sop_instance_uid).value(), Evidences{other.evidence});
    const auto check = store->check();
    ASSERT_TRUE(check.has_value()) << to_sentence(check.error());
    EXPECT_FALSE(check->ok());
    EXPECT_EQ(std::set(check->damaged.begin(), check->damaged.end()), damaged);
  }
}

// --- listing ------------------------------------------------------------------------------------

/// All pages of a listing, `page` objects each.
std::vector<ListedObject> list_all(EvidenceStore& store, ListQuery query, std::size_t page) {
  std::vector<ListedObject> all;
  query.objects_max = page;
  do {
    const auto found = store.list(query);
    EXPECT_TRUE(found.has_value()) << to_sentence(found.error());
    if (!found) break;
    EXPECT_LE(found->objects.size(), page);
    all.insert(all.end(), found->objects.begin(), found->objects.end());
    query.after = found->next;
  } while (!query.after.empty());
  return all;
}

std::set<std::uint64_t> indexes_of(const std::vector<ListedObject>& objects) {
  std::set<std::uint64_t> indexes;
  for (const ListedObject& object : objects) {
    EXPECT_TRUE(indexes.insert(object.ledger_index).second) << "listed twice";
    EXPECT_EQ(object.object_root, digest_of(object.ledger_index));
  }
  return indexes;
}

TEST_P(AnyStore, lists_by_study_and_series_in_pages) {
  const auto store = open();
  std::vector<Record> records;
  for (std::uint64_t i = 0; i < 32; ++i) records.push_back(record_of(i, 20));
  std::shuffle(records.begin(), records.end(), std::mt19937_64{1});
  Record bare = record_of(32, 20);
  bare.study_instance_uid = bare.series_instance_uid = bare.sop_instance_uid = "";
  records.push_back(bare);
  ASSERT_TRUE(store->put(records).has_value());
  const Record asked = record_of(12);
  for (const std::size_t page : {1u, 3u, 8u, 1000u}) {
    SCOPED_TRACE(page);
    EXPECT_EQ(indexes_of(list_all(*store, {}, page)).size(), 33u);
    EXPECT_EQ(
        indexes_of(list_all(*store, {.study_instance_uid = asked.study_instance_uid + '\0'}, page)),
        (std::set<std::uint64_t>{8, 9, 10, 11, 12, 13, 14, 15}));
    const auto series = list_all(*store, {.series_instance_uid = asked.series_instance_uid}, page);
    EXPECT_EQ(indexes_of(series), (std::set<std::uint64_t>{12, 13, 14, 15}));
    EXPECT_EQ(indexes_of(list_all(*store,
                                  {.study_instance_uid = asked.study_instance_uid,
                                   .series_instance_uid = asked.series_instance_uid},
                                  page)),
              indexes_of(series));
    EXPECT_TRUE(list_all(*store,
                         {.study_instance_uid = record_of(0).study_instance_uid,
                          .series_instance_uid = asked.series_instance_uid},
                         page)
                    .empty())
        << "a series of another study";
    EXPECT_TRUE(list_all(*store, {.study_instance_uid = "1.2.3"}, page).empty());
    // A UID has another hash as another thing.
    EXPECT_TRUE(list_all(*store, {.study_instance_uid = asked.series_instance_uid}, page).empty());
    EXPECT_EQ(series.front().study, series.back().study);
    EXPECT_EQ(series.front().series, series.back().series);
    EXPECT_NE(series.front().study, series.front().series);
    EXPECT_NE(series.front().instance, series.back().instance);
    EXPECT_EQ(series.front().instance.size(), 16u);
  }
}

TEST_P(AnyStore, refuses_a_listing_that_cannot_go_on) {
  const auto store = open();
  for (const char* after :
       {"x", "-", "1", "-1-", "1-0", "1-zz", "99999999999999999999-", "1-00", " 1-"}) {
    SCOPED_TRACE(after);
    EXPECT_EQ(store->list({.after = after}).error().code, ErrorCode::usage_invalid);
  }
  EXPECT_EQ(store->list({.objects_max = 0}).error().code, ErrorCode::usage_invalid);
  EXPECT_TRUE(store->list({.objects_max = limits::store_page_objects_max}).has_value());
  EXPECT_EQ(store->list({.objects_max = limits::store_page_objects_max + 1}).error().code,
            ErrorCode::usage_invalid);
}

// --- claims -------------------------------------------------------------------------------------

TEST_P(AnyStore, keeps_an_identity_for_one_of_two) {
  const auto one = open(), other = open();
  for (EvidenceStore* second : {one.get(), other.get()}) {
    auto held = one->reserve(std::vector{claim_of(1), claim_of(2)}, 0).value();
    EXPECT_EQ(held->answers(), (Answers{ClaimAnswer::granted, ClaimAnswer::granted}));
    const auto late = second->reserve(std::vector{claim_of(2), claim_of(3)}, 0).value();
    EXPECT_EQ(late->answers(), (Answers{ClaimAnswer::taken, ClaimAnswer::granted}));
    held.reset();
    EXPECT_EQ(second->reserve(std::vector{claim_of(1), claim_of(2)}, 0).value()->answers(),
              (Answers{ClaimAnswer::granted, ClaimAnswer::granted}));
  }
}

TEST_P(AnyStore, says_that_an_identity_was_sealed_meanwhile) {
  const auto one = open(), other = open();
  auto held = one->reserve(std::vector{claim_of(1)}, 0).value();
  ASSERT_TRUE(held->put(std::vector{record_of(1)}, nullptr).has_value());
  // Given back by `put`: what the other judged before is out of date.
  EXPECT_EQ(other->reserve(std::vector{claim_of(1)}, 0).value()->answers(),
            Answers{ClaimAnswer::changed});
  EXPECT_EQ(other->count_by_instance(claim_of(1).sop_instance_uid).value(), 1u);
  EXPECT_EQ(other->reserve(std::vector{claim_of(1, 1)}, 0).value()->answers(),
            Answers{ClaimAnswer::granted});
  EXPECT_FALSE(held->put(std::vector{record_of(2)}, nullptr).has_value()) << "it has ended";
  EXPECT_EQ(one->count().value(), 1u);
}

TEST_P(AnyStore, grants_what_has_no_identity_to_everybody) {
  const auto store = open();
  const std::vector<Claim> nobody(2);
  const auto held = store->reserve(nobody, 0).value();
  EXPECT_EQ(held->answers(), (Answers{ClaimAnswer::granted, ClaimAnswer::granted}));
  EXPECT_EQ(store->reserve(nobody, 0).value()->answers(), held->answers());
  EXPECT_TRUE(store->reserve({}, 0).value()->answers().empty());
}

TEST_P(AnyStore, takes_so_many_claims_and_no_more) {
  const auto store = open();
  std::vector<Claim> claims;
  for (std::uint64_t i = 0; i < limits::store_claims_max; ++i) claims.push_back(claim_of(i));
  const auto held = store->reserve(claims, 0);
  ASSERT_TRUE(held.has_value()) << to_sentence(held.error());
  EXPECT_EQ((*held)->answers(), Answers(claims.size(), ClaimAnswer::granted));
  claims.push_back(claim_of(claims.size()));
  EXPECT_EQ(store->reserve(claims, 0).error().code, ErrorCode::usage_invalid);
}

TEST_P(AnyStore, waits_for_an_identity_until_it_is_free) {
  const auto one = open(), other = open();
  for (EvidenceStore* second : {one.get(), other.get()}) {
    auto held = one->reserve(std::vector{claim_of(1)}, 0).value();
    std::atomic<bool> waiting{false};
    Answers answers;
    std::jthread waiter{[&] {
      waiting = true;
      waiting.notify_one();
      if (const auto mine = second->reserve(std::vector{claim_of(1)}, 60'000))
        answers = (*mine)->answers();
    }};
    waiting.wait(false);
    held.reset();
    waiter.join();
    EXPECT_EQ(answers, Answers{ClaimAnswer::granted});
  }
  const auto held = one->reserve(std::vector{claim_of(1)}, 0).value();
  EXPECT_EQ(other->reserve(std::vector{claim_of(1)}, 30).value()->answers(),
            Answers{ClaimAnswer::taken})
      << "and not for ever";
}

TEST_P(AnyStore, a_killed_process_keeps_no_identity) {
  static_cast<void>(open());
  for (const bool began_to_put : {false, true}) {
    Child child{[&](int to) {
      const auto store = backend_->open(false, key);
      auto held =
          store ? (*store)->reserve(std::vector{claim_of(1)}, 0) : std::unexpected(store.error());
      if (!held || (*held)->answers().front() != ClaimAnswer::granted) ::_exit(2);
      tell(to, 1);
      if (began_to_put) {
        static_cast<void>((*held)->put(std::vector{record_of(1, 100 << 20)}, nullptr));
        tell(to, 2);
      }
      ::pause();
    }};
    std::uint64_t told = 0;
    ASSERT_TRUE(child.read(told)) << "the child ended with " << WEXITSTATUS(child.wait());
    const auto store = open();
    if (!began_to_put) {
      EXPECT_EQ(store->reserve(std::vector{claim_of(1)}, 0).value()->answers(),
                Answers{ClaimAnswer::taken});
    }
    ASSERT_TRUE(WIFSIGNALED(child.kill()));
    const std::uint64_t known = store->count_by_instance(claim_of(1).sop_instance_uid).value();
    const auto mine = store->reserve(std::vector{claim_of(1, known)}, 60'000);
    ASSERT_TRUE(mine.has_value()) << to_sentence(mine.error());
    EXPECT_EQ((*mine)->answers(), Answers{ClaimAnswer::granted});
    EXPECT_LE(store->count().value(), 1u);
  }
}

// Processes race for the same identities, each with content of its own; some are killed. What is
// stored in the end is one object for each identity, and nobody who lost has put anything.
TEST_P(AnyStore, of_many_processes_one_seals_an_identity) {
  constexpr std::uint64_t processes = 4;
  constexpr std::uint64_t identities = 40;
  static_cast<void>(open());
  std::vector<std::unique_ptr<Child>> children;
  for (std::uint64_t process = 0; process < processes; ++process)
    children.push_back(std::make_unique<Child>([&, process](int to) {
      const auto store = backend_->open(false, key);
      if (!store) ::_exit(2);
      std::mt19937_64 prng{process};
      std::uint64_t won = 0;
      for (std::uint64_t first = 0; first < identities; first += 5) {
        std::vector<std::uint64_t> numbers(5);
        std::iota(numbers.begin(), numbers.end(), first);
        std::shuffle(numbers.begin(), numbers.end(), prng);
        std::vector<Claim> claims;
        for (const std::uint64_t number : numbers) claims.push_back(claim_of(number));
        const auto held = (*store)->reserve(claims, 10'000);
        if (!held) ::_exit(4);
        std::vector<Record> records;
        for (std::size_t i = 0; i < claims.size(); ++i) {
          if ((*held)->answers()[i] != ClaimAnswer::granted) continue;
          records.push_back(record_of(numbers[i] + 1000 * (process + 1)));
          records.back().sop_instance_uid = claims[i].sop_instance_uid;
        }
        if (!(*held)->put(records, nullptr)) ::_exit(5);
        won += records.size();
      }
      tell(to, won);
    }));
  std::uint64_t won = 0;
  for (const auto& child : children) {
    std::uint64_t count = 0;
    if (child->read(count)) won += count;
    EXPECT_EQ(child->wait(), 0);
  }
  const auto store = open();
  EXPECT_EQ(won, identities);
  EXPECT_EQ(store->count().value(), identities);
  for (std::uint64_t i = 0; i < identities; ++i)
    EXPECT_EQ(store->find_by_instance(claim_of(i).sop_instance_uid)->size(), 1u);
  EXPECT_TRUE(store->check()->ok());
}

// --- durability ---------------------------------------------------------------------------------

TEST_P(AnyStore, keeps_every_acknowledged_record_when_killed) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  static_cast<void>(open());
  std::uint64_t next = 1;  // records below are acknowledged or were tried
  std::vector<std::uint64_t> acknowledged;
  const int rounds = test::draws(backend_->kill_rounds());
  for (int round = 0; round < rounds; ++round) {
    Child child{[&](int to) {
      auto store = backend_->open(false, key);
      if (!store) ::_exit(1);
      for (std::uint64_t number = next;; number += 3) {
        const std::vector<Record> batch{record_of(number, 6000), record_of(number + 1, 100),
                                        record_of(number + 2, 20000)};
        if (!(*store)->put(batch)) ::_exit(2);
        tell(to, number);
      }
    }};
    std::uint64_t last = 0;
    // Killed after a few acknowledgements, at a point that varies.
    const std::uint64_t wanted = prng() % 12;
    for (std::uint64_t i = 0; i < wanted; ++i) ASSERT_TRUE(child.read(last));
    ::usleep(static_cast<useconds_t>(prng() % 2000));
    const int status = child.kill();
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    for (std::uint64_t number = 0; child.read(number);) last = number;

    const auto store = open();
    ASSERT_NE(store, nullptr);
    if (last != 0)
      for (std::uint64_t n = next; n <= last; n += 3) acknowledged.push_back(n);
    for (const std::uint64_t n : acknowledged) {
      ASSERT_EQ(store->find_by_root(digest_of(n)).value(), record_of(n, 6000).evidence);
      ASSERT_EQ(store->find_by_instance(record_of(n + 1).sop_instance_uid).value().size(), 1u);
      ASSERT_EQ(store->find_by_sketch(record_of(n + 2, 20000).sketch).value(),
                Evidences{record_of(n + 2, 20000).evidence});
    }
    // What was under way is there as a whole or not at all. Waited for: a database may only now
    // notice that its client is gone.
    const std::uint64_t open_batch = last == 0 ? next : last + 3;
    const std::vector<Claim> claims{claim_of(open_batch, 0)};
    static_cast<void>(store->reserve(claims, 60'000));
    const bool first_is_there = store->find_by_root(digest_of(open_batch)).value().has_value();
    const bool last_is_there = store->find_by_root(digest_of(open_batch + 2)).value().has_value();
    EXPECT_EQ(first_is_there, last_is_there);
    next = open_batch + 6;
  }
  EXPECT_GE(acknowledged.size(), static_cast<std::size_t>(rounds));
  EXPECT_TRUE(open()->check()->ok());
}

TEST_P(AnyStore, is_made_once_when_many_open_it_at_the_same_time) {
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < 6; ++i)
      threads.emplace_back([&, i] {
        const auto store = backend_->open(false, key);
        EXPECT_TRUE(store.has_value()) << to_sentence(store.error());
        if (!store) return;
        const Status put = (*store)->put(std::vector{record_of(i)});
        EXPECT_TRUE(put.has_value()) << to_sentence(put.error());
      });
  }
  EXPECT_EQ(open()->count().value(), 6u);
}

}  // namespace
}  // namespace fiducia::store::suite
