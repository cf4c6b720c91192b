// SPDX-License-Identifier: Apache-2.0
#include "home/home_file.h"

#include <array>
#include <limits>

#include "config/config.h"

namespace fiducia::home {
namespace {

constexpr std::string_view remedy = "Fix the file there.";
constexpr std::size_t connection_bytes_max = 4'096;

/// Any text but an empty one: what stands here is shown, and never compared.
Result<std::string> text_of(const config::Section& section, std::string_view key) {
  FIDUCIA_TRY(value, section.required(key));
  const std::string* text = value->text();
  if (text == nullptr || text->empty())
    return section.bad(key, section.key_of(key) + " must be a string that is not empty.");
  return *text;
}

Result<HomeFile> read_table(const config::Table& table) {
  constexpr std::array<std::string_view, 2> tables{"home", "evidence"};
  constexpr std::array<std::string_view, 5> keys{"version", "hospital", "default_device",
                                                 "ledger_origin", "store"};
  constexpr std::array<std::string_view, 1> evidence_keys{"postgres"};
  const config::Section root{
      table, "the home's file", {.remedy = remedy, .text_bytes_max = connection_bytes_max}};
  FIDUCIA_CHECK(root.check_keys(tables));
  FIDUCIA_TRY(found, root.optional_table("home"));
  if (!found) return root.bad_table("the table [home] is missing.");
  const config::Section& home = *found;
  FIDUCIA_CHECK(home.check_keys(keys));
  FIDUCIA_TRY(version, home.required_count("version", std::numeric_limits<std::uint32_t>::max()));
  if (version != 1)
    return fail(ErrorCode::config_invalid, "is of a version that this program does not know.",
                "Use the program that made this home, or a later one.");
  FIDUCIA_TRY(hospital, text_of(home, "hospital"));
  FIDUCIA_TRY(default_device, text_of(home, "default_device"));
  FIDUCIA_TRY(ledger_origin, text_of(home, "ledger_origin"));
  FIDUCIA_TRY(store, text_of(home, "store"));
  FIDUCIA_TRY(evidence, root.optional_table("evidence"));
  std::string postgres;
  if (evidence) {
    FIDUCIA_CHECK(evidence->check_keys(evidence_keys));
    FIDUCIA_TRY(connection, evidence->required_text("postgres"));
    postgres = std::move(connection);
  }
  return HomeFile{.hospital = std::move(hospital),
                  .default_device = std::move(default_device),
                  .ledger_origin = std::move(ledger_origin),
                  .store = std::move(store),
                  .postgres = std::move(postgres)};
}

}  // namespace

Result<HomeFile> read_home_file(std::string_view toml, const std::string& name) {
  const auto table = config::read_toml(toml, name, std::string(remedy));
  auto home = table ? read_table(*table) : Result<HomeFile>(std::unexpected(table.error()));
  if (!home && home.error().where.file.empty()) home.error().where.file = name;
  return home;
}

std::string write_home_file(const HomeFile& home) {
  std::string evidence;
  if (!home.postgres.empty())
    evidence =
        "\n"
        "# The database that holds the evidence store, which other machines use as well.\n"
        "[evidence]\n"
        "postgres = " +
        config::toml_string(home.postgres) + "\n";
  return "# A Fiducia home: keys, certificates, trust file, ledger and evidence store.\n"
         "# Made by `fiducia init`. Back up this whole folder; keep keys/ secret.\n"
         "[home]\n"
         "version = 1\n"
         "hospital = " +
         config::toml_string(home.hospital) +
         "\n"
         "# Who seals when --device is not given.\n"
         "default_device = " +
         config::toml_string(home.default_device) +
         "\n"
         "# The name of the ledger in its checkpoints; it must never change.\n"
         "ledger_origin = " +
         config::toml_string(home.ledger_origin) +
         "\n"
         "# Which evidence store belongs to this home (`fiducia store accept` takes another).\n"
         "store = " +
         config::toml_string(home.store) + "\n" + evidence;
}

}  // namespace fiducia::home
