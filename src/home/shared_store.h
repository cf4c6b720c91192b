// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "home/folder.h"
#include "home/parts.h"

/// How several machines come to use one evidence store, in a PostgreSQL database: one of them moves
/// its own there, the others join. A shared store has one key, which every home that uses it has in
/// keys/store.key.
namespace fiducia::home {

/// A home whose ledger the caller holds, so that nobody seals with it meanwhile.
struct HeldHome {
  const Home& home;
  const ledger::LogStatus& log;
  const trust::Trust& trust;
  Appenders appenders;
};

/// What was done.
struct Shared {
  std::uint64_t objects = 0;  // in the shared store now
  std::uint64_t copied = 0;   // of them from evidence.db, by this call
  std::string former_key;     // file in keys/ that has the home's former key; empty: the same key
  [[nodiscard]] std::string text() const;  // in sentences
};

/// Told how many objects are copied, and of how many; may be empty.
using CopyProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Makes a store with this home's key in the database where there is none, copies all evidence
/// there, and only then lets the home use it, by one replacement of fiducia.toml. So whoever is
/// killed has changed nothing in the home, and moves again; a home that uses that store already is
/// left as it is. evidence.db stays as a copy. `connection` as libpq takes it.
/// Errors: those of check_parts, of store_postgres::create and open; usage_invalid (a password in
/// the connection string), exists (the home uses another database), store_damaged (a record of
/// evidence.db is damaged: without it, its identity would be a new one), home_mismatch.
[[nodiscard]] Result<Shared> move_store(const HeldHome& held, const std::string& connection,
                                        const CopyProgress& progress);

/// The same with a store that is there, whose key is in `key_file`: keys/store.key of a home that
/// uses it, which only its owner may read. A home that has stored evidence under another key cannot
/// join: the store could not know those identities. Otherwise the home takes the key, and keeps its
/// former one beside it.
/// Errors: also config_invalid (no key, or everybody may read it), config_missing (no such file).
[[nodiscard]] Result<Shared> join_store(const HeldHome& held, const std::string& connection,
                                        const std::filesystem::path& key_file,
                                        const CopyProgress& progress);

}  // namespace fiducia::home
