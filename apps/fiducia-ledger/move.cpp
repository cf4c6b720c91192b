// SPDX-License-Identifier: Apache-2.0

#include "cli/cli.h"
#include "home_ledger/home_ledger.h"
#include "json/json.h"
#include "ledger_commands.h"
#include "ledger_format/bundle.h"
#include "ledger_postgres/ledger_postgres.h"

namespace fiducia::ledger_app {
namespace {

namespace fs = std::filesystem;

constexpr const char* moved_journal = ".journal.moved";

/// Everything a log of `size` entries consists of, from one store into another.
Status copy_objects(const ledger::ObjectSource& from, ledger::ObjectStore& to, std::uint64_t size) {
  constexpr std::size_t objects_at_once = 64;
  std::vector<ledger::NewObject> batch;
  const auto copy = [&](const ledger_format::TileAddress& address) -> Status {
    const std::string path = ledger_format::tile_path(address);
    FIDUCIA_TRY(content, ledger::read_object(from, path, limits::ledger_round_bytes_max));
    batch.push_back({.path = path, .content = std::move(content)});
    if (batch.size() < objects_at_once) return {};
    FIDUCIA_CHECK(to.create(batch, ledger::Existing::refuse));
    batch.clear();
    return {};
  };
  for (std::uint64_t index = 0; index * ledger_format::tile_width < size; ++index)
    FIDUCIA_CHECK(
        copy({.level = {}, .index = index, .width = ledger_format::tile_width_at(0, index, size)}));
  for (unsigned level = 0; level < ledger_format::tile_levels_max; ++level)
    for (std::uint64_t index = 0; ledger_format::tile_width_at(level, index, size) > 0; ++index)
      FIDUCIA_CHECK(copy({.level = level,
                          .index = index,
                          .width = ledger_format::tile_width_at(level, index, size)}));
  FIDUCIA_CHECK(to.create(batch, ledger::Existing::refuse));
  for (const char* file : {"signed-root.cbor", "checkpoint"}) {
    FIDUCIA_TRY(content, ledger::read_object(from, file, limits::note_bytes_max));
    FIDUCIA_CHECK(to.replace(file, content));
  }
  return to.sync();
}

/// All entries of a log as the one round that makes its tree from nothing.
Result<ledger::Round> round_of(const ledger::LogReader& reader, const ledger::Tail& tail) {
  ledger::Round round;
  round.record = *tail.record;
  round.note = tail.note;
  for (std::uint64_t index = 0; index < tail.frontage.size; ++index) {
    FIDUCIA_TRY(entry, reader.entry(index));
    ledger_format::append_to_bundle(round.entries, entry);
    if (round.entries.size() > limits::ledger_round_bytes_max)
      return fail(ErrorCode::over_limit, "The ledger is too long to be moved in one piece.",
                  "Keep its sequencer local and move only its tiles (sequencer = \"local\").");
  }
  return round;
}

Result<std::uint64_t> move_ledger(const home_ledger::LedgerHome& home) {
  if (home.store == home_ledger::StoreKind::directory &&
      home.sequencer == home_ledger::SequencerKind::local)
    return fail(ErrorCode::usage_invalid, "ledger.toml says that the ledger stays where it is.",
                "Set store or sequencer in it first.",
                Location{.file = (home.home.folder() / "ledger.toml").string()});
  {  // in good order first: everything that is acknowledged is published
    FIDUCIA_TRY(key, home.home.ledger_key());
    FIDUCIA_TRY(log, ledger::Log::open(home.ledger_folder(), std::move(key)));
    FIDUCIA_CHECK(log.flush());
  }
  FIDUCIA_TRY(journal, ledger::LocalJournal::open(home.ledger_folder()));
  FIDUCIA_TRY(news, journal->take_turn(0));
  if (!news.base || !news.rounds.empty())
    return fail(ErrorCode::busy, "The ledger was not closed cleanly.", "Run this again.");
  const auto local = std::make_shared<ledger::DirectoryStore>(home.ledger_folder());
  FIDUCIA_TRY(reader, ledger::LogReader::open(local, home.vkey));
  FIDUCIA_TRY(store, home_ledger::open_store(home));
  const std::uint64_t size = news.base->frontage.size;
  if (home.store != home_ledger::StoreKind::directory)
    FIDUCIA_CHECK(copy_objects(*local, *store, size));
  if (home.sequencer == home_ledger::SequencerKind::postgresql) {
    FIDUCIA_CHECK(ledger_postgres::PostgresSequencer::create(home.postgresql, home.origin()));
    FIDUCIA_TRY(round, round_of(reader, *news.base));
    FIDUCIA_TRY(target, ledger_postgres::PostgresSequencer::open(home.postgresql, home.origin()));
    FIDUCIA_TRY(there, target->take_turn(0));
    if (there.base || !there.rounds.empty()) {
      target->abandon();
      return fail(ErrorCode::exists, "The database holds entries of this ledger already.",
                  "If an earlier move was cut off after it had committed, rename .journal to " +
                      std::string{moved_journal} + " in the ledger's folder.");
    }
    FIDUCIA_CHECK(target->commit(round, ledger::Tail{}, [] {}));
    // From here on the database decides; the journal must not be appended to again.
    std::error_code error;
    fs::rename(home.ledger_folder() / ".journal", home.ledger_folder() / moved_journal, error);
    if (error)
      return fail(ErrorCode::io_unwritable, "The old journal cannot be renamed.",
                  "Rename it by hand: the database goes on from here.",
                  Location{.file = (home.ledger_folder() / ".journal").string()});
    FIDUCIA_CHECK(sync_folder(home.ledger_folder()));
  }
  journal->abandon();
  journal.reset();
  // The first opening there publishes and checks.
  FIDUCIA_TRY(parts, home_ledger::open_parts(home));
  FIDUCIA_TRY(log, ledger::Log::open(std::move(parts)));
  FIDUCIA_CHECK(log.flush());
  return size;
}

Result<int> move(const cli::MoveOptions& options) {
  FIDUCIA_TRY(home, home_ledger::open_ledger_home(options.common.home));
  FIDUCIA_TRY(size, move_ledger(home));
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.ledger-move/1");
    json.member("origin", home.origin());
    json.member("tree_size", size);
    json.close_object();
    cli::print_line(json.take());
  } else if (!options.common.quiet) {
    cli::print_line("moved  " + std::to_string(size) + " entries");
  }
  return 0;
}

}  // namespace

int run(const cli::MoveOptions& options) { return cli::finish(move(options), options.common.json); }

}  // namespace fiducia::ledger_app
