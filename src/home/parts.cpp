// SPDX-License-Identifier: Apache-2.0
#include "home/parts.h"

#include <sys/stat.h>

namespace fiducia::home {
namespace {

constexpr const char* way_out =
    "Restore the newest copy of it. If there is none, `fiducia store accept` goes on with what is "
    "there; then an altered copy of an image that was sealed before can be sealed.";
constexpr const char* way_out_of_foreign_key =
    "Put the key of another home that uses the store there.";
constexpr const char* no_way_on =
    "Restore the newest copy of the ledger, or make a new home; going on from this one would fork "
    "the ledger, which looks like a forgery to everybody who has seen the other branch.";

std::string count_of(std::uint64_t entries) {
  return std::to_string(entries) + (entries == 1 ? " entry" : " entries");
}

std::uint64_t known_tree(const store::HomeMark& mark) { return mark.tree_size + mark.pending; }

/// Takes the store as it is, and says so.
Result<std::string> go_on_with(const Home& home, store::EvidenceStore& store,
                               const ledger::LogStatus& log, const trust::Trust& trust) {
  const store::HomeMark mark{
      .tree_size = log.tree_size, .root = log.root, .pending = 0, .trust_serial = trust.serial};
  FIDUCIA_CHECK(store.accept(mark));
  FIDUCIA_TRY(identity, store.identity());
  FIDUCIA_CHECK(home.adopt_store(to_hex(identity.id), home.about().postgres));
  FIDUCIA_TRY(objects, store.count());
  return "This home goes on with a store of " + std::to_string(objects) +
         (objects == 1 ? " object" : " objects") + " and a ledger of " + count_of(log.tree_size) +
         ".";
}

/// Of a store that other machines use: neither store nor key is made anew, for the others would
/// not know them.
Result<std::string> accept_shared(const Home& home, const ledger::LogStatus& log,
                                  const trust::Trust& trust) {
  FIDUCIA_TRY(store, home.open_store(/*read_only=*/false));
  FIDUCIA_TRY(identity, store->identity());
  if (!identity.key_fits)
    return fail(ErrorCode::home_mismatch, "keys/store.key is not the key of this evidence store.",
                way_out_of_foreign_key, Location{.file = home.store_place()});
  FIDUCIA_TRY(mark, store->mark());
  FIDUCIA_CHECK(check_branch(mark, log, home));
  return go_on_with(home, *store, log, trust);
}

}  // namespace

Status check_branch(const store::HomeMark& mark, const ledger::LogStatus& log, const Home& home) {
  const std::string folder = home.ledger_folder().string();
  if (log.tree_size < mark.tree_size)
    return fail(ErrorCode::home_mismatch,
                "The ledger has " + count_of(log.tree_size) + ", but this home has seen " +
                    std::to_string(mark.tree_size) + ": it was restored from an older copy.",
                no_way_on, Location{.file = folder});
  if (log.tree_size == mark.tree_size && log.root != mark.root)
    return fail(ErrorCode::home_mismatch,
                "The ledger has other entries than this home has seen: it is a fork.", no_way_on,
                Location{.file = folder});
  return {};
}

Status check_parts(const Home& home, store::EvidenceStore& store, const store::HomeMark& known,
                   const ledger::LogStatus& log, const trust::Trust& trust, Appenders appenders) {
  FIDUCIA_CHECK(home.check_same_store());
  const std::string store_file = home.store_place();
  if (log.origin != home.about().ledger_origin)
    return fail(ErrorCode::home_mismatch, "This is the ledger of another home.",
                "Put back the ledger that fiducia.toml names.",
                Location{.file = home.ledger_folder().string()});
  FIDUCIA_TRY(identity, store.identity());
  if (to_hex(identity.id) != home.about().store)
    return fail(ErrorCode::home_mismatch, "This is not the evidence store of this home.", way_out,
                Location{.file = store_file});
  if (!identity.key_fits)
    return fail(ErrorCode::home_mismatch, "keys/store.key is not the key of this evidence store.",
                home.shares_store() ? way_out_of_foreign_key : way_out,
                Location{.file = store_file});
  if (identity.emptied)
    return fail(ErrorCode::home_mismatch, "The evidence store was emptied.", way_out,
                Location{.file = store_file});
  FIDUCIA_TRY(mark, store.mark());
  FIDUCIA_CHECK(check_branch(appenders == Appenders::this_home ? mark : known, log, home));
  if (appenders == Appenders::this_home && log.tree_size > known_tree(mark))
    return fail(ErrorCode::home_mismatch,
                "The ledger has " + count_of(log.tree_size) + ", but the evidence store knows of " +
                    std::to_string(mark.tree_size) + ": it was restored from an older copy.",
                way_out, Location{.file = store_file});
  if (trust.serial < mark.trust_serial)
    return fail(ErrorCode::config_invalid,
                "Its serial is " + std::to_string(trust.serial) +
                    ", but this home has sealed with " + std::to_string(mark.trust_serial) +
                    ": it is an older edition, which may lack revocations.",
                "Put back the newest edition, or give this one a larger serial.",
                Location{.file = home.trust_path().string()});
  return {};
}

Result<std::string> accept_store(const Home& home, const ledger::LogStatus& log,
                                 const trust::Trust& trust) {
  FIDUCIA_CHECK(home.check_same_store());
  if (home.shares_store()) return accept_shared(home, log, trust);
  std::string done;
  std::error_code error;
  const std::filesystem::path key_path = home.folder() / "keys" / "store.key";
  if (!std::filesystem::exists(key_path, error)) {
    FIDUCIA_CHECK(home.make_store_key());
    done += "Made a new key. ";
  }
  if (std::filesystem::exists(home.store_path(), error)) {
    FIDUCIA_TRY(store, home.open_store(/*read_only=*/false));
    FIDUCIA_TRY(identity, store->identity());
    if (!identity.key_fits) {
      store.reset();  // its log is merged into it
      const std::string aside = home.store_path().string() + ".before-" + to_rfc3339(system_now());
      std::filesystem::rename(home.store_path(), aside, error);
      if (error)
        return fail(ErrorCode::io_unwritable, "cannot be put aside: " + error.message() + ".",
                    "Check the permissions of the home.",
                    Location{.file = home.store_path().string()});
      done += "Put the store that another key made aside as " +
              std::filesystem::path{aside}.filename().string() + ". ";
    } else {
      FIDUCIA_TRY(mark, store->mark());
      FIDUCIA_CHECK(check_branch(mark, log, home));
    }
  }
  if (!std::filesystem::exists(home.store_path(), error)) {
    FIDUCIA_CHECK(home.make_store());
    done += "Made an empty store. ";
  }
  FIDUCIA_TRY(store, home.open_store(/*read_only=*/false));
  FIDUCIA_TRY(accepted, go_on_with(home, *store, log, trust));
  return done + accepted;
}

}  // namespace fiducia::home
