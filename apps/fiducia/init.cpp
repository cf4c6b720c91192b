// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "commands.h"
#include "home/home.h"
#include "json/json.h"

namespace fiducia::app {
namespace {

Status init(const cli::InitOptions& options) {
  FIDUCIA_TRY(folder, home::locate_home(options.common.home));
  FIDUCIA_TRY(passphrase,
              home::read_new_passphrase(options.common.passphrase_file, options.passphrase));
  const Status made = home::create_home(folder, options.hospital, options.device, system_now(),
                                        passphrase.value_or(""));
  if (passphrase) wipe(std::as_writable_bytes(std::span{passphrase->data(), passphrase->size()}));
  FIDUCIA_CHECK(made);
  FIDUCIA_TRY(home, home::Home::open(folder));
  FIDUCIA_TRY(vkey, home.ledger_vkey());
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.init/1");
    json.member("home", folder.string());
    json.member("hospital", options.hospital);
    json.member("device", options.device);
    json.member("trust", home.trust_path().string());
    json.member("keys", passphrase ? "encrypted" : "unencrypted");
    json.key("ledger");
    json.open_object();
    json.member("origin", home.about().ledger_origin);
    json.member("vkey", ledger_format::write_vkey(vkey));
    json.close_object();
    json.close_object();
    cli::print_line(json.take());
  } else if (!options.common.quiet) {
    cli::print_line("Made the home " + cli::printable(folder.string()) + " of \"" +
                    cli::printable(options.hospital) + "\" with the device \"" +
                    cli::printable(options.device) + "\".");
    cli::print_line("Ledger: " + home.about().ledger_origin);
    cli::print_line("Trust file, for everybody who verifies: " +
                    cli::printable(home.trust_path().string()));
    cli::print_line("");
    cli::print_line("Next:  fiducia seal PATH --out sealed/");
    cli::print_line("       fiducia verify sealed/ --report report.html");
    cli::print_line("");
    if (passphrase)
      cli::print_line("The keys in " + cli::printable((folder / "keys").string()) +
                      " are encrypted: without the pass phrase nobody can seal, you included.");
    else
      cli::print_line(
          "The keys in " + cli::printable((folder / "keys").string()) +
          " are not encrypted. That is fine for trying Fiducia out, but whoever copies this "
          "home can seal in this hospital's name, make devices, and date seals at will. "
          "--passphrase encrypts them.");
  }
  return {};
}

}  // namespace

int run(const cli::InitOptions& options) {
  if (const Status done = init(options); !done) {
    cli::print_error(done.error(), options.common.json);
    return 1;
  }
  return 0;
}

}  // namespace fiducia::app
