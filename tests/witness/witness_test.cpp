// SPDX-License-Identifier: Apache-2.0
#include "witness/witness.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "published_vectors.h"
#include "witness_support.h"

namespace fiducia::witness::test {
namespace {

using testing::HasSubstr;

WitnessAnswer answer_to(const Witness& witness, const AddCheckpoint& request) {
  const auto answer = witness.add_checkpoint(write_add_checkpoint(request));
  if (!answer) ADD_FAILURE() << sentence(answer.error());
  return answer.value_or(WitnessAnswer{});
}

TEST(AddCheckpointRequest, is_read_and_written_again) {
  const MadeLog log;
  for (const auto& [old_size, size] : {std::pair{0U, 0U}, std::pair{0U, 5U}, std::pair{3U, 9U}}) {
    const AddCheckpoint request = make_request(log, old_size, size);
    const std::string body = write_add_checkpoint(request);
    const auto read = read_add_checkpoint(body);
    ASSERT_TRUE(read.has_value()) << sentence(read.error());
    EXPECT_EQ(read->old_size, old_size);
    EXPECT_EQ(read->proof, request.proof);
    EXPECT_EQ(read->note, request.note);
  }
}

TEST(AddCheckpointRequest, that_is_malformed_is_refused) {
  const std::string hash = to_base64(Digest{}.view()) + "\n";
  std::string most = "old 1\n";
  for (std::size_t i = 0; i < limits::witness_proof_lines_max; ++i) most += hash;
  ASSERT_TRUE(read_add_checkpoint(most + "\nnote\n").has_value());
  struct Row {
    const char* name;
    std::string body;
  };
  for (const Row& row : {
           Row{"empty", ""},
           Row{"no old size", "\nnote\n"},
           Row{"other word", "new 1\n\nnote\n"},
           Row{"upper case", "Old 1\n\nnote\n"},
           Row{"two spaces", "old  1\n\nnote\n"},
           Row{"no number", "old \n\nnote\n"},
           Row{"leading zero", "old 01\n\nnote\n"},
           Row{"double zero", "old 00\n\nnote\n"},
           Row{"plus", "old +1\n\nnote\n"},
           Row{"minus", "old -1\n\nnote\n"},
           Row{"hex", "old 0x1\n\nnote\n"},
           Row{"above 2^64", "old 18446744073709551616\n\nnote\n"},
           Row{"space after", "old 1 \n\nnote\n"},
           Row{"carriage return", "old 1\r\n\r\nnote\r\n"},
           Row{"no line feed", "old 1"},
           Row{"no empty line", "old 1\n" + hash},
           Row{"no checkpoint", "old 1\n\n"},
           Row{"hash too short", "old 1\nAAAA\n\nnote\n"},
           Row{"hash too long", "old 1\n" + to_base64(Bytes(33)) + "\n\nnote\n"},
           Row{"hash not canonical", "old 1\n" + std::string(42, 'A') + "B=\n\nnote\n"},
           Row{"hash with a space", "old 1\n " + hash + "\nnote\n"},
           Row{"64 hashes", most + hash + "\nnote\n"},
           Row{"too large", "old 1\n\n" + std::string(limits::witness_request_bytes_max, 'a')},
       }) {
    SCOPED_TRACE(row.name);
    const auto request = read_add_checkpoint(row.body);
    ASSERT_FALSE(request.has_value());
    EXPECT_EQ(code_word(request.error()), "malformed.request");
    const ScratchWitness scratch;
    EXPECT_EQ(scratch.open().add_checkpoint(row.body)->status, WitnessStatus::bad_request);
  }
}

TEST(Witness, answers_as_the_published_sequence_says) {
  const ScratchFolder scratch;
  ASSERT_TRUE(Witness::create(scratch.path() / "w", "witness.example.org").has_value());
  const auto witness = Witness::open(scratch.path() / "w", at(noon)).value();
  const auto rows = read_json("witness-add-checkpoint.json");
  const ledger_format::VerifierKey log =
      ledger_format::read_vkey(rows["log_vkey"].get<std::string>()).value();
  ASSERT_TRUE(witness.add_log(log.name, log).has_value());
  std::size_t cosigned = 0;
  for (const auto& row : rows["requests_in_order"]) {
    const std::string body = row["request_body"];
    SCOPED_TRACE(body);
    const auto answer = witness.add_checkpoint(body);
    ASSERT_TRUE(answer.has_value()) << sentence(answer.error());
    EXPECT_EQ(std::to_underlying(answer->status), row["status_by_spec"].get<int>()) << answer->text;
    if (row.contains("response_body")) {
      EXPECT_EQ(answer->body, row["response_body"].get<std::string>());
      EXPECT_EQ(answer->content_type, row["response_content_type"].get<std::string>());
    }
    if (answer->status != WitnessStatus::cosigned) continue;
    ++cosigned;
    const auto request = read_add_checkpoint(body).value();
    EXPECT_EQ(verified_answer(*answer, request.note, witness.key()).time, noon);
    EXPECT_EQ(witness.latest(origin_hash(log.name))->value(), request.note + answer->body);
  }
  EXPECT_EQ(cosigned, 3U);
}

TEST(Witness, cosigns_a_growing_log_and_each_size_again) {
  const ScratchWitness scratch;
  std::int64_t now = noon.seconds;
  const Witness witness = scratch.open([&] { return UnixTime{now}; });
  std::uint64_t size = 0;
  for (const std::uint64_t next : {0U, 0U, 1U, 1U, 2U, 3U, 3U, 7U, 8U, 300U, 300U, 513U}) {
    SCOPED_TRACE(next);
    ++now;
    const AddCheckpoint request = make_request(scratch.log, size, next);
    const WitnessAnswer answer = answer_to(witness, request);
    ASSERT_EQ(answer.status, WitnessStatus::cosigned) << answer.text;
    const ledger_format::VerifiedSignature verified =
        verified_answer(answer, request.note, witness.key());
    EXPECT_EQ(verified.time, UnixTime{now});
    EXPECT_EQ(verified.name, "witness.example.org");
    size = next;
  }
}

TEST(Witness, answers_every_refusal_in_the_order_of_the_specification) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  const Witness witness = scratch.open();
  ASSERT_EQ(answer_to(witness, make_request(log, 0, 6)).status, WitnessStatus::cosigned);

  const auto refusal = [&](const AddCheckpoint& request) {
    const WitnessAnswer answer = answer_to(witness, request);
    EXPECT_FALSE(answer.text.empty());
    return std::to_underlying(answer.status);
  };
  AddCheckpoint request = make_request(log, 6, 9);
  request.note = "no note";
  EXPECT_EQ(refusal(request), 400);
  request.note = ledger_format::write_note("two\nlines\n", log.name(), log.key()).value();
  EXPECT_EQ(refusal(request), 400) << "a note that is no checkpoint";

  request.note = log.text(9);
  EXPECT_EQ(refusal(request), 400) << "no signatures at all";
  std::string lines;
  for (std::size_t i = 0; i < limits::note_signatures_max; ++i)
    lines += "\xE2\x80\x94 x AAAAAAAA\n";
  request.note = log.note(9) + lines;
  EXPECT_EQ(refusal(request), 400) << "too many signatures";
  request.note = log.note(9) + "garbage\n";
  EXPECT_EQ(refusal(request), 403) << "a signature line that cannot be read";
  request.note = log.text(9) + "\n";
  EXPECT_EQ(refusal(request), 403) << "an empty list of signatures";

  const MadeLog unknown{"example.net/unknown"};
  EXPECT_EQ(refusal(make_request(unknown, 6, 9)), 404);
  EXPECT_EQ(refusal(make_request(unknown, 9, 6)), 404) << "404 comes before 400 for the sizes";
  const MadeLog forger;  // the origin of the log, another key
  EXPECT_EQ(refusal(make_request(forger, 6, 9)), 403);
  EXPECT_EQ(refusal(make_request(forger, 9, 6)), 403) << "403 comes before 400 for the sizes";
  request = make_request(log, 6, 9);
  request.note += ledger_format::write_signature_line(
      ledger_format::read_note(log.note(8)).value().signatures[0]);
  EXPECT_EQ(refusal(request), 403) << "a good line and a bad one of the same key";

  request = make_request(log, 9, 9);
  request.note = log.note(8);
  EXPECT_EQ(refusal(request), 400) << "old size past the size, before 409";
  EXPECT_EQ(refusal(make_request(log, 5, 9)), 409);
  EXPECT_EQ(refusal(make_request(log, 0, 9)), 409);
  EXPECT_EQ(refusal(make_request(log, 7, 9)), 409);
  request = make_request(log, 5, 9);
  request.proof.clear();
  EXPECT_EQ(refusal(request), 409) << "409 comes before 422";

  request = make_request(log, 6, 9);
  request.proof.pop_back();
  EXPECT_EQ(refusal(request), 422);
  request.proof.clear();
  EXPECT_EQ(refusal(request), 422);
  EXPECT_EQ(refusal(make_request(log, 6, 9, 2)), 422) << "a fork with its own proof";
  EXPECT_EQ(refusal(make_request(log, 6, 6, 2)), 422) << "another tree of the same size";
  request = make_request(log, 6, 6);
  request.proof.emplace_back();
  EXPECT_EQ(refusal(request), 422) << "a proof between equal sizes";

  EXPECT_EQ(refusal(make_request(log, 6, 9)), 200) << "the refused ones left a trace";
  EXPECT_EQ(refusal(make_request(log, 6, 9)), 409);
}

TEST(Witness, of_an_empty_tree) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  const Witness witness = scratch.open();
  const std::string wrong =
      ledger_format::write_note(
          ledger_format::write_checkpoint(
              {.origin = log.name(), .tree_size = 0, .root = Digest{}, .extensions = {}}),
          log.name(), log.key())
          .value();
  EXPECT_EQ(answer_to(witness, {.old_size = 0, .proof = {}, .note = wrong}).status,
            WitnessStatus::inconsistent);
  AddCheckpoint request = make_request(log, 0, 0);
  request.proof.emplace_back();
  EXPECT_EQ(answer_to(witness, request).status, WitnessStatus::inconsistent);
  request = make_request(log, 0, 4);
  request.proof.emplace_back();
  EXPECT_EQ(answer_to(witness, request).status, WitnessStatus::inconsistent);
  EXPECT_EQ(answer_to(witness, make_request(log, 0, 0)).status, WitnessStatus::cosigned);
  EXPECT_EQ(answer_to(witness, make_request(log, 0, 4)).status, WitnessStatus::cosigned);
}

TEST(Witness, refuses_a_proof_with_any_bit_flipped) {
  const ScratchWitness scratch;
  const Witness witness = scratch.open();
  ASSERT_EQ(answer_to(witness, make_request(scratch.log, 0, 5)).status, WitnessStatus::cosigned);
  const AddCheckpoint good = make_request(scratch.log, 5, 13);
  for (std::size_t bit = 0; bit < good.proof.size() * 256; ++bit) {
    AddCheckpoint bad = good;
    bad.proof[bit / 256].bytes[bit % 256 / 8] ^= std::byte{1} << (bit % 8);
    ASSERT_EQ(answer_to(witness, bad).status, WitnessStatus::inconsistent) << bit;
  }
  EXPECT_EQ(answer_to(witness, good).status, WitnessStatus::cosigned);
}

TEST(Witness, refuses_a_request_with_any_bit_flipped) {
  const ScratchWitness scratch;
  const Witness witness = scratch.open();
  ASSERT_EQ(answer_to(witness, make_request(scratch.log, 0, 2)).status, WitnessStatus::cosigned);
  const std::string good = write_add_checkpoint(make_request(scratch.log, 2, 3));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto answer = witness.add_checkpoint(bad);
    ASSERT_TRUE(answer.has_value());
    ASSERT_NE(answer->status, WitnessStatus::cosigned) << "bit " << bit;
  }
}

TEST(Witness, remembers_over_restarts_and_between_processes) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  const Witness one = scratch.open();
  const Witness two = scratch.open();
  ASSERT_EQ(answer_to(one, make_request(log, 0, 5)).status, WitnessStatus::cosigned);
  EXPECT_EQ(answer_to(two, make_request(log, 0, 5, 2)).status, WitnessStatus::stale);
  EXPECT_EQ(answer_to(two, make_request(log, 5, 8)).status, WitnessStatus::cosigned);
  EXPECT_EQ(answer_to(one, make_request(log, 5, 7)).status, WitnessStatus::stale) << "rolled back";
  EXPECT_EQ(one.latest(origin_hash(log.name()))->value(),
            two.latest(origin_hash(log.name()))->value());
  EXPECT_EQ(answer_to(scratch.open(), make_request(log, 8, 9)).status, WitnessStatus::cosigned);
}

TEST(Witness, shows_the_latest_cosigned_checkpoint) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  const Witness witness = scratch.open();
  const std::string hash = origin_hash(log.name());
  EXPECT_EQ(witness.latest(hash)->has_value(), false) << "before the first";
  AddCheckpoint request = make_request(log, 0, 5);
  const std::string note = request.note;
  // A line of a stranger is not shown as if the witness vouched for it.
  const MadeLog stranger{"stranger.example.org"};
  request.note += ledger_format::write_signature_line(
      ledger_format::read_note(stranger.note(5)).value().signatures[0]);
  const WitnessAnswer answer = answer_to(witness, request);
  ASSERT_EQ(answer.status, WitnessStatus::cosigned);
  EXPECT_EQ(witness.latest(hash)->value(), note + answer.body);
  EXPECT_EQ(scratch.open(at(UnixTime{noon.seconds + 99})).latest(hash)->value(), note + answer.body)
      << "a second cosignature with another time";
  for (const std::string& bad : {std::string{}, std::string{"../x"}, std::string(64, '0'),
                                 std::string(64, '/'), hash + "0", hash.substr(1)}) {
    EXPECT_EQ(witness.latest(bad)->has_value(), false) << bad;
  }
  std::string upper = hash;
  std::transform(upper.begin(), upper.end(), upper.begin(), ::toupper);
  EXPECT_EQ(witness.latest(upper)->has_value(), upper == hash);
}

TEST(Witness, never_states_a_time_before_its_last) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  std::int64_t now = noon.seconds;
  const Witness witness = scratch.open([&] { return UnixTime{now}; });
  const auto cosigned_time = [&](std::uint64_t old_size, std::uint64_t size) {
    const AddCheckpoint request = make_request(log, old_size, size);
    return verified_answer(answer_to(witness, request), request.note, witness.key()).time;
  };
  EXPECT_EQ(cosigned_time(0, 1), noon);
  now = noon.seconds - limits::witness_clock_step_back_seconds_max;
  EXPECT_EQ(cosigned_time(1, 2), noon) << "a small step back";
  --now;
  const auto refused = witness.add_checkpoint(write_add_checkpoint(make_request(log, 2, 3)));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_word(refused.error()), "clock.invalid");
  EXPECT_THAT(refused.error().what, HasSubstr("before the last cosignature"));
  now = 0;
  EXPECT_EQ(witness.add_checkpoint(make_request(log, 2, 3)).error().code, ErrorCode::clock_invalid);
  // What needs no time is still answered.
  EXPECT_EQ(answer_to(witness, make_request(log, 0, 3)).status, WitnessStatus::stale);
  now = noon.seconds + 5;
  EXPECT_EQ(cosigned_time(2, 3), UnixTime{noon.seconds + 5});
}

TEST(Witness, keeps_the_evidence_of_a_split_view) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  const Witness witness = scratch.open();
  ASSERT_EQ(answer_to(witness, make_request(log, 0, 6)).status, WitnessStatus::cosigned);
  const fs::path folder = scratch.log_folder() / "evidence";

  const WitnessAnswer same_size = answer_to(witness, make_request(log, 6, 6, 3));
  EXPECT_EQ(same_size.status, WitnessStatus::inconsistent);
  EXPECT_THAT(same_size.text, HasSubstr("Split view"));
  ASSERT_FALSE(same_size.evidence.empty());
  const std::string refused = read_text(folder / same_size.evidence);
  EXPECT_EQ(refused, log.note(6, 3));
  const std::string stem = same_size.evidence.substr(0, same_size.evidence.rfind('.'));
  const std::string cosigned = read_text(folder / (stem + ".cosigned"));
  // The two files alone convict the log.
  const auto compared = ledger_format::compare_views(cosigned, refused, log.vkey(), nullptr);
  ASSERT_TRUE(compared.has_value());
  EXPECT_EQ(compared->views, ledger_format::Views::split);

  // Shown to a witness by somebody who knows nothing of it: 409, and the evidence all the same.
  const WitnessAnswer stale = answer_to(witness, make_request(log, 0, 6, 4));
  EXPECT_EQ(stale.status, WitnessStatus::stale);
  EXPECT_EQ(stale.body, "6\n");
  EXPECT_FALSE(stale.evidence.empty());
  EXPECT_NE(stale.evidence, same_size.evidence);

  // A larger fork with its own proof: refused, kept as what could not be proven.
  const WitnessAnswer larger = answer_to(witness, make_request(log, 6, 9, 3));
  EXPECT_EQ(larger.status, WitnessStatus::inconsistent);
  EXPECT_TRUE(larger.evidence.starts_with("unproven.")) << larger.evidence;
  EXPECT_EQ(read_text(folder / larger.evidence), write_add_checkpoint(make_request(log, 6, 9, 3)));

  const auto logs = witness.logs();
  ASSERT_TRUE(logs.has_value());
  EXPECT_EQ(logs->at(0).evidence.size(), 6U);
  EXPECT_EQ(answer_to(witness, make_request(log, 6, 6, 3)).evidence, same_size.evidence);
  EXPECT_EQ(witness.logs()->at(0).evidence.size(), 6U) << "the same evidence twice";
}

TEST(Witness, keeps_no_evidence_against_the_innocent_nor_without_bound) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  const Witness witness = scratch.open();
  ASSERT_EQ(answer_to(witness, make_request(log, 0, 6)).status, WitnessStatus::cosigned);
  const MadeLog forger;
  for (const AddCheckpoint& request :
       {make_request(log, 5, 9), make_request(log, 0, 6), make_request(forger, 6, 6, 2),
        make_request(forger, 6, 9, 2)})
    EXPECT_TRUE(answer_to(witness, request).evidence.empty());
  EXPECT_TRUE(witness.logs()->at(0).evidence.empty());
  std::size_t kept = 0;
  for (std::uint64_t size = 7; size < 7 + limits::witness_unproven_max + 10; ++size) {
    AddCheckpoint request = make_request(log, 6, size);
    request.proof.front().bytes[0] ^= std::byte{1};
    if (!answer_to(witness, request).evidence.empty()) ++kept;
  }
  EXPECT_EQ(kept, limits::witness_unproven_max);
}

TEST(Witness, keeps_as_many_split_views_as_it_may_and_no_more) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  const Witness witness = scratch.open();
  const std::uint64_t size = limits::witness_split_views_max + 1;
  ASSERT_EQ(answer_to(witness, make_request(log, 0, size)).status, WitnessStatus::cosigned);
  // A tree of its own for each entry from which the log forks.
  std::size_t kept = 0;
  for (std::uint64_t fork = 0; fork < size; ++fork) {
    const WitnessAnswer answer = answer_to(witness, make_request(log, size, size, fork));
    EXPECT_EQ(answer.status, WitnessStatus::inconsistent);
    if (!answer.evidence.empty()) ++kept;
  }
  EXPECT_EQ(kept, limits::witness_split_views_max);
}

TEST(Witness, with_a_lost_or_damaged_state_signs_nothing) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  ASSERT_EQ(answer_to(scratch.open(), make_request(log, 0, 6)).status, WitnessStatus::cosigned);
  const fs::path file = scratch.log_folder() / "state";
  const std::string good = read_text(file);
  const auto expect_refusal = [&] {
    const Witness witness = scratch.open();
    for (const std::uint64_t old_size : {std::uint64_t{0}, std::uint64_t{6}}) {
      const auto answer = witness.add_checkpoint(make_request(log, old_size, 9));
      ASSERT_FALSE(answer.has_value());
      EXPECT_EQ(code_word(answer.error()), "malformed.state");
      EXPECT_EQ(answer.error().where.file, file.string());
    }
    EXPECT_FALSE(witness.latest(origin_hash(log.name())).has_value());
    EXPECT_FALSE(witness.logs().has_value());
  };
  fs::remove(file);
  expect_refusal();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    write_plain(file, as_bytes(bad));
    expect_refusal();
    if (HasFailure()) FAIL() << "byte " << i;
  }
  for (const std::string& bad : {std::string{}, good.substr(0, good.size() - 1), good + "\n"}) {
    write_plain(file, as_bytes(bad));
    expect_refusal();
  }
  write_plain(file, as_bytes(good));
  EXPECT_EQ(answer_to(scratch.open(), make_request(log, 6, 9)).status, WitnessStatus::cosigned);
}

TEST(Witness, that_cannot_write_signs_nothing_and_goes_on_when_it_can) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  const Witness witness = scratch.open();
  ASSERT_EQ(answer_to(witness, make_request(log, 0, 6)).status, WitnessStatus::cosigned);
  const std::string before = read_text(scratch.log_folder() / "state");
  const std::string request = write_add_checkpoint(make_request(log, 6, 9));
  const std::string fork = write_add_checkpoint(make_request(log, 6, 6, 2));
  // No byte can be written any more, as on a full disk.
  rlimit old_limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const auto old_handler = signal(SIGXFSZ, SIG_IGN);
  const rlimit no_bytes{.rlim_cur = 0, .rlim_max = old_limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &no_bytes), 0);
  const auto answer = witness.add_checkpoint(request);
  const auto refused = witness.add_checkpoint(fork);
  const auto shown = witness.latest(origin_hash(log.name()));
  setrlimit(RLIMIT_FSIZE, &old_limit);
  signal(SIGXFSZ, old_handler);

  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::io_unwritable);
  ASSERT_TRUE(refused.has_value()) << "a refusal needs no disk";
  EXPECT_EQ(refused->status, WitnessStatus::inconsistent);
  EXPECT_TRUE(refused->evidence.empty());
  ASSERT_TRUE(shown.has_value()) << "reads go on";
  EXPECT_TRUE(shown->has_value());
  EXPECT_EQ(read_text(scratch.log_folder() / "state"), before);
  EXPECT_EQ(answer_to(witness, make_request(log, 6, 9)).status, WitnessStatus::cosigned);
}

TEST(Witness, learns_logs_and_keys_while_it_is_served_but_forgets_no_tree) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  const Witness witness = scratch.open();
  const MadeLog second{"example.net/a log of spaces"};
  const ledger_format::VerifierKey second_key = vkey_of(second.key(), "example.net/key");
  const std::string note =
      ledger_format::write_note(second.text(4), "example.net/key", second.key()).value();
  const AddCheckpoint request{.old_size = 0, .proof = {}, .note = note};
  EXPECT_EQ(answer_to(witness, request).status, WitnessStatus::unknown_log);
  ASSERT_TRUE(scratch.open().add_log(second.name(), second_key).has_value());
  EXPECT_EQ(answer_to(witness, request).status, WitnessStatus::cosigned)
      << "the key's name need not be the origin";
  EXPECT_EQ(scratch.open().add_log(second.name(), second_key).error().code, ErrorCode::exists);

  // A new key of a known log; the old one stays good.
  const auto new_log_key = new_key();
  const std::string renewed =
      ledger_format::write_note(log.text(3), log.name(), new_log_key).value();
  EXPECT_EQ(answer_to(witness, {.old_size = 0, .proof = {}, .note = renewed}).status,
            WitnessStatus::forbidden);
  ASSERT_TRUE(witness.add_log(log.name(), vkey_of(new_log_key)).has_value());
  EXPECT_EQ(answer_to(witness, {.old_size = 0, .proof = {}, .note = renewed}).status,
            WitnessStatus::cosigned);
  EXPECT_EQ(answer_to(witness, make_request(log, 3, 4)).status, WitnessStatus::cosigned);

  // A log that was taken off the list and put back is still remembered.
  fs::remove(scratch.log_folder() / "log");
  EXPECT_EQ(answer_to(witness, make_request(log, 4, 5)).status, WitnessStatus::unknown_log);
  ASSERT_TRUE(witness.add_log(log.name(), log.vkey()).has_value());
  EXPECT_EQ(answer_to(witness, make_request(log, 0, 5, 2)).status, WitnessStatus::stale);
  EXPECT_EQ(answer_to(witness, make_request(log, 4, 5)).status, WitnessStatus::cosigned);

  EXPECT_EQ(witness.add_log("a\nb", log.vkey()).error().code, ErrorCode::usage_invalid);
  EXPECT_EQ(witness.add_log("", log.vkey()).error().code, ErrorCode::usage_invalid);
  const ledger_format::VerifierKey own = ledger_format::make_vkey(
      log.name(), ledger_format::NoteKeyType::ed25519, witness.key().public_key);
  EXPECT_EQ(witness.add_log("x", own).error().code, ErrorCode::usage_invalid);
  const auto logs = witness.logs().value();
  ASSERT_EQ(logs.size(), 2U);
  EXPECT_EQ(logs[0].origin, second.name());
  EXPECT_EQ(logs[1].latest->tree_size, 5U);
  EXPECT_EQ(logs[1].cosigned_at, noon);
}

TEST(Witness, is_made_once_and_keeps_its_key_to_itself) {
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "deep" / "witness";
  EXPECT_EQ(Witness::open(folder).error().code, ErrorCode::config_missing);
  EXPECT_EQ(Witness::create(folder, "has space").error().code, ErrorCode::usage_invalid);
  ASSERT_TRUE(Witness::create(folder, "witness.example.org").has_value());
  EXPECT_EQ(Witness::create(folder, "witness.example.org").error().code, ErrorCode::exists);
  struct stat info{};
  ASSERT_EQ(stat((folder / "key.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  const Witness witness = Witness::open(folder).value();
  EXPECT_EQ(read_text(folder / "witness.vkey"), ledger_format::write_vkey(witness.key()) + "\n");
  EXPECT_EQ(witness.key().type, ledger_format::NoteKeyType::cosignature);
  // A key that is not the one handed out.
  write_plain(folder / "key.pem", as_bytes(new_key().write_pem().value()));
  EXPECT_EQ(Witness::open(folder).error().code, ErrorCode::config_invalid);
}

}  // namespace
}  // namespace fiducia::witness::test
