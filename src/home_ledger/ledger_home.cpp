// SPDX-License-Identifier: Apache-2.0
#include "home_ledger/ledger_home.h"

#include <algorithm>
#include <array>
#include <limits>

#include "config/config.h"
#include "ledger_postgres/ledger_postgres.h"
#include "seal/seal.h"
#include "trust/trust.h"

namespace fiducia::home_ledger {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t config_bytes_max = 1U << 20;

constexpr config::Section::Style style{
    .remedy = "Fix the file there; docs/operations.md lists the keys.", .text_bytes_max = 4096};

Status read_s3(const config::Section& section, LedgerHome& home) {
  constexpr std::array<std::string_view, 8> known{"endpoint", "region",     "bucket",
                                                  "prefix",   "path_style", "lock_days",
                                                  "ca_file",  "credentials"};
  FIDUCIA_CHECK(section.check_keys(known));
  FIDUCIA_TRY(endpoint, section.required_text("endpoint"));
  FIDUCIA_TRY(region, section.optional_text("region"));
  FIDUCIA_TRY(bucket, section.required_text("bucket"));
  FIDUCIA_TRY(prefix, section.optional_text("prefix"));
  FIDUCIA_TRY(path_style, section.optional_boolean("path_style", home.s3.path_style));
  FIDUCIA_TRY(lock_days, section.optional_count("lock_days", home.s3.lock_days, 36'500));
  FIDUCIA_TRY(ca_file, section.optional_text("ca_file"));
  FIDUCIA_TRY(credentials, section.optional_text("credentials"));
  home.s3.endpoint = std::move(endpoint);
  if (!region.empty()) home.s3.region = std::move(region);
  home.s3.bucket = std::move(bucket);
  home.s3.prefix = std::move(prefix);
  home.s3.path_style = path_style;
  home.s3.lock_days = static_cast<std::uint32_t>(lock_days);
  home.s3.ca_file = std::move(ca_file);
  if (!credentials.empty()) home.s3_credentials = home.home.folder() / credentials;
  return {};
}

Status read_postgresql(const config::Section& section, LedgerHome& home) {
  constexpr std::array<std::string_view, 1> known{"connection"};
  FIDUCIA_CHECK(section.check_keys(known));
  FIDUCIA_TRY(connection, section.required_text("connection"));
  home.postgresql = std::move(connection);
  return {};
}

/// `[[time_stamp]]`: where to ask; whom to believe stands in the trust file, under the same name.
Status read_time_stamps(const config::Section& root, const trust::Trust& trust, LedgerHome& home) {
  constexpr std::array<std::string_view, 2> known{"name", "url"};
  FIDUCIA_TRY(sections, root.tables("time_stamp", "[[time_stamp]]"));
  for (const config::Section& section : sections) {
    FIDUCIA_CHECK(section.check_keys(known));
    ledger_net::TimeStampSource source;
    FIDUCIA_TRY(name, section.required_text("name"));
    FIDUCIA_TRY(url, section.required_text("url"));
    source.name = std::move(name);
    source.url = std::move(url);
    const auto tsa = std::ranges::find(trust.tsas, source.name, &trust::TrustedTsa::name);
    if (tsa == trust.tsas.end())
      return section.bad("name", "trust.toml has no [[tsa]] of this name.");
    source.anchors = {tsa->certificate};
    source.policies = tsa->policies;
    home.time_stamps.push_back(std::move(source));
  }
  return {};
}

/// What is there must be said, and nothing else.
Status read_root(const config::Section& root, const trust::Trust& trust, LedgerHome& home) {
  constexpr std::array<std::string_view, 7> known{
      "version", "store", "sequencer", "witness_policy", "s3", "postgresql", "time_stamp"};
  FIDUCIA_TRY(version, root.required_count("version", std::numeric_limits<std::uint32_t>::max()));
  if (version != 1)
    return root.bad("version",
                    "version = 1 must stand in it: use the program that this file was "
                    "written for.");
  FIDUCIA_CHECK(root.check_keys(known));
  FIDUCIA_TRY(store, root.optional_text("store"));
  FIDUCIA_TRY(sequencer, root.optional_text("sequencer"));
  FIDUCIA_TRY(policy, root.optional_text("witness_policy"));
  FIDUCIA_TRY(s3, root.optional_table("s3"));
  FIDUCIA_TRY(postgresql, root.optional_table("postgresql"));
  if (store == "s3" && s3) {
    home.store = StoreKind::s3;
    FIDUCIA_CHECK(read_s3(*s3, home));
  } else if ((!store.empty() && store != "directory") || s3) {
    return root.bad("store", "store is \"directory\", or \"s3\" with a table [s3].");
  }
  if (sequencer == "postgresql" && postgresql) {
    home.sequencer = SequencerKind::postgresql;
    FIDUCIA_CHECK(read_postgresql(*postgresql, home));
  } else if ((!sequencer.empty() && sequencer != "local") || postgresql) {
    return root.bad("sequencer",
                    "sequencer is \"local\", or \"postgresql\" with a table [postgresql].");
  }
  FIDUCIA_CHECK(read_time_stamps(root, trust, home));
  if (policy.empty()) return {};
  FIDUCIA_TRY(witnesses, ledger_format::open_policy(home.home.folder() / policy));
  home.witnesses = std::move(witnesses);
  return {};
}

Status read_ledger_file(const fs::path& file, const trust::Trust& trust, LedgerHome& home) {
  FIDUCIA_TRY(bytes, read_file(file, config_bytes_max));
  const auto table = config::read_toml(as_text(bytes), file.string(), std::string(style.remedy));
  Status read =
      table ? read_root(config::Section{*table, file.filename().string(), style}, trust, home)
            : Status{std::unexpected(table.error())};
  if (!read && read.error().where.file.empty()) read.error().where.file = file.string();
  return read;
}

}  // namespace

Result<LedgerHome> open_ledger_home(const std::string& option) {
  FIDUCIA_TRY(folder, home::locate_home(option));
  FIDUCIA_TRY(opened, home::Home::open(folder));
  FIDUCIA_TRY(vkey, opened.ledger_vkey());
  LedgerHome home{.home = std::move(opened), .vkey = std::move(vkey)};
  const fs::path config = folder / "ledger.toml";
  std::error_code error;
  if (!fs::exists(config, error)) return home;
  FIDUCIA_TRY(trust, trust::open_trust(home.home.trust_path()));
  const auto trusted =
      std::ranges::find(trust.ledgers, home.origin(), &trust::TrustedLedger::origin);
  FIDUCIA_ASSERT(trusted != trust.ledgers.end());  // or ledger_vkey would have refused
  home.time_stamps_min = trusted->time_stamps;
  FIDUCIA_CHECK(read_ledger_file(config, trust, home));
  return home;
}

Result<std::shared_ptr<ledger::ObjectStore>> open_store(const LedgerHome& home) {
  if (home.store == StoreKind::directory)
    return std::make_shared<ledger::DirectoryStore>(home.ledger_folder());
  FIDUCIA_TRY(credentials, home.s3_credentials.empty()
                               ? ledger_s3::s3_credentials_of_environment()
                               : ledger_s3::read_s3_credentials_file(home.s3_credentials));
  FIDUCIA_TRY(store, ledger_s3::S3Store::open(home.s3, std::move(credentials)));
  return std::shared_ptr<ledger::ObjectStore>{std::move(store)};
}

Result<ledger::LogParts> open_parts(const LedgerHome& home) {
  FIDUCIA_TRY(key, home.home.ledger_key());
  FIDUCIA_TRY(store, open_store(home));
  std::unique_ptr<ledger::Sequencer> sequencer;
  if (home.sequencer == SequencerKind::local) {
    FIDUCIA_TRY(journal, ledger::LocalJournal::open(home.ledger_folder()));
    sequencer = std::move(journal);
  } else {
    FIDUCIA_TRY(postgres, ledger_postgres::PostgresSequencer::open(home.postgresql, home.origin()));
    sequencer = std::move(postgres);
  }
  return ledger::LogParts{.store = std::move(store),
                          .sequencer = std::move(sequencer),
                          .origin = home.origin(),
                          .key = std::make_shared<const crypto::PrivateKey>(std::move(key))};
}

}  // namespace fiducia::home_ledger
