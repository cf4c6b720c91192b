// SPDX-License-Identifier: Apache-2.0
// The sub-command store.
#include <algorithm>
#include <utility>

#include "cli/cli.h"
#include "commands.h"
#include "home/home.h"
#include "json/json.h"
#include "sealing/sealing.h"
#include "trust/trust.h"

namespace fiducia::app {
namespace {

void print_done(const cli::CommonOptions& common, std::string_view status,
                const std::string& text) {
  if (common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.store/1");
    json.member("status", status);
    json.member("text", text);
    json.close_object();
    cli::print_line(json.take());
  } else if (!common.quiet) {
    cli::print_line(std::string(status) + "  " + text);
  }
}

Result<int> check(const cli::StoreOptions& options, const home::Home& home) {
  FIDUCIA_TRY(store, home.open_store(/*read_only=*/true));
  cli::Progress progress{"Checking", 2, options.common.quiet};
  auto found =
      store->check([&](std::uint64_t done, std::uint64_t total) { progress.set(done, total); });
  progress.hide();
  if (!found && found.error().code == ErrorCode::store_damaged) {
    found = store::StoreCheck{};
    found->text = "The database of the store is damaged.";
  }
  if (!found) return std::unexpected(found.error());
  const std::string remedy =
      found->ok() ? ""
                  : " Restore it from a copy; images that carry their own evidence verify without.";
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.store-check/1");
    json.member("status", found->ok() ? "intact" : "damaged");
    json.member("objects", found->objects);
    json.key("damaged");
    json.open_array();
    for (const Digest& root : found->damaged) json.text(to_hex(root.view()));
    json.close_array();
    json.member("text", found->text + remedy);
    json.close_object();
    cli::print_line(json.take());
  } else if (!found->ok()) {
    cli::print_line("damaged  " + cli::printable(home.store_place()) + "  " + found->text + remedy);
    for (const Digest& root : found->damaged)
      cli::print_line("  object root " + to_hex(root.view()));
  } else if (!options.common.quiet) {
    cli::print_line("intact  " + std::to_string(found->objects) +
                    (found->objects == 1 ? " object  " : " objects  ") + found->text);
  }
  return found->ok() ? 0 : cli::damaged_exit_code;
}

Result<int> accept(const cli::StoreOptions& options, const home::Home& home) {
  FIDUCIA_TRY(trust, trust::open_trust(home.trust_path()));
  FIDUCIA_TRY(recorder,
              sealing::open_recorder(home, /*clock_is_right=*/true));  // nobody seals meanwhile
  FIDUCIA_TRY(done, home::accept_store(home, recorder->status(), trust));
  print_done(options.common, "accepted", done);
  return 0;
}

void print_listed(const store::ListedObject& object, bool as_json) {
  if (!as_json) {
    cli::print_line("entry " + std::to_string(object.ledger_index) + "  object root " +
                    to_hex(object.object_root.view()));
    return;
  }
  json::Writer json;
  json.open_object();
  json.member("schema", "fiducia.store-list/1");
  json.member("object_root", to_hex(object.object_root.view()));
  json.member("ledger_index", object.ledger_index);
  for (const auto& [name, hash] :
       {std::pair{"instance", &object.instance}, std::pair{"study", &object.study},
        std::pair{"series", &object.series}})
    if (!hash->empty()) json.member(name, to_hex(*hash));
  json.close_object();
  cli::print_line(json.take());
}

/// Page by page: memory does not grow with the store.
Result<int> list(const cli::StoreOptions& options, const home::Home& home) {
  FIDUCIA_TRY(store, home.open_store(/*read_only=*/true));
  store::ListQuery query{.study_instance_uid = options.study,
                         .series_instance_uid = options.series,
                         .after = options.after};
  std::uint64_t listed = 0;
  do {
    if (options.objects_max > 0)
      query.objects_max = static_cast<std::size_t>(
          std::min<std::uint64_t>(limits::store_page_objects_max, options.objects_max - listed));
    FIDUCIA_TRY(page, store->list(query));
    for (const store::ListedObject& object : page.objects)
      print_listed(object, options.common.json);
    listed += page.objects.size();
    query.after = page.next;
  } while (!query.after.empty() && (options.objects_max == 0 || listed < options.objects_max));
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.store-list/1");
    json.key("summary");
    json.boolean(true);
    json.member("objects", listed);
    if (!query.after.empty()) json.member("next", query.after);
    json.close_object();
    cli::print_line(json.take());
  } else if (!query.after.empty()) {
    cli::print_line("more  Go on with --after " + query.after);
  }
  return 0;
}

Result<int> move_or_join(const cli::StoreOptions& options, const home::Home& home) {
  FIDUCIA_TRY(trust, trust::open_trust(home.trust_path()));
  FIDUCIA_TRY(recorder,
              sealing::open_recorder(home, /*clock_is_right=*/true));  // nobody seals meanwhile
  const bool others = home::has_ledger_file(home.folder());
  const home::HeldHome held{
      .home = home,
      .log = recorder->status(),
      .trust = trust,
      .appenders = others ? home::Appenders::others : home::Appenders::this_home};
  cli::Progress progress{"Copying", 2, options.common.quiet};
  const auto advance = [&](std::uint64_t done, std::uint64_t total) { progress.set(done, total); };
  const bool joins = options.action == cli::StoreOptions::Action::join;
  const auto done = joins ? home::join_store(held, options.postgres, options.key, advance)
                          : home::move_store(held, options.postgres, advance);
  progress.hide();
  if (!done) return std::unexpected(done.error());
  print_done(options.common, joins ? "joined" : "moved", done->text());
  return 0;
}

Result<int> store_command(const cli::StoreOptions& options) {
  FIDUCIA_TRY(folder, home::locate_home(options.common.home));
  FIDUCIA_TRY(home, home::Home::open(folder));
  home.set_passphrase_file(options.common.passphrase_file);
  switch (options.action) {
    case cli::StoreOptions::Action::check:
      return check(options, home);
    case cli::StoreOptions::Action::accept:
      return accept(options, home);
    case cli::StoreOptions::Action::list:
      return list(options, home);
    case cli::StoreOptions::Action::move:
    case cli::StoreOptions::Action::join:
      return move_or_join(options, home);
  }
  std::unreachable();
}

}  // namespace

int run(const cli::StoreOptions& options) {
  const auto exit_code = store_command(options);
  if (!exit_code) {
    cli::print_error(exit_code.error(), options.common.json);
    return 1;
  }
  return *exit_code;
}

}  // namespace fiducia::app
