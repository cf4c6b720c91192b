// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/cosignature.h"

#include "made_log.h"

namespace fiducia::ledger_format::test {
namespace {

struct Cosigner {
  crypto::PrivateKey key = new_key();
  VerifierKey vkey;
  explicit Cosigner(std::string name = "witness.example.org")
      : vkey(make_vkey(std::move(name), NoteKeyType::cosignature,
                       key.public_key().write_ed25519())) {}
  [[nodiscard]] std::string line(std::string_view text, std::int64_t seconds) const {
    return write_signature_line(cosign(text, vkey, key, UnixTime{seconds}).value());
  }
};

std::size_t count_lines(const std::string& note, const std::string& name) {
  const auto read = read_note(note).value();
  return static_cast<std::size_t>(
      std::count_if(read.signatures.begin(), read.signatures.end(),
                    [&](const NoteSignature& line) { return line.name == name; }));
}

TEST(Cosignature, that_is_written_verifies_and_only_over_its_own_text_time_and_key) {
  const MadeLog log;
  const Cosigner cosigner;
  const std::string line = cosigner.line(log.text(5), 1'764'000'000);
  EXPECT_EQ(line, cosigner.line(log.text(5), 1'764'000'000)) << "not deterministic";
  const auto merged = merge_cosignatures(log.note(5), line, std::span{&cosigner.vkey, 1});
  ASSERT_TRUE(merged.has_value()) << sentence(merged.error());
  ASSERT_EQ(merged->added.size(), 1U);
  EXPECT_EQ(merged->added[0].time, UnixTime{1'764'000'000});

  const auto refused = [&](const std::string& note, const std::string& lines,
                           const VerifierKey& key) {
    const auto merge = merge_cosignatures(note, lines, std::span{&key, 1});
    return !merge && merge.error().code == ErrorCode::signature_bad;
  };
  EXPECT_TRUE(refused(log.note(6), line, cosigner.vkey)) << "of another checkpoint";
  const MadeLog other{"example.net/other"};
  EXPECT_TRUE(refused(other.note(5), line, cosigner.vkey)) << "of another origin";
  const Cosigner namesake;
  EXPECT_TRUE(refused(log.note(5), line, namesake.vkey)) << "of another key";
  NoteSignature later = read_note(log.note(5) + line).value().signatures[1];
  later.signature[7] ^= std::byte{1};  // the last byte of the time
  EXPECT_TRUE(refused(log.note(5), write_signature_line(later), cosigner.vkey)) << "re-dated";
  const VerifierKey as_log_key =
      make_vkey(cosigner.vkey.name, NoteKeyType::ed25519, cosigner.vkey.public_key);
  EXPECT_TRUE(refused(log.note(5), line, as_log_key)) << "a key of another type";
}

TEST(Cosignature, without_a_true_time_is_not_written) {
  const MadeLog log;
  const Cosigner cosigner;
  for (const std::int64_t seconds : {std::int64_t{0}, std::int64_t{-1}})
    EXPECT_EQ(cosign(log.text(1), cosigner.vkey, cosigner.key, UnixTime{seconds}).error().code,
              ErrorCode::usage_invalid);
  EXPECT_FALSE(cosign("no line feed", cosigner.vkey, cosigner.key, noon).has_value());
}

TEST(MergedNote, has_each_cosigner_once_with_its_newest_time) {
  const MadeLog log;
  const Cosigner one{"one.example.org"};
  const Cosigner two{"two.example.org"};
  const std::vector<VerifierKey> keys{one.vkey, two.vkey};
  std::string note = log.note(7);
  const auto add = [&](const std::string& lines) {
    auto merged = merge_cosignatures(note, lines, keys);
    ASSERT_TRUE(merged.has_value()) << sentence(merged.error());
    note = std::move(merged->note);
  };
  add(one.line(log.text(7), 100));
  add(two.line(log.text(7), 100));
  EXPECT_EQ(read_note(note).value().signatures.size(), 3U);
  add(one.line(log.text(7), 200) + one.line(log.text(7), 200));
  EXPECT_EQ(count_lines(note, "one.example.org"), 1U);
  EXPECT_EQ(read_note(note).value().signatures.size(), 3U);
  const std::string newest = note;
  add(one.line(log.text(7), 150));
  EXPECT_EQ(note, newest) << "an older cosignature took the place of a newer one";
  const auto verified = verify_note(read_note(note).value(), keys).value();
  EXPECT_EQ(verified[0].time, UnixTime{200});
  EXPECT_EQ(note.substr(0, note.find("\n\n")), log.note(7).substr(0, log.note(7).find("\n\n")));
  EXPECT_TRUE(verify_note(read_note(note).value(), std::vector{log.vkey()}).has_value());
}

TEST(MergedNote, leaves_out_lines_of_strangers_and_heals_a_broken_one) {
  const MadeLog log;
  const Cosigner known;
  const Cosigner stranger{"stranger.example.org"};
  const auto merged =
      merge_cosignatures(log.note(3), stranger.line(log.text(3), 5) + known.line(log.text(3), 6),
                         std::span{&known.vkey, 1});
  ASSERT_TRUE(merged.has_value());
  EXPECT_EQ(merged->added.size(), 1U);
  EXPECT_EQ(count_lines(merged->note, "stranger.example.org"), 0U);
  // A note that came with a cosignature of another checkpoint gets the right one in its place.
  const std::string broken = log.note(3) + known.line(log.text(4), 9);
  const auto healed =
      merge_cosignatures(broken, known.line(log.text(3), 6), std::span{&known.vkey, 1});
  ASSERT_TRUE(healed.has_value()) << sentence(healed.error());
  EXPECT_EQ(healed->note, merged->note);
}

TEST(MergedNote, takes_no_garbage) {
  const MadeLog log;
  const Cosigner cosigner;
  const std::string good = cosigner.line(log.text(3), 6);
  for (const std::string& lines :
       {std::string{}, std::string{"garbage\n"}, good.substr(0, good.size() - 1), good + "more\n",
        "\n" + good, good + "\n" + good, "other text\n\n" + good, good + std::string(1, '\0')}) {
    SCOPED_TRACE(lines);
    EXPECT_FALSE(merge_cosignatures(log.note(3), lines, std::span{&cosigner.vkey, 1}).has_value());
  }
  std::string many;
  for (std::size_t i = 0; i <= limits::note_signatures_max; ++i) many += good;
  const auto over = merge_cosignatures(log.note(3), many, std::span{&cosigner.vkey, 1});
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().code, ErrorCode::over_limit);
}

TEST(MergedNote, takes_no_time_out_of_bounds) {
  const MadeLog log;
  const Cosigner cosigner;
  const CosignatureBounds bounds{.earliest = UnixTime{100}, .latest = UnixTime{200}};
  for (const auto& [seconds, good] :
       {std::pair{99, false}, std::pair{100, true}, std::pair{200, true}, std::pair{201, false}}) {
    const auto merged = merge_cosignatures(log.note(3), cosigner.line(log.text(3), seconds),
                                           std::span{&cosigner.vkey, 1}, bounds);
    EXPECT_EQ(merged.has_value(), good) << seconds;
    if (!merged) {
      EXPECT_EQ(merged.error().code, ErrorCode::signature_bad);
    }
  }
}

}  // namespace
}  // namespace fiducia::ledger_format::test
