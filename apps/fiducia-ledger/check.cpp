// SPDX-License-Identifier: Apache-2.0
#include "check.h"

#include "sources.h"

#include "cli/cli.h"
#include "home/home.h"
#include "json/json.h"
#include "sealing/sealing.h"

namespace fiducia::ledger_app {
namespace {

namespace fs = std::filesystem;

constexpr int stopped_exit_code = 1;  // no answer was reached

/// The log that is meant, and its key.
struct Target {
  std::shared_ptr<const ledger::ObjectSource> source;
  ledger_format::VerifierKey key;
};

Result<Target> open_target(const cli::LedgerOptions& options) {
  if (options.folder.empty() && options.url.empty()) {
    if (!options.key.empty())
      return fail(ErrorCode::usage_invalid, "--key is for the log that --folder or --url names.",
                  "Name it, or leave the key out to check the log of the home.");
    FIDUCIA_TRY(folder, home::locate_home(options.common.home));
    FIDUCIA_TRY(home, home::Home::open(folder));
    FIDUCIA_TRY(key, home.ledger_vkey());
    FIDUCIA_TRY(source, open_source_of(home));
    return Target{.source = std::move(source), .key = std::move(key)};
  }
  std::error_code error;
  if (options.url.empty() && !fs::is_directory(options.folder, error))
    return fail(ErrorCode::io_unreadable, "is not a folder.", "Check the path.",
                Location{.file = options.folder});
  FIDUCIA_TRY(key, read_key_option(options.key));
  if (options.url.empty())
    return Target{.source = std::make_shared<ledger::DirectoryStore>(options.folder),
                  .key = std::move(key)};
  FIDUCIA_TRY(source, open_url(options.url));
  return Target{.source = std::move(source), .key = std::move(key)};
}

Result<std::optional<ledger::CheckState>> read_state(const cli::LedgerOptions& options) {
  if (options.resume.empty()) return std::nullopt;
  return ledger::find_check_state(options.resume, options.incremental);
}

void print_check(const cli::LedgerOptions& options, const ledger::LogCheck& checked) {
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.ledger-check/1");
    json.member("status", checked.ok ? "intact" : checked.interrupted ? "stopped" : "damaged");
    json.member("entries_checked", checked.entries_checked);
    if (!checked.damaged.empty()) json.member("damaged", checked.damaged);
    json.member("text", checked.text);
    json.member("tree_size", checked.tree_size);
    if (checked.entries_resumed != 0) json.member("entries_resumed", checked.entries_resumed);
    if (checked.ok) json.member("signed_root", checked.has_signed_root ? "present" : "absent");
    json.close_object();
    cli::print_line(json.take());
  } else if (checked.interrupted) {
    cli::print_line("stopped  " + std::to_string(checked.entries_checked) + " entries  " +
                    cli::printable(checked.text));
  } else if (!checked.ok) {
    cli::print_line("damaged  " + cli::printable(checked.damaged) + "  " +
                    cli::printable(checked.text));
  } else if (!options.common.quiet) {
    cli::print_line("intact  " + std::to_string(checked.entries_checked) + " entries  " +
                    cli::printable(checked.text));
  }
}

OutputRules state_rules(const cli::LedgerOptions& options) {
  return sealing::output_rules(
      "state of a check",
      [](ByteView content) { return ledger::read_check_state(content).has_value(); },
      options.common.home, {});
}

Result<int> check_whole(const cli::LedgerOptions& options, const Target& target) {
  const OutputRules rules = state_rules(options);
  cli::Progress progress{"Checking", 2, options.common.quiet};
  auto state = read_state(options);
  if (!state) {  // of a damaged state the log is not to blame: exit code 1
    cli::print_error(state.error(), options.common.json);
    return stopped_exit_code;
  }
  if (!options.resume.empty()) FIDUCIA_CHECK(check_output(options.resume, rules));
  ledger::CheckOptions how;
  how.progress = [&](std::uint64_t done, std::uint64_t total) { progress.set(done, total); };
  how.from = std::move(*state);
  std::optional<cli::StopOnSignal> signals;
  if (!options.resume.empty()) {
    signals.emplace();
    how.stop = [token = signals->token()] { return token.stop_requested(); };
    how.save = [&](const ledger::CheckState& reached) {
      return write_output(options.resume, ledger::write_check_state(reached), rules);
    };
  }
  auto checked = ledger::check_log(*target.source, target.key, how);
  progress.hide();
  if (!checked) {
    // The state does not fit the log.
    if (checked.error().code == ErrorCode::usage_invalid)
      checked.error().where.file = options.resume;
    return std::unexpected(std::move(checked).error());
  }
  print_check(options, *checked);
  if (checked->interrupted) return stopped_exit_code;
  return checked->ok ? 0 : cli::damaged_exit_code;
}

Result<ledger::OtherCopy> open_other(const std::string& named) {
  std::error_code error;
  if (is_url(named)) {
    FIDUCIA_TRY(source, open_url(named));
    return ledger::read_other_copy(std::move(source));
  }
  if (fs::is_directory(named, error))
    return ledger::read_other_copy(std::make_shared<ledger::DirectoryStore>(named));
  FIDUCIA_TRY(bytes, read_file(named, limits::note_bytes_max));
  return ledger::OtherCopy{.note = std::string{as_text(bytes)}, .source = nullptr};
}

/// Only files of an earlier comparison are overwritten.
Status write_evidence(const fs::path& folder, const ledger::LogComparison& found,
                      const cli::LedgerOptions& options) {
  const auto rules = [&](std::string kind, std::function<bool(ByteView)> is_kind) {
    return sealing::output_rules(std::move(kind), std::move(is_kind), options.common.home, {},
                                 {options.against});
  };
  const OutputRules note_rules = rules("checkpoint", [](ByteView content) {
    return ledger_format::read_note(as_text(content)).has_value();
  });
  // Hashes, one a line: base64 and hexadecimal alike.
  const OutputRules hash_rules = rules("list of hashes", [](ByteView content) {
    return as_text(content).find_first_not_of(
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\n") ==
           std::string_view::npos;
  });
  for (const char* name : {"checkpoint.ours", "checkpoint.other"})
    FIDUCIA_CHECK(check_output(folder / name, note_rules));
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return fail(ErrorCode::io_unwritable, "cannot be made: " + error.message() + ".",
                "Name another folder.", Location{.file = folder.string()});
  for (const ledger::EvidenceFile& file : ledger::evidence_of(found))
    FIDUCIA_CHECK(write_output(folder / file.name, as_bytes(file.content),
                               file.name.starts_with("checkpoint") ? note_rules : hash_rules));
  return {};
}

void write_side(json::Writer& json, const char* key, const ledger_format::Checkpoint& checkpoint,
                const std::string& note) {
  json.key(key);
  json.open_object();
  json.member("tree_size", checkpoint.tree_size);
  json.member("root", to_hex(checkpoint.root.view()));
  json.member("checkpoint", note);
  json.close_object();
}

void print_comparison(const cli::LedgerOptions& options, const ledger::LogComparison& found) {
  const bool split = found.views == ledger_format::Views::split;
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.ledger-check/1");
    json.member("status", split ? "split-view" : "consistent");
    json.member("text", found.text);
    json.member("origin", found.ours.origin);
    write_side(json, "ours", found.ours, found.our_note);
    write_side(json, "other", found.other, found.other_note);
    if (found.root_then) json.member("root_then", to_hex(found.root_then->view()));
    if (!options.out.empty()) json.member("evidence", options.out);
    json.close_object();
    cli::print_line(json.take());
    return;
  }
  if (options.common.quiet && !split) return;
  cli::print_line(std::string{split ? "split view  " : "consistent  "} +
                  cli::printable(found.ours.origin) + "  " + cli::printable(found.text));
  if (!split) return;
  const auto side = [](const char* whose, const ledger_format::Checkpoint& checkpoint) {
    cli::print_line(std::string{whose} + std::to_string(checkpoint.tree_size) + " entries  root " +
                    to_hex(checkpoint.root.view()));
  };
  side("  ours   ", found.ours);
  side("  other  ", found.other);
  if (!options.out.empty()) cli::print_line("  evidence in " + cli::printable(options.out));
}

Result<int> compare(const cli::LedgerOptions& options, const Target& target) {
  FIDUCIA_TRY(other, open_other(options.against));
  auto found = ledger::compare_logs(target.source, target.key, other.note, other.source);
  if (!found) {
    if (found.error().where.file.empty()) found.error().where.file = options.against;
    return std::unexpected(std::move(found).error());
  }
  if (!options.out.empty()) FIDUCIA_CHECK(write_evidence(options.out, *found, options));
  print_comparison(options, *found);
  return found->views == ledger_format::Views::split ? cli::damaged_exit_code : 0;
}

}  // namespace

Result<int> check_ledger(const cli::LedgerOptions& options) {
  FIDUCIA_TRY(target, open_target(options));
  if (options.against.empty()) return check_whole(options, target);
  return compare(options, target);
}

}  // namespace fiducia::ledger_app
