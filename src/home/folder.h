// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"
#include "home/home_file.h"
#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"
#include "seal/seal.h"
#include "store/store.h"
#include "trust/trust.h"

/// The folder that holds a hospital's keys, trust file, ledger and evidence store.
///
///   fiducia.toml        what this home is (home_file.h)
///   trust.toml          whom its verifiers believe
///   keys/               mode 0700, files 0600: authority.pem, ledger.pem, store.key,
///                       device-NAME.pem
///   certs/              authority.pem, device-NAME.pem
///   ledger/             the transparency log
///   evidence.db         the evidence store, mode 0600: its salts let values be guessed; a copy
///   that
///                       nobody uses once the store is in a database (shared_store.h)
namespace fiducia::home {

/// Where the home is: `--home`, else FIDUCIA_HOME, else XDG_DATA_HOME/fiducia, else
/// ~/.local/share/fiducia (DESIGN 3). Errors: config_missing, when none of these is set.
[[nodiscard]] Result<std::filesystem::path> locate_home(const std::string& option);

/// Whether a folder is a home (it has a fiducia.toml).
[[nodiscard]] bool is_home(const std::filesystem::path& folder);

/// Whether its ledger may be elsewhere than in its folder: a ledger.toml says where.
[[nodiscard]] bool has_ledger_file(const std::filesystem::path& folder);

/// A sealing device of a home.
struct Device {
  std::string name;
  crypto::Certificate certificate;
};

/// An opened home. Keys are read when they are asked for.
class Home {
 public:
  /// Errors: config_missing (no home there), config_invalid.
  [[nodiscard]] static Result<Home> open(const std::filesystem::path& folder);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] const HomeFile& about() const { return about_; }
  [[nodiscard]] std::filesystem::path trust_path() const { return folder_ / "trust.toml"; }
  [[nodiscard]] std::filesystem::path ledger_folder() const { return folder_ / "ledger"; }
  [[nodiscard]] std::filesystem::path store_path() const { return folder_ / "evidence.db"; }

  /// Where the pass phrase of encrypted keys comes from, "" for the usual places (passphrase.h); or
  /// the pass phrase itself.
  void set_passphrase_file(std::string file) { passphrase_->file = std::move(file); }
  void set_passphrase(std::string text) { passphrase_->text = std::move(text); }
  /// The pass phrase, if the key of the ledger needs one. Errors: those of read_passphrase.
  [[nodiscard]] Result<std::optional<std::string>> passphrase_of_ledger() const;

  /// Errors: config_missing (no such device, or no pass phrase), config_invalid.
  [[nodiscard]] Result<seal::Signer> signer(const std::string& device) const;
  /// Who seals when nobody is named: the default device, else the first one made, whose seals
  /// `trust` would accept now. Errors: those of seal::check_signer for the default device, when
  /// there is none.
  [[nodiscard]] Result<seal::Signer> default_signer(const trust::Trust& trust, UnixTime now) const;
  [[nodiscard]] Result<crypto::PrivateKey> ledger_key() const;
  /// The ledger of this home as its trust file names it. Errors: config_invalid.
  [[nodiscard]] Result<ledger_format::VerifierKey> ledger_vkey() const;
  /// Whether the store is in PostgreSQL, where other machines use it as well.
  [[nodiscard]] bool shares_store() const { return !about_.postgres.empty(); }
  /// Where the store is, for messages: nothing of a connection string.
  [[nodiscard]] std::string store_place() const;
  /// The store in evidence.db, or in the database that fiducia.toml names; libpq is loaded for
  /// that one only. Never makes one. Errors: config_missing (store or key), those of
  /// store::open_sqlite and store_postgres::open.
  [[nodiscard]] Result<std::unique_ptr<store::EvidenceStore>> open_store(bool read_only) const;
  /// The key of the store, 32 bytes; the caller wipes it. Errors: config_missing, config_invalid.
  [[nodiscard]] Result<Bytes> store_key() const;
  [[nodiscard]] Status make_store_key() const;
  /// Makes an empty store with the key that is there.
  [[nodiscard]] Status make_store() const;
  /// Puts `key` in the place of keys/store.key, of which a copy is kept. Returns the copy's name.
  /// Errors: exists (a copy of another key has that name), io_unwritable.
  [[nodiscard]] Result<std::string> exchange_store_key(ByteView key) const;
  /// Writes into fiducia.toml which store belongs to this home, and which database it is in
  /// (empty: evidence.db).
  [[nodiscard]] Status adopt_store(const std::string& id, const std::string& postgres) const;
  /// Whether fiducia.toml still names the store that it named when this was opened. To be asked
  /// once nobody else can change it, with the ledger held. Errors: busy (it names another one now).
  [[nodiscard]] Status check_same_store() const;
  /// Sorted by name.
  [[nodiscard]] Result<std::vector<Device>> devices() const;
  /// Errors: config_missing.
  [[nodiscard]] Result<Device> device(const std::string& name) const;
  /// Makes key and certificate. Errors: exists (the name is taken), usage_invalid.
  [[nodiscard]] Result<Device> add_device(
      const std::string& name, UnixTime now,
      std::span<const crypto::Role> roles = crypto::seal_only) const;
  /// Writes a revocation into the trust file. Errors: as `device`, usage_invalid (already revoked
  /// from that time or earlier).
  [[nodiscard]] Status revoke_device(const std::string& name, UnixTime at,
                                     const std::string& reason) const;

 private:
  /// Asked for once, when the first encrypted key is read; wiped at the end.
  struct Passphrase {
    std::string file;
    std::optional<std::string> text;
    ~Passphrase();
  };
  [[nodiscard]] Result<std::string> passphrase() const;
  [[nodiscard]] Result<crypto::PrivateKey> read_key(const std::string& file,
                                                    bool* encrypted = nullptr) const;

  std::filesystem::path folder_;
  HomeFile about_;
  std::shared_ptr<Passphrase> passphrase_ = std::make_shared<Passphrase>();
};

/// Makes a home so that it exists as a whole or not at all: built in a folder beside it, then
/// renamed. With a pass phrase its keys are encrypted (not store.key, which reads need as well).
/// Errors: exists (there is one), usage_invalid (names), io_unwritable.
[[nodiscard]] Status create_home(const std::filesystem::path& folder, const std::string& hospital,
                                 const std::string& device, UnixTime now,
                                 const std::string& passphrase = {});

/// A device's name: 1 to 64 bytes of UTF-8 without control characters. Errors: usage_invalid.
[[nodiscard]] Status check_device_name(std::string_view name);

/// File name for a device: characters other than letters, digits, '.', '_' and '-' as %XX.
[[nodiscard]] std::string file_name_of(std::string_view device);

}  // namespace fiducia::home
