// SPDX-License-Identifier: Apache-2.0
#include "home/shared_store.h"

#include <sys/stat.h>

#include "store_postgres/store_postgres.h"

namespace fiducia::home {
namespace {

/// Wiped at the end.
class StoreKey {
 public:
  explicit StoreKey(Bytes key) : key_(std::move(key)) {}
  StoreKey(const StoreKey&) = delete;
  StoreKey& operator=(const StoreKey&) = delete;
  ~StoreKey() { wipe(key_); }
  [[nodiscard]] ByteView view() const { return key_; }

 private:
  Bytes key_;
};

std::string objects_of(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " object" : " objects");
}

/// fiducia.toml can be read by everybody on this machine.
Status check_connection(const std::string& connection) {
  const auto secret = store_postgres::holds_secret(connection);
  if (!secret) return std::unexpected(secret.error());
  if (!*secret) return {};
  return fail(ErrorCode::usage_invalid,
              "The connection string holds a password, and fiducia.toml is no place for one.",
              "Put it into a file of libpq (~/.pgpass, or a service file), and name that with "
              "passfile= or service=.");
}

/// Absent while the home uses its own store.
Result<std::optional<Shared>> find_shared(const Home& home, const std::string& connection) {
  if (!home.shares_store()) return std::optional<Shared>{};
  if (home.about().postgres != connection)
    return fail(ErrorCode::exists, "This home uses a store in PostgreSQL already.",
                "Where the database has another address now, change `postgres` in fiducia.toml.",
                Location{.file = home.folder().string()});
  FIDUCIA_TRY(store, home.open_store(/*read_only=*/true));
  FIDUCIA_TRY(objects, store->count());
  return std::optional{Shared{.objects = objects, .copied = 0, .former_key = {}}};
}

Result<Bytes> read_key_file(const std::filesystem::path& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 07) != 0)
    return fail(ErrorCode::config_invalid, "everybody may use this key.", "Give it mode 0600.",
                Location{.file = path.string()});
  FIDUCIA_TRY(key, read_file(path, store::store_key_bytes));
  if (key.size() == store::store_key_bytes) return Result<Bytes>{std::move(key)};
  wipe(key);
  return fail(ErrorCode::config_invalid, "is no key of an evidence store.",
              "Give keys/store.key of a home that uses the store.",
              Location{.file = path.string()});
}

/// Whether a join was interrupted after it had exchanged the key: an empty store under another key.
Result<bool> is_half_joined(store::EvidenceStore& own) {
  FIDUCIA_TRY(identity, own.identity());
  FIDUCIA_TRY(objects, own.count());
  return !identity.key_fits && !identity.emptied && objects == 0;
}

/// Nobody else writes to it while the ledger is held.
Status check_own_store(const HeldHome& held, store::EvidenceStore& own) {
  FIDUCIA_TRY(mark, own.mark());
  return check_parts(held.home, own, mark, held.log, held.trust, held.appenders);
}

/// Copies what evidence.db has. `key`: of both stores.
Result<std::uint64_t> copy_evidence(const Home& home, ByteView key, store::EvidenceStore& to,
                                    const CopyProgress& progress) {
  std::uint64_t copied = 0;
  std::uint64_t damaged = 0;
  const auto take = [&](std::span<const store::StoredRecord> records,
                        std::uint64_t total) -> Status {
    FIDUCIA_CHECK(to.put_stored(records));
    copied += records.size();
    if (progress) progress(copied, total);
    return {};
  };
  FIDUCIA_CHECK(store::read_sqlite(home.store_path(), key, damaged, take));
  if (damaged == 0) return copied;
  return fail(ErrorCode::store_damaged,
              objects_of(damaged) + " of the evidence store cannot be moved: damaged.",
              "Run `fiducia store check`, and restore the store from a copy. This home still uses "
              "it.",
              Location{.file = home.store_path().string()});
}

/// What move and join have in common. `key`: of the shared store; `former`: of the home.
Result<Shared> use_shared(const HeldHome& held, const std::string& connection, ByteView key,
                          ByteView former, const CopyProgress& progress) {
  const Home& home = held.home;
  FIDUCIA_TRY(to, store_postgres::open(
                      {.connection = connection, .home = home.about().ledger_origin}, key));
  FIDUCIA_TRY(identity, to->identity());
  if (!identity.key_fits)
    return fail(ErrorCode::home_mismatch, "This is not the key of the store in that database.",
                "Give keys/store.key of a home that uses that store.",
                Location{.file = store_postgres::place});
  if (identity.emptied)
    return fail(ErrorCode::home_mismatch, "The evidence store was emptied.",
                "Restore the newest copy of the database.",
                Location{.file = store_postgres::place});
  // Where others append as well, they may have done so since the ledger was looked at.
  if (held.appenders == Appenders::this_home) {
    FIDUCIA_TRY(mark, to->mark());
    FIDUCIA_CHECK(check_branch(mark, held.log, home));
  }
  Shared done;
  const bool same_key = same_bytes(key, former);
  if (same_key) {
    FIDUCIA_TRY(copied, copy_evidence(home, key, *to, progress));
    done.copied = copied;
  }
  const store::HomeMark now{.tree_size = held.log.tree_size,
                            .root = held.log.root,
                            .pending = 0,
                            .trust_serial = held.trust.serial};
  FIDUCIA_CHECK(to->put({}, &now));
  FIDUCIA_TRY(objects, to->count());
  done.objects = objects;
  if (!same_key) {
    FIDUCIA_TRY(name, home.exchange_store_key(key));
    done.former_key = std::move(name);
  }
  FIDUCIA_CHECK(home.adopt_store(to_hex(identity.id), connection));
  return done;
}

}  // namespace

std::string Shared::text() const {
  std::string text = "This home uses the store in PostgreSQL, which has " + objects_of(objects) +
                     "; " + std::to_string(copied) + " came from evidence.db now.";
  if (!former_key.empty())
    text += " Its former key, of a store without evidence, is kept as keys/" + former_key + ".";
  return text;
}

Result<Shared> move_store(const HeldHome& held, const std::string& connection,
                          const CopyProgress& progress) {
  FIDUCIA_CHECK(held.home.check_same_store());
  FIDUCIA_CHECK(check_connection(connection));
  FIDUCIA_TRY(there, find_shared(held.home, connection));
  if (there) return std::move(*there);
  {
    FIDUCIA_TRY(own, held.home.open_store(/*read_only=*/false));
    FIDUCIA_CHECK(check_own_store(held, *own));
  }
  FIDUCIA_TRY(bytes, held.home.store_key());
  const StoreKey key{std::move(bytes)};
  FIDUCIA_CHECK(store_postgres::create(connection, key.view()));
  return use_shared(held, connection, key.view(), key.view(), progress);
}

Result<Shared> join_store(const HeldHome& held, const std::string& connection,
                          const std::filesystem::path& key_file, const CopyProgress& progress) {
  FIDUCIA_CHECK(held.home.check_same_store());
  FIDUCIA_CHECK(check_connection(connection));
  FIDUCIA_TRY(given, read_key_file(key_file));
  const StoreKey key{std::move(given)};
  FIDUCIA_TRY(there, find_shared(held.home, connection));
  if (there) return std::move(*there);
  FIDUCIA_TRY(bytes, held.home.store_key());
  const StoreKey own_key{std::move(bytes)};
  const bool same_key = same_bytes(key.view(), own_key.view());
  FIDUCIA_TRY(own, held.home.open_store(/*read_only=*/false));
  FIDUCIA_TRY(half_joined, is_half_joined(*own));
  if (!half_joined || !same_key) FIDUCIA_CHECK(check_own_store(held, *own));
  FIDUCIA_TRY(objects, own->count());
  if (objects > 0 && !same_key)
    return fail(ErrorCode::home_mismatch,
                "This home has evidence of " + objects_of(objects) +
                    " under another key, and the store of others could not know their identities.",
                "Join with a home that has sealed nothing yet, or keep the store that it has.",
                Location{.file = held.home.store_path().string()});
  own.reset();
  return use_shared(held, connection, key.view(), own_key.view(), progress);
}

}  // namespace fiducia::home
