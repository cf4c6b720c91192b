// SPDX-License-Identifier: Apache-2.0
#include "home/home.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "home/passphrase.h"
#include "home/scratch_home.h"
#include "ledger/ledger.h"
#include "trust/trust.h"

namespace fiducia::home {
namespace {

unsigned mode_of(const std::filesystem::path& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

TEST(Home, has_secret_keys_a_trust_file_a_ledger_and_a_store) {
  const test::ScratchHome scratch;
  EXPECT_EQ(mode_of(scratch.home() / "keys"), 0700u);
  for (const char* key : {"authority.pem", "ledger.pem", "store.key", "device-CT-1.pem"})
    EXPECT_EQ(mode_of(scratch.home() / "keys" / key), 0600u) << key;
  EXPECT_EQ(mode_of(scratch.home() / "evidence.db"), 0600u);
  const auto home = Home::open(scratch.home());
  ASSERT_TRUE(home.has_value());
  EXPECT_EQ(home->about().hospital, "Test Hospital");
  EXPECT_TRUE(home->signer("CT-1").has_value());
  EXPECT_TRUE(home->open_store(true).has_value());
  const auto vkey = home->ledger_vkey();
  ASSERT_TRUE(vkey.has_value());
  const auto reader = ledger::LogReader::open(home->ledger_folder(), *vkey);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(reader->status().tree_size, 1u) << "the genesis entry";
}

TEST(Home, is_never_overwritten) {
  const test::ScratchHome scratch;
  const std::string before = test::content(scratch.home() / "trust.toml");
  const Status again = create_home(scratch.home(), "Other", "CT-2", system_now());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::exists);
  EXPECT_EQ(test::content(scratch.home() / "trust.toml"), before);
  // ... also when the folder holds something else.
  std::filesystem::create_directories(scratch.path("full/x"));
  EXPECT_FALSE(create_home(scratch.path("full"), "Other", "CT-2", system_now()).has_value());
  // An empty folder may become a home.
  std::filesystem::create_directories(scratch.path("empty"));
  EXPECT_TRUE(create_home(scratch.path("empty"), "Other", "CT-2", system_now()).has_value());
}

TEST(Home, that_could_not_be_made_leaves_nothing) {
  const test::ScratchFolder folder;
  EXPECT_FALSE(create_home(folder.path() / "home", "", "CT-1", system_now()).has_value());
  EXPECT_FALSE(create_home(folder.path() / "home", "H", std::string(65, 'x'), system_now()));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Home, of_two_hospitals_with_one_name_have_different_ledgers) {
  const test::ScratchHome a, b;
  const auto home_a = Home::open(a.home());
  const auto home_b = Home::open(b.home());
  ASSERT_TRUE(home_a && home_b);
  EXPECT_NE(home_a->about().ledger_origin, home_b->about().ledger_origin);
  EXPECT_EQ(home_a->about().ledger_origin.find_first_of(" +"), std::string::npos);
}

TEST(Home, device_names_are_checked_and_kept_inside_the_home) {
  const test::ScratchHome scratch;
  const auto home = Home::open(scratch.home());
  ASSERT_TRUE(home.has_value());
  for (const std::string& name : {std::string("MR 3T"), std::string("../../escape"),
                                  std::string("Röntgen/2"), std::string(64, 'a')}) {
    ASSERT_TRUE(home->add_device(name, system_now()).has_value()) << name;
    EXPECT_TRUE(home->signer(name).has_value()) << name;
    const auto twice = home->add_device(name, system_now());
    ASSERT_FALSE(twice.has_value()) << name;
    EXPECT_EQ(twice.error().code, ErrorCode::exists);
  }
  const auto devices = home->devices();
  ASSERT_TRUE(devices.has_value());
  EXPECT_EQ(devices->size(), 5u);
  for (const std::string& name :
       {std::string{}, std::string(65, 'a'), std::string("a\nb"), std::string("\xff")})
    EXPECT_FALSE(home->add_device(name, system_now()).has_value());
  for (const auto& entry : std::filesystem::directory_iterator(scratch.home().parent_path()))
    EXPECT_EQ(entry.path(), scratch.home());
}

TEST(Home, revocation_raises_the_serial_and_only_reaches_further_back) {
  const test::ScratchHome scratch;
  const auto home = Home::open(scratch.home());
  ASSERT_TRUE(home.has_value());
  const auto noon = read_rfc3339("2026-11-24T12:00:00Z");
  ASSERT_TRUE(noon.has_value());
  ASSERT_TRUE(home->revoke_device("CT-1", *noon, "a \"stolen\" laptop").has_value());
  auto trust = trust::open_trust(home->trust_path());
  ASSERT_TRUE(trust.has_value());
  EXPECT_EQ(trust->serial, 2u);
  ASSERT_EQ(trust->revocations.size(), 1u);
  EXPECT_EQ(trust->revocations[0].reason, "a \"stolen\" laptop");
  // Later: it would make revoked seals count again.
  EXPECT_FALSE(home->revoke_device("CT-1", UnixTime{noon->seconds + 1}, "").has_value());
  EXPECT_TRUE(home->revoke_device("CT-1", UnixTime{noon->seconds - 1}, "").has_value());
  trust = trust::open_trust(home->trust_path());
  ASSERT_TRUE(trust.has_value());
  EXPECT_EQ(trust->serial, 3u);
  ASSERT_EQ(trust->revocations.size(), 1u);
  EXPECT_EQ(trust->revocations[0].at.seconds, noon->seconds - 1);
  EXPECT_FALSE(home->revoke_device("MR-9", *noon, "").has_value());
}

TEST(Home, is_found_by_option_then_environment) {
  const char* const names[] = {"FIDUCIA_HOME", "XDG_DATA_HOME", "HOME"};
  std::vector<std::optional<std::string>> before;
  for (const char* name : names) {
    const char* value = std::getenv(name);
    before.push_back(value == nullptr ? std::nullopt : std::optional<std::string>{value});
    unsetenv(name);
  }
  EXPECT_FALSE(locate_home("").has_value());
  setenv("HOME", "/u", 1);
  EXPECT_EQ(locate_home("").value(), "/u/.local/share/fiducia");
  setenv("XDG_DATA_HOME", "relative", 1);
  EXPECT_EQ(locate_home("").value(), "/u/.local/share/fiducia");
  setenv("XDG_DATA_HOME", "/x", 1);
  EXPECT_EQ(locate_home("").value(), "/x/fiducia");
  setenv("FIDUCIA_HOME", "/f", 1);
  EXPECT_EQ(locate_home("").value(), "/f");
  EXPECT_EQ(locate_home("/o").value(), "/o");
  for (std::size_t i = 0; i < std::size(names); ++i) {
    if (before[i])
      setenv(names[i], before[i]->c_str(), 1);
    else
      unsetenv(names[i]);
  }
}

TEST(Home, with_a_pass_phrase_has_no_key_in_the_clear) {
  const test::ScratchFolder scratch;
  const auto folder = scratch.path() / "home";
  const auto file = scratch.path() / "passphrase";
  ASSERT_TRUE(durable_write(file, as_bytes("correct horse\n"), {.mode = 0600}).has_value());
  const auto passphrase = read_new_passphrase(file.string(), /*ask=*/false);
  ASSERT_TRUE(passphrase.has_value());
  ASSERT_EQ(*passphrase, "correct horse");
  ASSERT_TRUE(create_home(folder, "H", "CT-1", system_now(), **passphrase).has_value());
  auto home = Home::open(folder);
  ASSERT_TRUE(home.has_value());
  home->set_passphrase_file(file.string());
  EXPECT_TRUE(home->signer("CT-1").has_value());
  EXPECT_TRUE(home->ledger_key().has_value());
  ASSERT_TRUE(home->add_device("MR-2", system_now()).has_value());
  for (const auto& key : std::filesystem::directory_iterator(folder / "keys"))
    if (key.path().extension() == ".pem") {
      EXPECT_TRUE(test::content(key.path()).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
          << key.path();
    }
  // Another pass phrase opens nothing, and one that everybody may read is refused.
  ASSERT_TRUE(durable_write(file, as_bytes("wrong"), {.mode = 0600}).has_value());
  auto other = Home::open(folder);
  other->set_passphrase_file(file.string());
  const auto refused = other->signer("CT-1");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::config_invalid);
  ASSERT_TRUE(durable_write(file, as_bytes("correct horse"), {.mode = 0644}).has_value());
  auto open_to_all = Home::open(folder);
  open_to_all->set_passphrase_file(file.string());
  EXPECT_FALSE(open_to_all->signer("CT-1").has_value());
}

TEST(Home, that_a_killed_process_was_making_leaves_no_keys_once_another_is_made) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const test::ScratchFolder scratch;
  const auto folder = scratch.path() / "home";
  for (int round = 0; round < 10; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      static_cast<void>(create_home(folder, "H", "CT-1", system_now()));
      ::_exit(0);
    }
    // Killed at no particular place, or after its end.
    std::this_thread::sleep_for(std::chrono::microseconds{prng() % 20'000});
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    if (is_home(folder)) std::filesystem::remove_all(folder);
  }
  ASSERT_TRUE(create_home(folder, "H", "CT-1", system_now()).has_value());
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) {
    EXPECT_EQ(entry.path().filename(), "home");
    ++count;
  }
  EXPECT_EQ(count, 1U);
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    EXPECT_FALSE(entry.path().filename().string().contains("building")) << entry.path();
}

TEST(Home, takes_its_pass_phrase_from_a_systemd_credential) {
  const test::ScratchFolder scratch;
  const auto folder = scratch.path() / "home";
  ASSERT_TRUE(durable_write(scratch.path() / "fiducia.passphrase", as_bytes("correct horse"),
                            {.mode = 0400})
                  .has_value());
  setenv("CREDENTIALS_DIRECTORY", scratch.path().c_str(), 1);
  const auto passphrase = read_new_passphrase("", /*ask=*/false);
  ASSERT_TRUE(passphrase.has_value());
  ASSERT_EQ(*passphrase, "correct horse");
  ASSERT_TRUE(create_home(folder, "H", "CT-1", system_now(), **passphrase).has_value());
  EXPECT_TRUE(Home::open(folder)->signer("CT-1").has_value());
  unsetenv("CREDENTIALS_DIRECTORY");
}

}  // namespace
}  // namespace fiducia::home
