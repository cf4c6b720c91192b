// SPDX-License-Identifier: Apache-2.0
#include "sources.h"

#include "http/http.h"
#include "ledger_net/ledger_net.h"

namespace fiducia::ledger_app {

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

Result<LedgerSource> open_url(const std::string& url) {
  FIDUCIA_TRY(source, ledger_net::HttpSource::make(url, std::make_shared<const http::Client>()));
  return LedgerSource{std::move(source)};
}

Result<LedgerSource> open_source_of(const home::Home& home) {
  if (!home::has_ledger_file(home.folder()))
    return std::make_shared<ledger::DirectoryStore>(home.ledger_folder());
  FIDUCIA_TRY(ledger, home_ledger::open_ledger_home(home.folder().string()));
  FIDUCIA_TRY(store, home_ledger::open_store(ledger));
  return LedgerSource{std::move(store)};
}

Result<OpenLedger> open_ledger(const std::string& home_option) {
  FIDUCIA_TRY(folder, home::locate_home(home_option));
  FIDUCIA_TRY(home, home::Home::open(folder));
  FIDUCIA_TRY(key, home.ledger_vkey());
  FIDUCIA_TRY(source, open_source_of(home));
  return OpenLedger{.home = std::move(home), .key = std::move(key), .source = std::move(source)};
}

Result<ledger_format::VerifierKey> read_key_option(const std::string& text) {
  auto key = ledger_format::read_vkey(text);
  if (!key)
    return fail(ErrorCode::usage_invalid, "--key is not a verifier key: " + key.error().what,
                "Copy it from whoever runs the log (`fiducia ledger status` shows it); the shell "
                "may need quotes.");
  return key;
}

}  // namespace fiducia::ledger_app
