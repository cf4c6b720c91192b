// SPDX-License-Identifier: Apache-2.0
// The sub-command seal, as a user meets it: statuses, exit codes, files written, refusals.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <random>
#include <tuple>

#include "command_home.h"
#include "evidence/evidence.h"
#include "seal/seal.h"
#include "support/dicom_builder.h"
#include "trust/trust.h"

namespace fiducia::app {
namespace {

using test::CommandHome;
using test::run_captured;

cli::SealOptions sealing(const CommandHome& scratch, std::vector<std::string> paths) {
  return {.common = scratch.common(),
          .paths = std::move(paths),
          .device = "",
          .out = "",
          .in_place = false,
          .sidecar = false};
}

int verify(const CommandHome& scratch, const std::filesystem::path& path) {
  return run_captured(cli::VerifyOptions{.common = scratch.common(),
                                         .paths = {path.string()},
                                         .report = "",
                                         .trust = "",
                                         .evidence = {},
                                         .at = {},
                                         .show_values = false})
      .first;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

std::uint64_t tree_size(const CommandHome& scratch) {
  const auto home = home::Home::open(scratch.home());
  EXPECT_TRUE(home.has_value());
  const auto vkey = home->ledger_vkey();
  EXPECT_TRUE(vkey.has_value());
  const auto reader = ledger::LogReader::open(home->ledger_folder(), *vkey);
  EXPECT_TRUE(reader.has_value());
  return reader->status().tree_size;
}

TEST(Seal, without_an_output_leaves_the_file_and_fills_the_store) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.3", 1);
  const std::string before = test::content(image);
  EXPECT_EQ(verify(scratch, image), 3) << "not sealed yet";
  const auto [code, out] = run_captured(sealing(scratch, {image.string()}));
  EXPECT_EQ(code, 0);
  EXPECT_EQ(count(out, R"("status":"sealed")"), 1u) << out;
  EXPECT_EQ(count(out, R"("evidence":"store")"), 1u) << out;
  EXPECT_EQ(test::content(image), before);
  EXPECT_EQ(verify(scratch, image), 0);
}

TEST(Seal, into_another_folder_mirrors_the_tree_and_leaves_the_sources) {
  const CommandHome scratch;
  scratch.write_image("in/a.dcm", "1.2.3", 1);
  scratch.write_image("in/deep/b.dcm", "1.2.4", 2);
  const std::string before = test::content(scratch.path("in/a.dcm"));
  cli::SealOptions options = sealing(scratch, {scratch.path("in").string()});
  options.out = scratch.path("out").string();
  EXPECT_EQ(run_captured(options).first, 0);
  EXPECT_EQ(test::content(scratch.path("in/a.dcm")), before);
  for (const char* name : {"out/a.dcm", "out/deep/b.dcm"}) {
    const auto file = dicom::File::open(scratch.path(name));
    ASSERT_TRUE(file.has_value()) << name;
    EXPECT_TRUE(evidence::find_embedded(file->data_set()).has_value()) << name;
    EXPECT_EQ(verify(scratch, scratch.path(name)), 0) << name;
  }
}

TEST(Seal, in_place_keeps_permissions_and_links) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.3", 1);
  ASSERT_EQ(chmod(image.c_str(), 0640), 0);
  std::filesystem::create_symlink(image, scratch.path("link.dcm"));
  cli::SealOptions options = sealing(scratch, {scratch.path("link.dcm").string()});
  options.in_place = true;
  EXPECT_EQ(run_captured(options).first, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(scratch.path("link.dcm")));
  struct stat info = {};
  ASSERT_EQ(stat(image.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  const auto file = dicom::File::open(image);
  ASSERT_TRUE(file.has_value());
  EXPECT_TRUE(evidence::find_embedded(file->data_set()).has_value());
}

TEST(Seal, with_sidecar_lets_a_stranger_verify) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.3", 1);
  cli::SealOptions options = sealing(scratch, {image.string()});
  options.sidecar = true;
  EXPECT_EQ(run_captured(options).first, 0);
  EXPECT_TRUE(std::filesystem::exists(scratch.path("a.dcm.evidence")));
  std::filesystem::remove(scratch.home() / "evidence.db");
  const auto trust = scratch.path("trust.toml");
  std::filesystem::copy_file(scratch.home() / "trust.toml", trust);
  std::filesystem::remove_all(scratch.home());
  const auto [code, out] =
      run_captured(cli::VerifyOptions{.common = {.home = "", .json = true, .quiet = false},
                                      .paths = {image.string()},
                                      .report = "",
                                      .trust = trust.string(),
                                      .evidence = {},
                                      .at = {},
                                      .show_values = false});
  EXPECT_EQ(code, 0) << out;
  EXPECT_EQ(count(out, R"("found_in":"sidecar")"), 1u) << out;
}

TEST(Seal, twice_makes_one_entry_and_still_writes_what_is_asked_for) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.3", 1);
  EXPECT_EQ(run_captured(sealing(scratch, {image.string()})).first, 0);
  EXPECT_EQ(tree_size(scratch), 2u);
  cli::SealOptions options = sealing(scratch, {image.string()});
  options.out = scratch.path("out").string();
  const auto [code, out] = run_captured(options);
  EXPECT_EQ(code, 0);
  EXPECT_EQ(count(out, R"("status":"already-sealed")"), 1u) << out;
  EXPECT_EQ(count(out, R"("index":1)"), 1u) << out;
  EXPECT_EQ(tree_size(scratch), 2u);
  EXPECT_EQ(verify(scratch, scratch.path("out/a.dcm")), 0);
}

TEST(Seal, of_a_known_identity_with_other_content_is_refused) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.3", 1);
  EXPECT_EQ(run_captured(sealing(scratch, {image.string()})).first, 0);
  const auto pixels = scratch.write_image("pixels.dcm", "1.2.3", 2);
  const auto header = scratch.write_image("header.dcm", "1.2.3", 1, "Evil^Twin");
  for (const auto& forged : {pixels, header}) {
    const std::string before = test::content(forged);
    cli::SealOptions options = sealing(scratch, {forged.string()});
    options.in_place = true;
    const auto [code, out] = run_captured(options);
    EXPECT_EQ(code, 1);
    EXPECT_EQ(count(out, R"("status":"failed")"), 1u) << out;
    EXPECT_EQ(count(out, R"("code":"identity.conflict")"), 1u) << out;
    EXPECT_EQ(out.find("Evil"), std::string::npos) << "no attribute value is printed";
    EXPECT_EQ(test::content(forged), before);
  }
  EXPECT_EQ(tree_size(scratch), 2u);
}

TEST(Seal, of_twins_in_one_run_seals_the_first_and_judges_the_second) {
  const CommandHome scratch;
  scratch.write_image("in/a.dcm", "1.2.3", 1);
  std::filesystem::copy_file(scratch.path("in/a.dcm"), scratch.path("in/b-copy.dcm"));
  scratch.write_image("in/c-forged.dcm", "1.2.3", 2);
  const auto [code, out] = run_captured(sealing(scratch, {scratch.path("in").string()}));
  EXPECT_EQ(code, 1);
  EXPECT_EQ(count(out, R"("status":"sealed")"), 1u) << out;
  EXPECT_EQ(count(out, R"("status":"already-sealed")"), 1u) << out;
  EXPECT_EQ(count(out, R"("status":"failed")"), 1u) << out;
  EXPECT_EQ(tree_size(scratch), 2u);
}

TEST(Seal, skips_other_files_of_a_folder_but_not_one_that_was_named) {
  const CommandHome scratch;
  scratch.write_image("in/a.dcm", "1.2.3", 1);
  ASSERT_TRUE(durable_write(scratch.path("in/readme.txt"), as_bytes("Not an image, just text.\n")));
  EXPECT_EQ(run_captured(sealing(scratch, {scratch.path("in").string()})).first, 0);
  const auto [code, out] = run_captured(sealing(scratch, {scratch.path("in/readme.txt").string()}));
  EXPECT_EQ(code, 1);
  EXPECT_EQ(count(out, R"("status":"failed")"), 1u) << out;
}

TEST(Seal, of_a_damaged_file_fails_and_the_others_are_sealed) {
  const CommandHome scratch;
  scratch.write_image("in/a.dcm", "1.2.3", 1);
  const auto image = scratch.write_image("in/b.dcm", "1.2.4", 2);
  std::filesystem::resize_file(image, std::filesystem::file_size(image) - 100);
  const auto [code, out] = run_captured(sealing(scratch, {scratch.path("in").string()}));
  EXPECT_EQ(code, 1);
  EXPECT_EQ(count(out, R"("status":"sealed")"), 1u) << out;
  EXPECT_EQ(count(out, R"("status":"failed")"), 1u) << out;
}

TEST(Seal, without_output_of_what_could_never_be_found_again_is_refused) {
  const CommandHome scratch;
  test::DicomDataSet directory;
  directory.text({0x0004, 0x1130}, "CS", "DISC");
  const auto path = scratch.path("DICOMDIR");
  ASSERT_TRUE(durable_write(path, directory.file("1.2.840.10008.1.2.1")));
  const auto [code, out] = run_captured(sealing(scratch, {path.string()}));
  EXPECT_EQ(code, 1);
  EXPECT_EQ(count(out, R"("status":"failed")"), 1u) << out;
  EXPECT_EQ(tree_size(scratch), 1u) << "nothing of it is in the ledger";
  cli::SealOptions options = sealing(scratch, {path.string()});
  options.sidecar = true;
  EXPECT_EQ(run_captured(options).first, 0);
  EXPECT_EQ(verify(scratch, path), 0);
}

TEST(Seal, replaces_neither_another_image_nor_another_kind_of_file) {
  const CommandHome scratch;
  const auto image = scratch.write_image("in/a.dcm", "1.2.3", 1);
  const auto other = scratch.write_image("out/a.dcm", "1.2.4", 2);
  const auto refused = [&](cli::SealOptions options, const std::filesystem::path& target) {
    const std::string before = test::content(target);
    const auto [code, out] = run_captured(options);
    EXPECT_EQ(code, 1) << target;
    EXPECT_EQ(count(out, "usage.invalid"), 1u) << out;
    EXPECT_EQ(test::content(target), before) << target;
    EXPECT_EQ(tree_size(scratch), 1u) << "refused before the ledger";
  };
  cli::SealOptions options = sealing(scratch, {image.string()});
  options.out = scratch.path("out").string();
  refused(options, other);
  ASSERT_TRUE(durable_write(other, as_bytes("a letter")));
  refused(options, other);
  options.out = (scratch.home() / "new").string();
  refused(options, scratch.home() / "trust.toml");
  options.out = "";
  options.sidecar = true;
  const auto sidecar = scratch.path("in/a.dcm.evidence");
  ASSERT_TRUE(durable_write(sidecar, as_bytes("a letter")));
  refused(options, sidecar);
  std::filesystem::remove(sidecar);
  EXPECT_EQ(run_captured(options).first, 0);
  EXPECT_EQ(run_captured(options).first, 0) << "its own kind may be replaced";
}

TEST(Seal, refuses_outputs_that_would_replace_or_mix_up_sources) {
  const CommandHome scratch;
  scratch.write_image("in/a.dcm", "1.2.3", 1);
  scratch.write_image("other/a.dcm", "1.2.4", 2);
  const std::string before = test::content(scratch.path("in/a.dcm"));
  struct Row {
    const char* name;
    std::vector<std::string> paths;
    std::string out;
  };
  for (const Row& row :
       {Row{"into itself", {scratch.path("in").string()}, scratch.path("in").string()},
        Row{"below itself", {scratch.path("in").string()}, scratch.path("in/sealed").string()},
        Row{"two of one name",
            {scratch.path("in").string(), scratch.path("other").string()},
            scratch.path("out").string()},
        Row{"a file onto itself",
            {scratch.path("in/a.dcm").string()},
            scratch.path("in").string()}}) {
    cli::SealOptions options = sealing(scratch, row.paths);
    options.out = row.out;
    EXPECT_EQ(run_captured(options).first, 1) << row.name;
    EXPECT_EQ(test::content(scratch.path("in/a.dcm")), before) << row.name;
  }
  EXPECT_FALSE(std::filesystem::exists(scratch.path("out")));
}

// What could not verify after sealing is refused before the ledger.
TEST(Seal, by_a_device_that_does_not_count_is_refused_before_the_ledger) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.3", 1);
  const auto home = home::Home::open(scratch.home());
  ASSERT_TRUE(home.has_value());
  const std::uint64_t before = tree_size(scratch);
  const auto refused = [&](const char* code, const std::string& device) {
    cli::SealOptions options = sealing(scratch, {image.string()});
    options.device = device;
    const auto [exit_code, said] = run_captured(options);
    EXPECT_EQ(exit_code, 1);
    EXPECT_EQ(count(said, std::string{"\"code\":\""} + code + "\""), 1u) << said;
    EXPECT_EQ(tree_size(scratch), before);
    EXPECT_EQ(verify(scratch, image), 3) << "not sealed";
  };
  constexpr std::int64_t ten_years = 10 * 366 * std::int64_t{86'400};
  const UnixTime now = system_now();
  // Made so long ago that its certificate has ended.
  ASSERT_TRUE(home->add_device("OLD", UnixTime{now.seconds - ten_years}).has_value());
  refused("signer.expired", "OLD");
  constexpr std::array amend{crypto::Role::amend};
  ASSERT_TRUE(home->add_device("AMENDER", now, amend).has_value());
  refused("signer.untrusted", "AMENDER");
  ASSERT_TRUE(home->add_device("LOST", now).has_value());
  ASSERT_TRUE(home->revoke_device("LOST", now, "").has_value());
  refused("signer.revoked", "LOST");
  // The key of another device under its certificate.
  ASSERT_TRUE(home->add_device("MIXED", now).has_value());
  std::filesystem::copy_file(scratch.home() / "keys/device-CT-1.pem",
                             scratch.home() / "keys/device-MIXED.pem",
                             std::filesystem::copy_options::overwrite_existing);
  refused("config.invalid", "MIXED");
  // The own trust file no longer lets the authority seal, or the ledger's key is revoked.
  const std::string trust = test::content(scratch.home() / "trust.toml");
  std::string other = trust;
  other.replace(other.find("[\"seal\", "), 9, "[");
  ASSERT_TRUE(durable_write(scratch.home() / "trust.toml", as_bytes(other)).has_value());
  refused("signer.untrusted", "CT-1");
  auto changed = trust::read_trust(trust, "t");
  ASSERT_TRUE(changed.has_value());
  changed->revocations.push_back({.key = trust::key_hash_of(changed->ledgers.front().key),
                                  .at = UnixTime{now.seconds - 10},
                                  .reason = "x"});
  ASSERT_TRUE(durable_write(scratch.home() / "trust.toml", as_bytes(trust::write_trust(*changed))));
  refused("ledger.revoked", "CT-1");
  // Witnesses are asked for, and nobody could ask them.
  changed = trust::read_trust(trust, "t");
  changed->ledgers.front().quorum = 1;
  changed->ledgers.front().witnesses.push_back(
      {.name = "w",
       .key = ledger_format::make_vkey("w.example", ledger_format::NoteKeyType::cosignature,
                                       Bytes(32))});
  ASSERT_TRUE(durable_write(scratch.home() / "trust.toml", as_bytes(trust::write_trust(*changed))));
  refused("config.invalid", "CT-1");
  ASSERT_TRUE(durable_write(scratch.home() / "trust.toml", as_bytes(trust)).has_value());
  EXPECT_EQ(run_captured(sealing(scratch, {image.string()})).first, 0);
}

TEST(Seal, without_a_named_device_is_by_the_first_that_counts) {
  const CommandHome scratch;
  const auto home = home::Home::open(scratch.home());
  ASSERT_TRUE(home.has_value());
  const UnixTime now = system_now();
  ASSERT_TRUE(home->add_device("AA-9", now).has_value());
  ASSERT_TRUE(home->add_device("MR-2", UnixTime{now.seconds - 100}).has_value());
  const auto by = [&](const char* file, const char* uid) {
    const auto [code, out] =
        run_captured(sealing(scratch, {scratch.write_image(file, uid, 1).string()}));
    const std::size_t at = out.find("\"device\":\"");
    return code == 0 && at != std::string::npos ? out.substr(at + 10, 4) : std::string{};
  };
  EXPECT_EQ(by("a.dcm", "1.2.1"), "CT-1");
  ASSERT_TRUE(home->revoke_device("CT-1", now, "").has_value());
  EXPECT_EQ(by("b.dcm", "1.2.2"), "MR-2") << "the oldest that counts";
  ASSERT_TRUE(home->revoke_device("MR-2", now, "").has_value());
  EXPECT_EQ(by("c.dcm", "1.2.3"), "AA-9");
  ASSERT_TRUE(home->revoke_device("AA-9", now, "").has_value());
  EXPECT_EQ(by("d.dcm", "1.2.4"), "") << "nobody is left";
}

TEST(Seal, again_of_an_image_whose_seal_counts_no_more_keeps_that_seal) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.3", 1);
  const auto altered = scratch.write_image("b.dcm", "1.2.3", 2);  // other pixels, the same UID
  cli::SealOptions options = sealing(scratch, {image.string()});
  options.out = scratch.path("first").string();
  ASSERT_EQ(run_captured(options).first, 0);
  const auto home = home::Home::open(scratch.home());
  ASSERT_TRUE(home.has_value());
  const UnixTime now = system_now();
  ASSERT_TRUE(home->revoke_device("CT-1", UnixTime{now.seconds - 1000}, "stolen").has_value());
  ASSERT_TRUE(home->add_device("CT-2", now).has_value());
  EXPECT_EQ(verify(scratch, scratch.path("first/a.dcm")), 4);
  // Not what differs from that seal in anything ...
  EXPECT_EQ(run_captured(sealing(scratch, {altered.string()})).first, 1);
  // ... but what matches it, carried or stripped.
  options.paths = {scratch.path("first/a.dcm").string()};
  options.out = scratch.path("second").string();
  const auto [code, out] = run_captured(options);
  EXPECT_EQ(code, 0) << out;
  EXPECT_EQ(count(out, R"("device":"CT-2")"), 1u) << out;
  EXPECT_EQ(verify(scratch, scratch.path("second/a.dcm")), 0);
  const auto file = dicom::File::open(scratch.path("second/a.dcm"));
  ASSERT_TRUE(file.has_value());
  const auto carried = evidence::find_embedded(file->data_set());
  ASSERT_TRUE(carried.has_value());
  const auto parts = evidence::read_embedded_evidence(*carried);
  ASSERT_TRUE(parts.has_value());
  ASSERT_EQ(parts->size(), 2u) << "the former seal stays";
  EXPECT_EQ(evidence::read_evidence((*parts)[0])->statement.device, "CT-2");
  EXPECT_EQ(evidence::read_evidence((*parts)[1])->statement.device, "CT-1");
  EXPECT_EQ(run_captured(sealing(scratch, {altered.string()})).first, 1) << "sealed otherwise";
  // A seal of a thief: his device is of this home, but this home did not make the seal.
  const auto forged = scratch.write_image("c.dcm", "1.2.9", 3);
  const CommandHome elsewhere;
  const auto signer = home->signer("CT-1");
  ASSERT_TRUE(signer.has_value());
  auto log = ledger::Log::open(elsewhere.home() / "ledger",
                               home::Home::open(elsewhere.home())->ledger_key().value());
  ASSERT_TRUE(log.has_value());
  const auto opened = dicom::File::open(forged);
  ASSERT_TRUE(opened.has_value());
  const auto draft = seal::draft_seal(*opened, *signer, now, nullptr, nullptr);
  ASSERT_TRUE(draft.has_value());
  const Bytes entry = draft->ledger_entry();
  const auto appended = log->append({&entry, 1});
  ASSERT_TRUE(appended.has_value());
  const Bytes evidence = draft->finish(appended->front(), log->checkpoint());
  std::vector<Bytes> storage;
  const auto parts_of_thief = evidence::embed_parts(*opened, evidence, storage);
  ASSERT_TRUE(parts_of_thief.has_value());
  ASSERT_TRUE(durable_write(forged, *parts_of_thief).has_value());
  EXPECT_EQ(run_captured(sealing(scratch, {forged.string()})).first, 1);
}

TEST(Seal, looks_at_the_copy_before_it_takes_the_place_of_the_file) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.3", 1);
  const auto source = dicom::File::open(image);
  ASSERT_TRUE(source.has_value());
  cli::SealOptions options = sealing(scratch, {image.string()});
  options.out = scratch.path("out").string();
  ASSERT_EQ(run_captured(options).first, 0);
  const auto copy = dicom::File::open(scratch.path("out/a.dcm"));
  ASSERT_TRUE(copy.has_value());
  const Bytes evidence(evidence::find_embedded(copy->data_set())->begin(),
                       evidence::find_embedded(copy->data_set())->end());
  std::vector<Bytes> storage;
  const auto parts = evidence::embed_parts(*source, evidence, storage);
  ASSERT_TRUE(parts.has_value());
  const auto meant = seal::CopySource::of(*source, evidence);
  ASSERT_TRUE(meant.has_value());
  EXPECT_TRUE(meant->check_copy(scratch.path("out/a.dcm"), *parts).has_value());
  // Any bit that a disk or a memory turned on the way, wherever it is.
  Bytes written = read_file(scratch.path("out/a.dcm"), 1 << 24).value();
  for (std::size_t at = 0; at < written.size(); at += 97) {
    written[at] ^= std::byte{4};
    ASSERT_TRUE(durable_write(scratch.path("bad.dcm"), written).has_value());
    const auto found = meant->check_copy(scratch.path("bad.dcm"), *parts);
    ASSERT_FALSE(found.has_value()) << at;
    EXPECT_EQ(found.error().code, ErrorCode::io_unwritable);
    written[at] ^= std::byte{4};
  }
  // A source whose values changed after it was sealed, in memory or on disk.
  const auto other = dicom::File::open(scratch.write_image("o.dcm", "1.2.3", 1, "Else^Somebody"));
  ASSERT_TRUE(other.has_value());
  std::vector<Bytes> other_storage;
  const auto other_parts = evidence::embed_parts(*other, evidence, other_storage);
  ASSERT_TRUE(other_parts.has_value());
  ASSERT_TRUE(durable_write(scratch.path("bad.dcm"), *other_parts).has_value());
  EXPECT_FALSE(seal::CopySource::of(*other, evidence)
                   ->check_copy(scratch.path("bad.dcm"), *other_parts)
                   .has_value());
}

/// An image of noise; `changed` columns from the left have other values.
void write_noise(const std::filesystem::path& path, std::uint16_t columns, const std::string& uid,
                 std::size_t changed = 0) {
  constexpr std::uint16_t rows = 64;
  std::mt19937 noise{7};
  Bytes pixels(std::size_t{rows} * columns);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::byte>(noise() >> 24U);
    if (i % columns < changed) pixels[i] ^= std::byte{1};
  }
  test::DicomDataSet d;
  d.text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.7")
      .text({0x0008, 0x0018}, "UI", uid)
      .us({0x0028, 0x0002}, 1)
      .text({0x0028, 0x0004}, "CS", "MONOCHROME2")
      .us({0x0028, 0x0010}, rows)
      .us({0x0028, 0x0011}, columns)
      .us({0x0028, 0x0100}, 8)
      .us({0x0028, 0x0101}, 8)
      .us({0x0028, 0x0102}, 7)
      .us({0x0028, 0x0103}, 0)
      .bytes({0x7FE0, 0x0010}, "OB", std::move(pixels));
  ASSERT_TRUE(durable_write(path, d.file("1.2.840.10008.1.2.1")).has_value());
}

TEST(Seal, says_of_a_picture_that_it_could_not_be_found_again) {
  const CommandHome scratch;
  const auto one = scratch.path("one.dcm");
  const auto two = scratch.path("two.dcm");
  write_noise(one, 64, "1.2.1");
  write_noise(two, 128, "1.2.2");
  const auto told = [&](const std::filesystem::path& path) {
    return count(run_captured(sealing(scratch, {path.string()})).second, "sketch.weak");
  };
  EXPECT_EQ(told(one), 1U);
  EXPECT_EQ(told(two), 0U);
  // Under another identity: found as long as a tile of two, or the only one, is as it was sealed.
  constexpr int altered = 2;
  constexpr int unsealed = 3;
  const auto stripped = scratch.path("stripped.dcm");
  for (const auto& [columns, changed, expected] :
       {std::tuple{std::uint16_t{64}, 0, altered}, std::tuple{std::uint16_t{64}, 1, unsealed},
        std::tuple{std::uint16_t{128}, 1, altered}}) {
    SCOPED_TRACE(std::to_string(columns) + " " + std::to_string(changed));
    write_noise(stripped, columns, "1.2.9", static_cast<std::size_t>(changed));
    EXPECT_EQ(verify(scratch, stripped), expected);
  }
}

TEST(Seal, by_an_unknown_device_is_refused) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.3", 1);
  cli::SealOptions options = sealing(scratch, {image.string()});
  options.device = "MR-9";
  const auto [code, out] = run_captured(options);
  EXPECT_EQ(code, 1);
  EXPECT_EQ(count(out, R"("code":"config.missing")"), 1u) << out;
  EXPECT_EQ(tree_size(scratch), 1u);
}

TEST(Seal, of_more_than_a_batch_seals_each_once_and_in_order) {
  const CommandHome scratch;
  constexpr unsigned images = 300;
  for (unsigned i = 0; i < images; ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "in/%04u.dcm", i);
    scratch.write_image(name, "1.2.3." + std::to_string(i + 1), i);
  }
  const auto [code, out] = run_captured(sealing(scratch, {scratch.path("in").string()}));
  EXPECT_EQ(code, 0);
  EXPECT_EQ(count(out, R"("status":"sealed")"), images);
  EXPECT_EQ(tree_size(scratch), images + 1);
  std::size_t at = 0;
  for (unsigned i = 0; i < images; ++i) {
    const std::size_t found = out.find("\"index\":" + std::to_string(i + 1) + ",", at);
    ASSERT_NE(found, std::string::npos) << i;
    at = found;
  }
}

}  // namespace
}  // namespace fiducia::app
