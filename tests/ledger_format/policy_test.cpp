// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/policy.h"

#include <gmock/gmock.h>

#include "made_log.h"

namespace fiducia::ledger_format::test {
namespace {

using Names = std::set<std::string, std::less<>>;
using testing::HasSubstr;

std::string new_witness_vkey(const std::string& name) {
  return write_vkey(
      make_vkey(name, NoteKeyType::cosignature, new_key().public_key().write_ed25519()));
}
std::string new_log_vkey() { return write_vkey(vkey_of(new_key())); }
std::string witness(const std::string& name) {
  return "witness " + name + " " + new_witness_vkey(name + ".example.org") + "\n";
}

/// The example of the specification: two of three X and one of three Y.
std::string example() {
  std::string text = "# a comment\n\n  \t\nlog " + new_log_vkey() + " https://example.org/log\n";
  for (const char* name : {"X1", "X2", "X3"}) text += witness(name);
  text += "group X-witnesses 2 X1 X2 X3\n";
  for (const char* name : {"Y1", "Y2", "Y3"}) text += " \t" + witness(name);
  return text + "group Y-witnesses any\tY1  Y2 Y3 \t\ngroup X-and-Y all X-witnesses Y-witnesses\n" +
         "   # another\nquorum X-and-Y\n";
}

TEST(Policy, of_the_specification_is_read_written_and_read_again) {
  const auto policy = read_policy(example(), "policy");
  ASSERT_TRUE(policy.has_value()) << sentence(policy.error());
  EXPECT_EQ(policy->logs.size(), 1U);
  EXPECT_EQ(policy->logs[0].url, "https://example.org/log");
  EXPECT_EQ(policy->witnesses.size(), 6U);
  ASSERT_EQ(policy->groups.size(), 3U);
  EXPECT_EQ(policy->groups[0].threshold, 2U);
  EXPECT_EQ(policy->groups[1].threshold, 1U);
  EXPECT_EQ(policy->groups[2].threshold, 2U);
  const std::string written = write_policy(*policy);
  const auto again = read_policy(written, "again");
  ASSERT_TRUE(again.has_value()) << sentence(again.error());
  EXPECT_EQ(write_policy(*again), written);
}

TEST(Policy, counts_groups_of_groups) {
  const Policy policy = read_policy(example(), "policy").value();
  EXPECT_TRUE(has_quorum(policy, Names{"X1", "X3", "Y2"}));
  EXPECT_TRUE(has_quorum(policy, Names{"X1", "X2", "X3", "Y1", "Y2", "Y3"}));
  EXPECT_FALSE(has_quorum(policy, Names{}));
  EXPECT_FALSE(has_quorum(policy, Names{"X1", "Y1", "Y2", "Y3"}));
  EXPECT_FALSE(has_quorum(policy, Names{"X1", "X2", "X3"}));
  EXPECT_FALSE(has_quorum(policy, Names{"X-and-Y"})) << "a group's name is not a witness";
  EXPECT_FALSE(has_quorum(policy, Names{"Z1", "Z2", "Y1"}));
}

TEST(Policy, with_a_single_witness_or_none) {
  const Policy one = read_policy(witness("A") + witness("B") + "quorum B\n", "p").value();
  EXPECT_TRUE(has_quorum(one, Names{"B"}));
  EXPECT_FALSE(has_quorum(one, Names{"A"}));
  const Policy none = read_policy("quorum none\n", "p").value();
  EXPECT_TRUE(has_quorum(none, Names{}));
}

TEST(Policy, agrees_with_counting_by_hand_for_every_subset) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < 50; ++round) {
    const auto count = static_cast<unsigned>(1 + prng() % 6);
    const auto k = static_cast<unsigned>(1 + prng() % count);
    std::string text;
    std::string members;
    for (unsigned i = 0; i < count; ++i) {
      text += witness("w" + std::to_string(i));
      members += " w" + std::to_string(i);
    }
    const Policy policy =
        read_policy(text + "group g " + std::to_string(k) + members + "\nquorum g\n", "p").value();
    for (unsigned subset = 0; subset < 1U << count; ++subset) {
      Names names;
      for (unsigned i = 0; i < count; ++i)
        if ((subset >> i & 1U) != 0) names.insert("w" + std::to_string(i));
      ASSERT_EQ(has_quorum(policy, names), names.size() >= k) << count << " " << k;
    }
  }
}

TEST(Policy, takes_as_many_names_as_the_specification_asks_for) {
  std::string text;
  for (int i = 0; i < 32; ++i) text += "log " + new_log_vkey() + "\n";
  for (int i = 0; i < 32; ++i) text += witness("w" + std::to_string(i));
  for (int i = 0; i < 32; ++i) {
    const std::string n = std::to_string(i);
    text += "group g" + n + " any w" + n;
    if (i > 0) text += " g" + std::to_string(i - 1);
    text += "\n";
  }
  EXPECT_TRUE(read_policy(text + "quorum g31\n", "p").has_value());
}

TEST(Policy, refuses_what_is_wrong_and_names_the_line) {
  const std::string a = witness("A");
  const std::string b = witness("B");
  const std::string log_key = new_log_vkey();
  const std::string key = new_witness_vkey("c");
  const std::string same_key_other_name =
      write_vkey(make_vkey("renamed", NoteKeyType::cosignature, read_vkey(key)->public_key));
  struct Row {
    const char* name;
    std::string text;
    const char* says;
  };
  for (const Row& row : {
           Row{"no quorum", a, "no quorum line"},
           Row{"empty", "", "no quorum line"},
           Row{"two quorums", "quorum none\nquorum none\n", "line 2: a second"},
           Row{"unknown quorum", a + "quorum B\n", "line 2: \"B\" is not a witness"},
           Row{"quorum before its witness", "quorum A\n" + a, "line 1: \"A\" is not a witness"},
           Row{"unknown word", "witnes A\nquorum none\n", "line 1: a line starts with"},
           Row{"cut off", "quorum none", "line 1: the last line does not end"},
           Row{"carriage return", "quorum none\r\n", "line 1: a carriage return"},
           Row{"control character", "quorum\x01none\n", "line 1: a control"},
           Row{"delete", "quorum \x7F\n", "line 1: a control"},
           Row{"trailing comment", "quorum none # all\n", "line 1: a quorum line is"},
           Row{"quorum of nothing", "quorum\n", "line 1: a quorum line is"},
           Row{"log without key", "log\nquorum none\n", "line 1: a log line is"},
           Row{"log with too much", "log " + log_key + " u v\nquorum none\n", "line 1: a log line"},
           Row{"log with a bad key", "log x+00000000+AAAA\nquorum none\n", "line 1: no verifier"},
           Row{"same log twice", "log " + log_key + "\n\nlog " + log_key + "\nquorum none\n",
               "line 3: this key"},
           Row{"witness without name", "witness " + key + "\nquorum none\n", "line 1: a witness"},
           Row{"witness with a log's key", "witness A " + log_key + "\nquorum none\n",
               "line 1: the key of a witness has type 4"},
           Row{"same witness twice", "witness A " + key + "\nwitness B " + key + "\nquorum none\n",
               "line 2: this key"},
           Row{"same key under another name",
               "witness A " + key + "\nwitness B " + same_key_other_name + "\nquorum none\n",
               "line 2: this key"},
           Row{"name twice", a + witness("A") + "quorum none\n", "line 2: \"A\" is defined"},
           Row{"name none", "witness none " + key + "\nquorum none\n", "line 1: the name none"},
           Row{"group named none", a + "group none any A\nquorum none\n", "line 2: the name none"},
           Row{"group named as a witness", a + "group A any A\nquorum none\n", "line 2: \"A\" is"},
           Row{"empty group", a + "group g any\nquorum none\n", "line 2: a group line is"},
           Row{"member unknown", a + "group g any A B\nquorum none\n", "line 2: \"B\" is no"},
           Row{"member is the group", a + "group g any g\nquorum none\n", "line 2: \"g\" is no"},
           Row{"member is none", a + "group g any none\nquorum none\n", "line 2: \"none\" is no"},
           Row{"member twice", a + "group g any A A\nquorum none\n", "line 2: \"A\" is a member"},
           Row{"member of two groups", a + "group g any A\ngroup h any A\nquorum none\n",
               "line 3: \"A\" is a member"},
           Row{"k is zero", a + "group g 0 A\nquorum none\n", "line 2: how many"},
           Row{"k too large", a + b + "group g 3 A B\nquorum none\n", "line 3: how many"},
           Row{"k with zeroes", a + "group g 01 A\nquorum none\n", "line 2: how many"},
           Row{"k no number", a + "group g most A\nquorum none\n", "line 2: how many"},
           Row{"k overflows", a + "group g 18446744073709551617 A\nquorum none\n",
               "line 2: how many"},
           Row{"k negative", a + "group g -1 A\nquorum none\n", "line 2: how many"},
       }) {
    SCOPED_TRACE(row.name);
    const auto policy = read_policy(row.text, "witness-policy");
    ASSERT_FALSE(policy.has_value());
    EXPECT_EQ(policy.error().code, ErrorCode::config_invalid);
    EXPECT_EQ(policy.error().where.file, "witness-policy");
    EXPECT_THAT(policy.error().what, HasSubstr(row.says));
  }
}

TEST(Policy, has_limits) {
  EXPECT_EQ(read_policy(std::string(limits::policy_bytes_max + 1, '\n'), "p").error().code,
            ErrorCode::over_limit);
  std::string text;
  for (std::size_t i = 0; i <= limits::policy_names_max; ++i) text += witness(std::to_string(i));
  EXPECT_EQ(read_policy(text + "quorum none\n", "p").error().code, ErrorCode::over_limit);
}

TEST(Policy, names_are_octets) {
  // "K" and the Kelvin sign are two names; so are a word and one that is not UTF-8.
  const std::string text = witness("K") + witness("\xE2\x84\xAA") + "witness \xFF " +
                           new_witness_vkey("latin.example.org") +
                           "\ngroup all all K \xE2\x84\xAA \xFF\nquorum all\n";
  EXPECT_TRUE(read_policy(text, "p").has_value());
}

struct TwoOfThree {
  MadeLog log;
  std::vector<crypto::PrivateKey> keys;
  Policy policy;
  TwoOfThree() {
    policy.logs.push_back({.key = log.vkey()});
    PolicyGroup group{.name = "two", .threshold = 2, .members = {}};
    for (const std::string name : {"a", "b", "c"}) {
      keys.push_back(new_key());
      policy.witnesses.push_back({.name = name,
                                  .key = make_vkey(name + ".example.org", NoteKeyType::cosignature,
                                                   keys.back().public_key().write_ed25519())});
      group.members.push_back(name);
    }
    policy.groups.push_back(group);
    policy.quorum = "two";
  }
  [[nodiscard]] std::string line(std::size_t witness, const std::string& text,
                                 UnixTime time = noon) const {
    return write_signature_line(
        cosign(text, policy.witnesses[witness].key, keys[witness], time).value());
  }
  [[nodiscard]] PolicyVerdict judge(const std::string& note, UnixTime now = noon) const {
    return judge_checkpoint(policy, note, bounds_at(now)).value();
  }
};

TEST(PolicyVerdict, accepts_a_checkpoint_with_its_quorum_and_none_with_less) {
  const TwoOfThree setting;
  const std::string text = setting.log.text(9);
  const std::string note = setting.log.note(9);
  const PolicyVerdict good = setting.judge(note + setting.line(0, text) + setting.line(2, text));
  EXPECT_TRUE(good.accepted) << good.text;
  EXPECT_EQ(good.log, setting.log.name());
  ASSERT_EQ(good.cosigned.size(), 2U);
  EXPECT_EQ(good.cosigned[1].witness, "c");
  EXPECT_EQ(good.checkpoint.tree_size, 9U);

  EXPECT_FALSE(setting.judge(note).accepted);
  EXPECT_FALSE(setting.judge(note + setting.line(0, text)).accepted);
  EXPECT_FALSE(setting.judge(note + setting.line(0, text) + setting.line(0, text)).accepted)
      << "one witness counted twice";
  EXPECT_FALSE(
      setting.judge(note + setting.line(0, text) + setting.line(1, setting.log.text(8))).accepted)
      << "a cosignature of another checkpoint counted";
  const UnixTime later{noon.seconds + limits::witness_clock_ahead_seconds_max + 1};
  EXPECT_FALSE(setting.judge(note + setting.line(0, text) + setting.line(1, text, later)).accepted)
      << "a cosignature from the future counted";
}

TEST(PolicyVerdict, needs_the_log_under_its_own_name) {
  const TwoOfThree setting;
  const MadeLog stranger;  // the same origin, another key
  const std::string text = stranger.text(9);
  EXPECT_FALSE(
      setting.judge(stranger.note(9) + setting.line(0, text) + setting.line(1, text)).accepted);
  // A log of the policy that signs in the name of another.
  const std::string other = write_checkpoint({.origin = "example.net/other",
                                              .tree_size = 1,
                                              .root = merkle::empty_root(),
                                              .extensions = {}});
  const std::string note = write_note(other, setting.log.name(), setting.log.key()).value();
  EXPECT_FALSE(setting.judge(note + setting.line(0, other) + setting.line(1, other)).accepted);
  const auto broken = judge_checkpoint(setting.policy, "no note", bounds_at(noon));
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().code, ErrorCode::malformed);
}

}  // namespace
}  // namespace fiducia::ledger_format::test
