// SPDX-License-Identifier: Apache-2.0
// The sub-command store: check and accept.
#include "cli/cli.h"
#include "commands.h"
#include "home/home.h"
#include "json/json.h"
#include "sealing/sealing.h"
#include "trust/trust.h"

namespace fiducia::app {
namespace {

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
    cli::print_line("damaged  " + cli::printable(home.store_path().string()) + "  " + found->text +
                    remedy);
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
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.store/1");
    json.member("status", "accepted");
    json.member("text", done);
    json.close_object();
    cli::print_line(json.take());
  } else if (!options.common.quiet) {
    cli::print_line("accepted  " + done);
  }
  return 0;
}

Result<int> store_command(const cli::StoreOptions& options) {
  FIDUCIA_TRY(folder, home::locate_home(options.common.home));
  FIDUCIA_TRY(home, home::Home::open(folder));
  home.set_passphrase_file(options.common.passphrase_file);
  return options.action == cli::StoreOptions::Action::check ? check(options, home)
                                                            : accept(options, home);
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
