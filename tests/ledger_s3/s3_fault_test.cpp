// SPDX-License-Identifier: Apache-2.0
// A network and a server that fail at the n-th request, n = 1, 2, ... until none is hit any more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "s3_support.h"

namespace fiducia::ledger_s3::test {
namespace {

using fiducia::test::Fault;
using fiducia::test::fault_name;
using fiducia::test::FaultProxy;
using ledger::Existing;
using ledger::NewObject;

NewObject tile(unsigned index, std::string_view text) {
  return {.path = ledger_format::tile_path({.level = 0, .index = index}),
          .content = bytes_of(text)};
}

/// What a log does in two rounds, and a reader after it.
std::string work(S3Store& store) {
  const std::vector<NewObject> first{tile(0, "zero"), tile(1, "one")};
  const std::vector<NewObject> second{
      tile(1, "one"), tile(2, "two"), {.path = "tile/0/003.p/7", .content = bytes_of("partial")}};
  const std::vector<std::string> gone{"tile/0/003.p/7"};
  for (const Status& status :
       {store.create(first, Existing::refuse), store.replace("checkpoint", as_bytes("size 1")),
        store.create(second, Existing::refuse), store.replace("checkpoint", as_bytes("size 2")),
        store.remove(gone), store.sync()})
    if (!status) return to_sentence(status.error());
  return read_text(store, "tile/0/000") + " " + read_text(store, "tile/0/001") + " " +
         read_text(store, "tile/0/002") + " " + read_text(store, "tile/0/003.p/7") + " " +
         read_text(store, "checkpoint");
}
const std::string worked = "zero one two (none) size 2";

class S3Fault : public ::testing::TestWithParam<std::tuple<Fault, bool>> {};
INSTANTIATE_TEST_SUITE_P(All, S3Fault,
                         ::testing::Combine(::testing::ValuesIn(fiducia::test::passing_faults()),
                                            ::testing::Bool()),
                         [](const auto& row) {
                           std::string name = fault_name(std::get<0>(row.param));
                           std::ranges::replace(name, ' ', '_');
                           return name + (std::get<1>(row.param) ? "_with_lock" : "_plain");
                         });

TEST_P(S3Fault, at_any_request_changes_nothing_of_what_comes_out) {
  const auto [fault, with_lock] = GetParam();
  FaultProxy proxy{gateway().endpoint};
  const std::string bucket = new_bucket(with_lock);
  const auto taken = fiducia::test::sample(3, 3);
  std::uint64_t total = 0;
  for (std::uint64_t struck = 0; struck <= total; ++struck) {  // 0: none, to count the requests
    if (struck > 0 && !taken.takes(struck - 1, total)) continue;
    SCOPED_TRACE("request " + std::to_string(struck));
    S3Options options = options_for(bucket, proxy.endpoint());
    options.prefix = "round-" + std::to_string(struck);
    options.lock_days = with_lock ? 1 : 0;
    options.parallel_max = 1;  // so that the n-th request is the same one each time
    const auto store = open_store(options);
    proxy.plan(struck > 0 ? fault : Fault::none, struck);
    ASSERT_EQ(work(*store), worked);
    if (struck == 0) total = proxy.requests();
    ASSERT_EQ(proxy.spoilt(), struck > 0 ? 1U : 0U);
    // Past the proxy: it is in the bucket, not only in an answer.
    options.endpoint = gateway().endpoint;
    const auto direct = open_store(options);
    for (const auto& [path, text] :
         {std::pair{"tile/0/000", "zero"}, std::pair{"tile/0/002", "two"},
          std::pair{"tile/0/003.p/7", "(none)"}, std::pair{"checkpoint", "size 2"}})
      ASSERT_EQ(read_text(*direct, path), text) << path;
  }
  // The whole work is some twenty requests, and each has its turn.
  EXPECT_GT(total, 12U);
  EXPECT_LT(total, 200U);
}

TEST_P(S3Fault, that_lasts_is_told_and_does_no_harm) {
  const auto [fault, with_lock] = GetParam();
  FaultProxy proxy{gateway().endpoint};
  S3Options options = options_for(new_bucket(with_lock), proxy.endpoint());
  const auto store = open_store(options);
  const std::vector<NewObject> before{tile(0, "zero")};
  ASSERT_EQ(sentence(store->create(before, Existing::refuse)), "");
  ASSERT_EQ(sentence(store->replace("checkpoint", as_bytes("size 1"))), "");

  std::vector<std::chrono::milliseconds> pauses;
  options.pause = [&](std::chrono::milliseconds time) { pauses.push_back(time); };
  const auto struck = open_store(options);
  proxy.plan(fault, 1, 1'000'000);
  const auto read = struck->read("tile/0/000", 100);
  // Damage that is the same each time cannot be told from a damaged object; all else is.
  const bool is_read = fault == Fault::corrupt_reply;
  ASSERT_EQ(read.has_value(), is_read);
  if (!is_read) {
    EXPECT_EQ(read.error().code, ErrorCode::io_unreadable);
    EXPECT_EQ(read.error().where.file, struck->name_of("tile/0/000"));
    EXPECT_THAT(to_sentence(read.error()), ::testing::HasSubstr("tried 7 times"));
    EXPECT_EQ(proxy.requests(), options.attempts_max);
    EXPECT_EQ(pauses.size(), options.attempts_max - 1);
    for (std::size_t i = 0; i < pauses.size(); ++i) {
      EXPECT_GE(pauses[i].count(), 1);
      EXPECT_LE(pauses[i].count(), limits::s3_backoff_first_ms << i);
    }
    const std::vector<NewObject> after{tile(1, "one")};
    const auto created = struck->create(after, Existing::refuse);
    ASSERT_FALSE(created.has_value());
    EXPECT_EQ(created.error().code, ErrorCode::io_unwritable);
    const auto replaced = struck->replace("checkpoint", as_bytes("size 2"));
    ASSERT_FALSE(replaced.has_value());
    EXPECT_EQ(replaced.error().code, ErrorCode::io_unwritable);
  }
  // When it is over, the same store goes on.
  proxy.plan(Fault::none, 0);
  EXPECT_EQ(read_text(*struck, "tile/0/000"), "zero");
  const std::vector<NewObject> again{tile(0, "zero"), tile(1, "one")};
  EXPECT_EQ(sentence(struck->create(again, Existing::refuse)), "");
  EXPECT_EQ(sentence(struck->replace("checkpoint", as_bytes("size 2"))), "");
  EXPECT_EQ(read_text(*struck, "checkpoint"), "size 2");
}

TEST(S3Delay, cannot_bring_an_old_checkpoint_back) {
  FaultProxy proxy{gateway().endpoint};
  S3Options options = options_for(new_bucket(), proxy.endpoint());
  ASSERT_EQ(sentence(open_store(options)->replace("checkpoint", as_bytes("size 0"))), "");
  options.request_timeout_ms = 1'000;
  const auto store = open_store(options);
  while (!store->replace("checkpoint", as_bytes("size 1"))) {
    // A server that takes longer than that for once.
  }
  // The request is lost in the network, so that the client tries again ...
  proxy.plan(Fault::hold, 1);
  ASSERT_EQ(sentence(store->replace("checkpoint", as_bytes("size 2"))), "");
  ASSERT_EQ(proxy.spoilt(), 1U);
  ASSERT_EQ(sentence(store->replace("checkpoint", as_bytes("size 3"))), "");
  // ... and comes out at its end when the log is further on.
  EXPECT_THAT(proxy.release(), ::testing::ElementsAre(412));
  EXPECT_EQ(read_text(*store, "checkpoint"), "size 3");
}

TEST(S3Delay, of_a_tile_is_harmless) {
  FaultProxy proxy{gateway().endpoint};
  S3Options options = options_for(new_bucket(), proxy.endpoint());
  options.request_timeout_ms = 1'000;
  const auto store = open_store(options);
  proxy.plan(Fault::hold, 2);  // the first is the look that learns the server's rule
  const std::vector<NewObject> objects{tile(0, "zero")};
  ASSERT_EQ(sentence(store->create(objects, Existing::refuse)), "");
  ASSERT_EQ(proxy.spoilt(), 1U);
  EXPECT_THAT(proxy.release(), ::testing::ElementsAre(412));
  EXPECT_EQ(read_text(*store, "tile/0/000"), "zero");
}

TEST(S3Requests, are_as_few_as_can_be) {
  FaultProxy proxy{gateway().endpoint};
  const auto store = open_store(options_for(new_bucket(), proxy.endpoint()));
  const std::vector<NewObject> first{tile(0, "zero")};
  ASSERT_EQ(sentence(store->create(first, Existing::refuse)), "");
  ASSERT_EQ(sentence(store->replace("checkpoint", as_bytes("size 0"))), "");
  ASSERT_EQ(sentence(store->replace("checkpoint", as_bytes("size 1"))), "");
  proxy.plan(Fault::none, 0);
  const std::vector<NewObject> second{tile(1, "one"), tile(2, "two")};
  ASSERT_EQ(sentence(store->create(second, Existing::refuse)), "");
  ASSERT_EQ(sentence(store->replace("checkpoint", as_bytes("size 2"))), "");
  EXPECT_EQ(proxy.requests(), 3U);  // one a tile and one for the checkpoint
}

}  // namespace
}  // namespace fiducia::ledger_s3::test
