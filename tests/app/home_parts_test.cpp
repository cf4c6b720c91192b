// SPDX-License-Identifier: Apache-2.0
// What a home notices when parts of it are lost, exchanged, or older than the others.
#include "home/home.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "command_home.h"

namespace fiducia::app {
namespace {

namespace fs = std::filesystem;
using test::CommandHome;
using test::run_captured;

class Parts : public testing::Test {
 protected:
  Parts() {
    seal("a.dcm", "1.2.1");
    copy(scratch_.home(), scratch_.path("earlier"));
    seal("b.dcm", "1.2.2");
  }
  static void copy(const fs::path& from, const fs::path& to) {
    fs::copy(from, to, fs::copy_options::recursive);
  }
  /// Puts a part of the earlier copy in the place of the present one.
  void restore(const char* part) {
    fs::remove_all(scratch_.home() / part);
    fs::copy(scratch_.path("earlier") / part, scratch_.home() / part, fs::copy_options::recursive);
  }
  std::pair<int, std::string> seal(const std::string& file, const std::string& uid) {
    return run_captured(
        scratch_.sealing(scratch_.write_image(file, uid, static_cast<unsigned>(uid.back()))));
  }
  std::pair<int, std::string> store(cli::StoreOptions::Action action) {
    return run_captured(cli::StoreOptions{.common = scratch_.common(), .action = action});
  }
  void expect_refused(const char* says) {
    const auto [code, out] = seal("n.dcm", "1.2.99");
    EXPECT_EQ(code, 1) << out;
    EXPECT_NE(out.find(says), std::string::npos) << out;
    EXPECT_EQ(out.find("\"sealed\""), std::string::npos) << out;
  }
  void expect_accepted() {
    const auto [code, out] = store(cli::StoreOptions::Action::accept);
    EXPECT_EQ(code, 0) << out;
    const auto [sealed, line] = seal("n.dcm", "1.2.99");
    EXPECT_EQ(sealed, 0) << line;
  }
  CommandHome scratch_;
};

TEST_F(Parts, that_fit_seal_again_and_again) {
  EXPECT_EQ(seal("c.dcm", "1.2.3").first, 0);
  EXPECT_EQ(seal("d.dcm", "1.2.4").first, 0);
  EXPECT_EQ(store(cli::StoreOptions::Action::check).first, 0);
}

TEST_F(Parts, a_store_that_is_gone_is_missed) {
  fs::remove(scratch_.home() / "evidence.db");
  expect_refused("fiducia store accept");
  EXPECT_FALSE(fs::exists(scratch_.home() / "evidence.db")) << "none is made in silence";
  expect_accepted();
}

TEST_F(Parts, a_store_that_was_emptied_is_missed) {
  fs::remove(scratch_.home() / "evidence.db");
  {
    const Bytes key = read_file(scratch_.home() / "keys/store.key", 32).value();
    ASSERT_TRUE(store::open_sqlite(scratch_.home() / "evidence.db", key).has_value());
  }
  expect_refused("not the evidence store of this home");
  expect_accepted();
}

TEST_F(Parts, a_store_of_another_home_is_refused) {
  const CommandHome other;
  fs::copy_file(other.home() / "evidence.db", scratch_.home() / "evidence.db",
                fs::copy_options::overwrite_existing);
  expect_refused("not the evidence store of this home");
  expect_accepted();  // made anew: its key is another
}

TEST_F(Parts, a_key_of_another_store_is_refused) {
  const CommandHome other;
  fs::copy_file(other.home() / "keys/store.key", scratch_.home() / "keys/store.key",
                fs::copy_options::overwrite_existing);
  expect_refused("not the key of this evidence store");
  expect_accepted();
  fs::remove(scratch_.home() / "keys/store.key");
  expect_refused("is missing");
}

TEST_F(Parts, a_store_that_is_older_than_the_ledger_is_noticed) {
  restore("evidence.db");
  expect_refused("restored from an older copy");
  expect_accepted();
}

TEST_F(Parts, a_ledger_that_is_older_than_the_store_is_noticed_and_nothing_goes_on) {
  restore("ledger");
  expect_refused("would fork the ledger");
  EXPECT_EQ(store(cli::StoreOptions::Action::accept).first, 1);
}

TEST_F(Parts, a_ledger_of_another_branch_is_noticed) {
  restore("ledger");
  {  // somebody else went on from the copy
    auto log = ledger::Log::open(scratch_.home() / "ledger",
                                 home::Home::open(scratch_.home())->ledger_key().value());
    ASSERT_TRUE(log.has_value());
    const Bytes entry =
        ledger_format::write_entry({.sign1_hash = {}, .signer_hash = {}, .claimed_at = {}});
    ASSERT_TRUE(log->append({&entry, 1}).has_value());
  }
  expect_refused("it is a fork");
}

TEST_F(Parts, a_trust_file_that_is_older_than_the_last_seal_is_noticed) {
  const auto home = home::Home::open(scratch_.home());
  ASSERT_TRUE(home->add_device("CT-2", system_now()).has_value());
  ASSERT_TRUE(home->revoke_device("CT-1", system_now(), "lost").has_value());
  ASSERT_EQ(seal("c.dcm", "1.2.3").first, 0);
  restore("trust.toml");  // CT-1 would count again
  expect_refused("may lack revocations");
}

TEST_F(Parts, a_run_that_was_killed_after_the_ledger_is_no_older_store) {
  const auto home = home::Home::open(scratch_.home());
  {
    const auto store = home->open_store(false);
    ASSERT_TRUE(store.has_value());
    store::HomeMark mark = (*store)->mark().value();
    EXPECT_EQ(mark.pending, 0U);
    mark.pending = 1;
    ASSERT_TRUE((*store)->put({}, &mark).has_value());
    auto log = ledger::Log::open(home->ledger_folder(), home->ledger_key().value());
    const Bytes entry =
        ledger_format::write_entry({.sign1_hash = {}, .signer_hash = {}, .claimed_at = {}});
    ASSERT_TRUE(log->append({&entry, 1}).has_value());
  }
  EXPECT_EQ(seal("c.dcm", "1.2.3").first, 0);
  const auto store = home->open_store(true);
  EXPECT_EQ((*store)->mark()->pending, 0U);
}

// All parts are equally old: nothing in the home tells, but what comes back to it does.
TEST_F(Parts, a_whole_home_of_a_copy_is_noticed_when_a_later_receipt_comes_back) {
  cli::SealOptions options = scratch_.sealing(scratch_.write_image("c.dcm", "1.2.3", 3));
  options.out = scratch_.path("out").string();
  ASSERT_EQ(run_captured(options).first, 0);
  fs::remove_all(scratch_.home());
  copy(scratch_.path("earlier"), scratch_.home());
  const auto [code, out] = run_captured(scratch_.sealing(scratch_.path("out/c.dcm")));
  EXPECT_EQ(code, 1) << out;
  EXPECT_NE(out.find("restored from an older copy"), std::string::npos) << out;
}

// A bit that a disk turned says something of the store, never that an image was altered.
TEST_F(Parts, a_bit_that_turned_in_the_store_never_accuses_an_image) {
  const fs::path path = scratch_.home() / "evidence.db";
  const Bytes good = read_file(path, 1 << 24).value();
  const Bytes evidence = [&] {
    const auto store = home::Home::open(scratch_.home())->open_store(true);
    return (*store)->find_by_instance("1.2.1")->front();
  }();
  const auto middle = evidence.begin() + static_cast<std::ptrdiff_t>(evidence.size() / 2);
  const auto at = std::search(good.begin(), good.end(), middle, middle + 64);
  ASSERT_NE(at, good.end());
  const auto first = static_cast<std::size_t>(at - good.begin());
  const auto verify = [&] {
    return run_captured(cli::VerifyOptions{.common = scratch_.common(),
                                           .paths = {scratch_.path("a.dcm").string()},
                                           .report = "",
                                           .trust = "",
                                           .evidence = {},
                                           .at = {},
                                           .show_values = false});
  };
  ASSERT_EQ(verify().first, 0);
  std::mt19937_64 prng{test::seed()};
  for (int i = 0; i < test::draws(200); ++i) {
    Bytes bad = good;
    // Half of them in the evidence itself.
    const std::size_t place = i % 2 == 0 ? first + prng() % 64 : prng() % good.size();
    bad[place] ^= static_cast<std::byte>(1U << prng() % 8);
    ASSERT_TRUE(durable_write(path, bad).has_value());
    const auto [code, out] = verify();
    EXPECT_NE(code, 2) << "byte " << place << ": " << out;
    EXPECT_NE(code, 4) << "byte " << place << ": " << out;
    if (i % 2 != 0) continue;
    EXPECT_EQ(code, 5) << "byte " << place << ": " << out;
    EXPECT_NE(out.find("store.damaged"), std::string::npos) << out;
    const auto [checked, text] = store(cli::StoreOptions::Action::check);
    EXPECT_EQ(checked, 2) << "byte " << place << ": " << text;
  }
}

}  // namespace
}  // namespace fiducia::app
