// SPDX-License-Identifier: Apache-2.0
#include "ledger_home.h"

#include <algorithm>
#include <set>

#include "config/toml.h"
#include "ledger_postgres/ledger_postgres.h"
#include "seal/seal.h"
#include "trust/trust.h"

namespace fiducia::ledger_app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t config_bytes_max = 1U << 20;

std::unexpected<Error> bad(const fs::path& file, const toml::source_region& at, std::string what) {
  return fail(
      ErrorCode::config_invalid, "line " + std::to_string(at.begin.line) + ": " + std::move(what),
      "Fix the file there; docs/operations.md lists the keys.", Location{.file = file.string()});
}

Result<toml::table> read_table(const fs::path& file) {
  FIDUCIA_TRY(bytes, read_file(file, config_bytes_max));
  auto table = config::read_toml(as_text(bytes), file.string(),
                                 "Fix the file there; docs/operations.md lists the keys.");
  if (!table) table.error().where.file = file.string();
  return table;
}

/// The values of one table, each asked for once; what nobody asked for is an error.
class Section {
 public:
  Section(const toml::table& table, fs::path file) : table_(table), file_(std::move(file)) {}

  Status text(const char* key, std::string& target, bool required = false) {
    return take<std::string>(key, target, required, "a text was expected.");
  }
  Status boolean(const char* key, bool& target) {
    return take<bool>(key, target, false, "true or false was expected.");
  }
  Status number(const char* key, std::uint32_t& target, std::int64_t largest) {
    std::int64_t value = target;
    FIDUCIA_CHECK(take<std::int64_t>(key, value, false, "a whole number was expected."));
    if (value < 0 || value > largest)
      return bad(file_, table_.source(),
                 std::string{key} + " must be from 0 to " + std::to_string(largest) + ".");
    target = static_cast<std::uint32_t>(value);
    return {};
  }
  const toml::node* node(const char* key) {
    asked_.insert(key);
    return table_.get(key);
  }
  [[nodiscard]] Status nothing_else() const {
    for (const auto& [key, value] : table_)
      if (!asked_.contains(std::string{key.str()}))
        return bad(file_, value.source(), "this key is not known here.");
    return {};
  }
  [[nodiscard]] const toml::source_region& source() const { return table_.source(); }

 private:
  template <class T, class U>
  Status take(const char* key, U& target, bool required, const char* expected) {
    const toml::node* found = node(key);
    if (found == nullptr)
      return required ? Status{bad(file_, table_.source(), std::string{key} + " is missing.")}
                      : Status{};
    const auto value = found->value_exact<T>();
    if (!value) return bad(file_, found->source(), expected);
    target = *value;
    return {};
  }
  const toml::table& table_;
  const fs::path file_;
  std::set<std::string, std::less<>> asked_;
};

Status read_s3(const toml::node* node, const fs::path& file, LedgerHome& home) {
  if (node == nullptr || !node->is_table())
    return fail(ErrorCode::config_invalid, "store = \"s3\" needs a table [s3].",
                "Add it; docs/operations.md shows one.", Location{.file = file.string()});
  Section section{*node->as_table(), file};
  std::string credentials;
  FIDUCIA_CHECK(section.text("endpoint", home.s3.endpoint, true));
  FIDUCIA_CHECK(section.text("region", home.s3.region));
  FIDUCIA_CHECK(section.text("bucket", home.s3.bucket, true));
  FIDUCIA_CHECK(section.text("prefix", home.s3.prefix));
  FIDUCIA_CHECK(section.boolean("path_style", home.s3.path_style));
  FIDUCIA_CHECK(section.number("lock_days", home.s3.lock_days, 36'500));
  FIDUCIA_CHECK(section.text("ca_file", home.s3.ca_file));
  FIDUCIA_CHECK(section.text("credentials", credentials));
  if (!credentials.empty()) home.s3_credentials = home.home.folder() / credentials;
  return section.nothing_else();
}

Status read_postgresql(const toml::node* node, const fs::path& file, LedgerHome& home) {
  if (node == nullptr || !node->is_table())
    return fail(ErrorCode::config_invalid, "sequencer = \"postgresql\" needs a table [postgresql].",
                "Add it; docs/operations.md shows one.", Location{.file = file.string()});
  Section section{*node->as_table(), file};
  FIDUCIA_CHECK(section.text("connection", home.postgresql, true));
  return section.nothing_else();
}

/// `[[time_stamp]]`: where to ask; whom to believe stands in the trust file, under the same name.
Status read_time_stamps(const toml::node* node, const fs::path& file, const trust::Trust& trust,
                        LedgerHome& home) {
  if (node == nullptr) return {};
  if (!node->is_array_of_tables())
    return bad(file, node->source(), "[[time_stamp]] tables were expected.");
  for (const toml::node& each : *node->as_array()) {
    Section section{*each.as_table(), file};
    ledger_net::TimeStampSource source;
    FIDUCIA_CHECK(section.text("name", source.name, true));
    FIDUCIA_CHECK(section.text("url", source.url, true));
    FIDUCIA_CHECK(section.nothing_else());
    const auto tsa = std::ranges::find(trust.tsas, source.name, &trust::TrustedTsa::name);
    if (tsa == trust.tsas.end())
      return bad(file, section.source(), "trust.toml has no [[tsa]] of this name.");
    source.anchors = {tsa->certificate};
    source.policies = tsa->policies;
    home.time_stamps.push_back(std::move(source));
  }
  return {};
}

Status read_ledger_file(const fs::path& file, const trust::Trust& trust, LedgerHome& home) {
  FIDUCIA_TRY(table, read_table(file));
  Section section{table, file};
  std::uint32_t version = 0;
  std::string store = "directory";
  std::string sequencer = "local";
  std::string policy;
  FIDUCIA_CHECK(section.number("version", version, 1));
  if (version != 1)
    return fail(ErrorCode::config_invalid, "version = 1 must stand in it.",
                "Use the program that this file was written for.", Location{.file = file.string()});
  FIDUCIA_CHECK(section.text("store", store));
  FIDUCIA_CHECK(section.text("sequencer", sequencer));
  FIDUCIA_CHECK(section.text("witness_policy", policy));
  const toml::node* const s3 = section.node("s3");
  const toml::node* const postgresql = section.node("postgresql");
  if (store == "s3") {
    home.store = StoreKind::s3;
    FIDUCIA_CHECK(read_s3(s3, file, home));
  } else if (store != "directory" || s3 != nullptr) {
    return bad(file, section.source(), "store is \"directory\", or \"s3\" with a table [s3].");
  }
  if (sequencer == "postgresql") {
    home.sequencer = SequencerKind::postgresql;
    FIDUCIA_CHECK(read_postgresql(postgresql, file, home));
  } else if (sequencer != "local" || postgresql != nullptr) {
    return bad(file, section.source(),
               "sequencer is \"local\", or \"postgresql\" with a table [postgresql].");
  }
  FIDUCIA_CHECK(read_time_stamps(section.node("time_stamp"), file, trust, home));
  FIDUCIA_CHECK(section.nothing_else());
  if (!policy.empty()) {
    FIDUCIA_TRY(witnesses, ledger_format::open_policy(home.home.folder() / policy));
    home.witnesses = std::move(witnesses);
  }
  return {};
}

}  // namespace

Result<LedgerHome> open_ledger_home(const std::string& option) {
  FIDUCIA_TRY(folder, app::locate_home(option));
  FIDUCIA_TRY(opened, app::Home::open(folder));
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
                          .key = std::move(key)};
}

}  // namespace fiducia::ledger_app
