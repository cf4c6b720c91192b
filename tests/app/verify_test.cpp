// SPDX-License-Identifier: Apache-2.0
// The sub-commands verify and export: exit codes of several files, homes, order, reports.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command_home.h"
#include "seal/seal.h"

namespace fiducia::app {
namespace {

using test::CommandHome;
using test::run_captured;

cli::VerifyOptions verifying(const CommandHome& scratch, std::vector<std::string> paths) {
  return {.common = scratch.common(),
          .paths = std::move(paths),
          .report = "",
          .trust = "",
          .evidence = {},
          .at = {},
          .show_values = false};
}

void seal_in_place(const CommandHome& scratch, const std::string& path) {
  EXPECT_EQ(run_captured(cli::SealOptions{.common = scratch.common(),
                                          .paths = {path},
                                          .device = "",
                                          .out = "",
                                          .in_place = true,
                                          .sidecar = false})
                .first,
            0);
}

/// Changes one pixel byte: the last of the file is in the last tile.
void flip_last_byte(const std::filesystem::path& path) {
  std::string text = test::content(path);
  text.back() = static_cast<char>(text.back() ^ 1);
  ASSERT_TRUE(durable_write(path, as_bytes(text)).has_value());
}

TEST(Verify, of_several_files_exits_with_the_worst) {
  const CommandHome scratch;
  const auto good = scratch.write_image("good.dcm", "1.2.1", 1);
  const auto bad = scratch.write_image("bad.dcm", "1.2.2", 2);
  const auto stranger = scratch.write_image("stranger.dcm", "1.2.3", 3);
  seal_in_place(scratch, good.string());
  seal_in_place(scratch, bad.string());
  flip_last_byte(bad);
  const auto text = scratch.path("text.dcm");
  ASSERT_TRUE(durable_write(text, as_bytes("This is not an image, whatever its name says.")));
  const std::string missing = scratch.path("missing.dcm").string();
  struct Row {
    std::vector<std::string> paths;
    int expected;
  };
  for (const Row& row :
       {Row{{good}, 0}, Row{{stranger}, 3}, Row{{good, stranger}, 3}, Row{{text}, 6},
        Row{{text, stranger, good}, 6}, Row{{bad}, 2}, Row{{good, text, bad, stranger}, 2},
        Row{{missing}, 1}, Row{{bad, missing, good}, 1}}) {
    const auto [code, out] = run_captured(verifying(scratch, row.paths));
    EXPECT_EQ(code, row.expected) << out;
  }
}

TEST(Verify, names_the_tile_that_was_changed) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.1", 1);  // 80 x 70: tiles 2 x 2
  seal_in_place(scratch, image.string());
  flip_last_byte(image);
  const auto [code, out] = run_captured(verifying(scratch, {image.string()}));
  EXPECT_EQ(code, 2);
  EXPECT_NE(out.find(R"("tiles":[[1,1]])"), std::string::npos) << out;
  EXPECT_NE(out.find(R"("box":{"x":64,"y":64,"width":16,"height":6})"), std::string::npos) << out;
}

TEST(Verify, prints_one_line_a_file_in_the_order_of_the_paths) {
  const CommandHome scratch;
  constexpr unsigned images = 40;
  for (unsigned i = 0; i < images; ++i)
    scratch.write_image("in/" + std::to_string(100 + i) + ".dcm", "1.2." + std::to_string(i), i);
  const auto [code, out] = run_captured(verifying(scratch, {scratch.path("in").string()}));
  EXPECT_EQ(code, 3);
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), images);
  std::size_t at = 0;
  for (unsigned i = 0; i < images; ++i) {
    at = out.find("/" + std::to_string(100 + i) + ".dcm", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST(Verify, shows_values_only_when_asked) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.1", 1, "First^Patient");
  EXPECT_EQ(run_captured(scratch.sealing(image)).first, 0);
  scratch.write_image("a.dcm", "1.2.1", 1, "Second^Name");
  cli::VerifyOptions options = verifying(scratch, {image.string()});
  for (const bool json : {true, false}) {
    options.common.json = json;
    options.show_values = false;
    const auto [code, hidden] = run_captured(options);
    EXPECT_EQ(code, 2);
    EXPECT_NE(hidden.find("(0010,0010)"), std::string::npos) << hidden;
    EXPECT_EQ(hidden.find("Second"), std::string::npos) << hidden;
    options.show_values = true;
    EXPECT_NE(run_captured(options).second.find("Second"), std::string::npos);
  }
}

TEST(Verify, quiet_prints_the_problems_and_nothing_else) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.1", 1);
  cli::VerifyOptions options = verifying(scratch, {image.string()});
  options.common = {.home = scratch.home().string(), .json = false, .quiet = true};
  const auto [code, out] = run_captured(options);
  EXPECT_EQ(code, 3);
  EXPECT_EQ(out.find("unsealed  "), 0u) << out;
  EXPECT_EQ(run_captured(scratch.sealing(image)).first, 0);
  EXPECT_EQ(run_captured(options), (std::pair<int, std::string>{0, ""}));
}

TEST(Verify, without_home_and_trust_file_says_what_to_do) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.1", 1);
  cli::VerifyOptions options = verifying(scratch, {image.string()});
  options.common.home = scratch.path("nowhere").string();
  const auto [code, out] = run_captured(options);
  EXPECT_EQ(code, 1);
  EXPECT_NE(out.find("config.missing"), std::string::npos) << out;
  // A home that was named and is not there is an error even with a trust file: its store counts.
  options.trust = (scratch.home() / "trust.toml").string();
  EXPECT_EQ(run_captured(options).first, 1);
}

TEST(Verify, fails_closed_when_the_store_cannot_be_read) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.1", 1);
  ASSERT_TRUE(durable_write(scratch.home() / "evidence.db", as_bytes("not a database at all")));
  const auto [code, out] = run_captured(verifying(scratch, {image.string()}));
  EXPECT_EQ(code, 1) << "unsealed would be a guess: " << out;
}

TEST(Verify, mends_a_store_whose_writer_was_killed_while_it_closed) {
  const CommandHome scratch;
  const std::string image = scratch.write_image("a.dcm", "1.2.3", 1);
  ASSERT_EQ(run_captured(cli::SealOptions{.common = scratch.common(),
                                          .paths = {image},
                                          .device = "",
                                          .out = "",
                                          .in_place = false,
                                          .sidecar = false})
                .first,
            0);
  const std::filesystem::path store = scratch.home() / "evidence.db";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto home = home::Home::open(scratch.home());
    if (!home) ::_exit(1);
    const auto writer = home->open_store(/*read_only=*/false);
    store::Record record{};
    record.sop_instance_uid = "1.2.4";
    record.evidence = Bytes(64);
    if (!writer || !(*writer)->put(std::span{&record, 1})) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_GT(std::filesystem::file_size(store.string() + "-wal"), 0U);
  ASSERT_TRUE(std::filesystem::remove(store.string() + "-shm"));
  EXPECT_EQ(run_captured(verifying(scratch, {image})).first, 0);
  EXPECT_FALSE(std::filesystem::exists(store.string() + "-wal"));
}

TEST(Verify, of_a_revoked_device_is_untrusted_from_that_time_on) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.1", 1);
  seal_in_place(scratch, image.string());
  const auto home = home::Home::open(scratch.home());
  ASSERT_TRUE(home.has_value());
  const UnixTime now = system_now();
  ASSERT_TRUE(home->revoke_device("CT-1", UnixTime{now.seconds + 3600}, "later").has_value());
  EXPECT_EQ(run_captured(verifying(scratch, {image.string()})).first, 0);
  ASSERT_TRUE(home->revoke_device("CT-1", UnixTime{now.seconds - 3600}, "earlier").has_value());
  EXPECT_EQ(run_captured(verifying(scratch, {image.string()})).first, 4);
}

TEST(Verify, writes_a_report_that_only_its_maker_can_read) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.1", 1);
  seal_in_place(scratch, image.string());
  flip_last_byte(image);
  cli::VerifyOptions options = verifying(scratch, {image.string()});
  options.report = scratch.path("report.html").string();
  EXPECT_EQ(run_captured(options).first, 2);
  const std::string html = test::content(options.report);
  EXPECT_NE(html.find("data:image/png;base64,"), std::string::npos);
  struct stat info = {};
  ASSERT_EQ(stat(options.report.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST(Export, gives_a_stranger_what_verify_needs) {
  const CommandHome scratch;
  scratch.write_image("in/a.dcm", "1.2.1", 1);
  scratch.write_image("in/b.dcm", "1.2.2", 2);
  EXPECT_EQ(run_captured(cli::SealOptions{.common = scratch.common(),
                                          .paths = {scratch.path("in").string()},
                                          .device = "",
                                          .out = "",
                                          .in_place = false,
                                          .sidecar = false})
                .first,
            0);
  cli::ExportOptions exporting{.common = scratch.common(),
                               .paths = {scratch.path("in").string()},
                               .out = scratch.path("both.evidence").string(),
                               .trust = ""};
  EXPECT_EQ(run_captured(exporting).first, 0);
  scratch.write_image("in/c.dcm", "1.2.3", 3);
  EXPECT_EQ(run_captured(exporting).first, 3) << "one has no evidence";
  std::filesystem::copy_file(scratch.home() / "trust.toml", scratch.path("trust.toml"));
  std::filesystem::remove_all(scratch.home());
  cli::VerifyOptions stranger =
      verifying(scratch, {scratch.path("in/a.dcm").string(), scratch.path("in/b.dcm").string()});
  stranger.common.home.clear();
  stranger.trust = scratch.path("trust.toml").string();
  EXPECT_EQ(run_captured(stranger).first, 3);
  stranger.evidence = {exporting.out};
  EXPECT_EQ(run_captured(stranger).first, 0);
}

TEST(Export, of_nothing_sealed_writes_no_file) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.1", 1);
  const cli::ExportOptions exporting{.common = scratch.common(),
                                     .paths = {image.string()},
                                     .out = scratch.path("x.evidence").string(),
                                     .trust = ""};
  EXPECT_EQ(run_captured(exporting).first, 1);
  EXPECT_FALSE(std::filesystem::exists(exporting.out));
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  ASSERT_TRUE(durable_write(path, as_bytes(text)).has_value());
}

TEST(Verify, of_a_folder_ends_with_what_was_found) {
  const CommandHome scratch;
  for (unsigned i = 0; i < 3; ++i)
    scratch.write_image("in/" + std::to_string(i) + ".dcm", "1.2." + std::to_string(i), i);
  EXPECT_EQ(run_captured(scratch.sealing(scratch.path("in"))).first, 0);
  scratch.write_image("in/1.dcm", "1.2.1", 7);
  write_text(scratch.path("in/README.txt"), "scans of the year");
  cli::VerifyOptions options = verifying(scratch, {scratch.path("in").string()});
  options.common.json = false;
  options.only_problems = true;
  const auto [code, out] = run_captured(options);
  EXPECT_EQ(code, 2);
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2) << out;
  EXPECT_NE(
      out.find("3 files: 2 authentic, 1 altered; the worst: altered, " +
               scratch.path("in/1.dcm").string() + ". Left out: 1 file that is not an image.\n"),
      std::string::npos)
      << out;
  options.strict = true;
  EXPECT_NE(run_captured(options).second.find("1 malformed"), std::string::npos);
}

TEST(Verify, leaves_out_only_what_nobody_takes_for_an_image) {
  const CommandHome scratch;
  const auto verdicts = [&](const std::string& folder) {
    cli::VerifyOptions options = verifying(scratch, {scratch.path(folder).string()});
    return run_captured(options);
  };
  scratch.write_image("in/a.dcm", "1.2.1", 1);
  for (const char* name : {"notes.txt", "LICENSE", ".DS_Store"})
    write_text(scratch.path("in") / name, "plain words");
  EXPECT_EQ(verdicts("in").first, 3);
  // Called as images are, with a sidecar, or with the prefix out of its place: an alarm.
  for (const char* name : {"b.dcm", "IM000001", "1.2.840.1", "DICOMDIR", "c.IMA"}) {
    write_text(scratch.path("in") / name, "plain words");
    const auto [code, out] = verdicts("in");
    EXPECT_EQ(code, 6) << name;
    EXPECT_NE(out.find("malformed"), std::string::npos) << name;
    std::filesystem::remove(scratch.path("in") / name);
  }
  write_text(scratch.path("in/moved.txt"), "word DICM and what follows");
  EXPECT_EQ(verdicts("in").first, 6);
  std::filesystem::remove(scratch.path("in/moved.txt"));
  write_text(scratch.path("in/notes.txt.evidence"), "x");
  EXPECT_EQ(verdicts("in").first, 6);
  // A file that is named itself is meant; a folder without any image is no success.
  EXPECT_EQ(run_captured(verifying(scratch, {scratch.path("in/LICENSE").string()})).first, 6);
  write_text(scratch.path("none/LICENSE"), "plain words");
  EXPECT_EQ(verdicts("none").first, 1);
}

TEST(Verify, report_replaces_nothing_but_a_report) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.1", 1);
  const auto other = scratch.write_image("b.dcm", "1.2.2", 2);
  write_text(scratch.path("letter.html"), "<!DOCTYPE html>a letter");
  const std::string trust = test::content(scratch.home() / "trust.toml");
  std::filesystem::create_symlink(image, scratch.path("link.html"));
  for (const auto& path :
       {image, other, scratch.path("letter.html"), scratch.path("link.html"),
        scratch.home() / "trust.toml", scratch.home() / "new.html", scratch.path("")}) {
    const std::string before = std::filesystem::is_regular_file(path) ? test::content(path) : "";
    cli::VerifyOptions options = verifying(scratch, {image.string()});
    options.report = path.string();
    const auto [code, out] = run_captured(options);
    EXPECT_EQ(code, 1) << path;
    EXPECT_NE(out.find("usage.invalid"), std::string::npos) << out;
    if (!before.empty()) {
      EXPECT_EQ(test::content(path), before) << path;
    }
  }
  EXPECT_FALSE(std::filesystem::exists(scratch.home() / "new.html"));
  EXPECT_EQ(test::content(scratch.home() / "trust.toml"), trust);
  cli::VerifyOptions options = verifying(scratch, {image.string()});
  options.report = scratch.path("report.html").string();
  EXPECT_EQ(run_captured(options).first, 3);
  EXPECT_EQ(run_captured(options).first, 3) << "a report may be replaced";
}

TEST(Export, replaces_nothing_but_evidence) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.1", 1);
  EXPECT_EQ(run_captured(scratch.sealing(image)).first, 0);
  cli::ExportOptions options;
  options.common = scratch.common();
  options.paths = {image.string()};
  const std::string before = test::content(image);
  options.out = image.string();
  const auto [code, out] = run_captured(options);
  EXPECT_EQ(code, 1);
  EXPECT_EQ(out.find("exported"), std::string::npos) << "said before it was done: " << out;
  EXPECT_EQ(test::content(image), before);
  options.out = scratch.path("a.evidence").string();
  EXPECT_EQ(run_captured(options).first, 0);
  EXPECT_EQ(run_captured(options).first, 0);
}

}  // namespace
}  // namespace fiducia::app
