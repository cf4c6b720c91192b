// SPDX-License-Identifier: Apache-2.0
#include "home/folder.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "core/temporary.h"
#include "home/passphrase.h"
#include "store_postgres/store_postgres.h"
#include "trust/trust.h"

namespace fiducia::home {
namespace {

constexpr std::uint64_t small_file_bytes_max = 64 << 10;
constexpr std::int64_t day_s = 24 * 60 * 60;
constexpr std::int64_t authority_days = 3652;  // ten years
constexpr std::int64_t device_days = 1826;     // five years
/// Certificates begin a little earlier, so that a seal made in the same second, or after a clock
/// was set back by a moment, is not "before" its certificate.
constexpr std::int64_t backdated_s = 60;
constexpr std::uint32_t lock_timeout_ms = 10'000;
constexpr const char* store_remedy =
    "Restore it from a copy. If there is none, `fiducia store accept` goes on with a new one; then "
    "an altered copy of an image that was sealed before can be sealed.";

Result<std::string> read_text(const std::filesystem::path& path) {
  FIDUCIA_TRY(bytes, read_file(path, small_file_bytes_max));
  return std::string{as_text(bytes)};
}

Status make_folder(const std::filesystem::path& path, mode_t mode) {
  // mkdir is subject to the umask; chmod is not.
  if (mkdir(path.c_str(), mode) != 0 || chmod(path.c_str(), mode) != 0)
    return fail(ErrorCode::io_unwritable, "the folder cannot be made.",
                "Check the permissions of the folder above.", Location{.file = path.string()});
  return {};
}

Status write_secret(const std::filesystem::path& path, ByteView secret) {
  return durable_write(path, secret, {.mode = 0600, .keep_mode = false, .create_only = false});
}

Status write_key(const std::filesystem::path& path, const crypto::PrivateKey& key,
                 const std::string& passphrase) {
  FIDUCIA_TRY(pem, key.write_pem(passphrase));
  const Status written = write_secret(path, as_bytes(pem));
  wipe(std::as_writable_bytes(std::span{pem.data(), pem.size()}));
  return written;
}

Result<crypto::Certificate> read_certificate(const std::filesystem::path& path) {
  FIDUCIA_TRY(pem, read_text(path));
  auto certificate = crypto::Certificate::read_pem(pem);
  if (!certificate) {
    certificate.error().code = ErrorCode::config_invalid;
    certificate.error().where.file = path.string();
  }
  return certificate;
}

/// "Probe-Klinikum Köln" -> "probe-klinikum-k-ln": what may stand in a ledger's name.
std::string slug(std::string_view name) {
  constexpr std::size_t bytes_max = 32;
  std::string out;
  for (const char c : name) {
    if (out.size() == bytes_max) break;
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool plain = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (plain)
      out += lower;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "hospital" : out;
}

std::string device_file(std::string_view name) { return "device-" + file_name_of(name) + ".pem"; }

struct Authority {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};

Result<crypto::Certificate> issue_device(const std::filesystem::path& folder,
                                         const Authority& authority, const std::string& hospital,
                                         const std::string& name, UnixTime now,
                                         std::span<const crypto::Role> roles,
                                         const std::string& passphrase) {
  FIDUCIA_TRY(key, crypto::PrivateKey::generate(crypto::KeyKind::p256));
  const crypto::CertificateRequest request{
      .common_name = name,
      .organization = hospital,
      .not_before = UnixTime{now.seconds - backdated_s},
      .not_after =
          std::min(UnixTime{now.seconds + device_days * day_s}, authority.certificate.not_after())};
  FIDUCIA_TRY(certificate, crypto::make_device_certificate(key.public_key(), request, authority.key,
                                                           authority.certificate, roles));
  // The certificate makes the device exist, so it is written last.
  FIDUCIA_CHECK(write_key(folder / "keys" / device_file(name), key, passphrase));
  FIDUCIA_CHECK(
      durable_write(folder / "certs" / device_file(name), as_bytes(certificate.write_pem())));
  return certificate;
}

Status check_hospital_name(std::string_view name) {
  // 64 is the upper bound of an organization's name in a certificate (RFC 5280 appendix A).
  if (name.empty() || name.size() > 64 || !is_utf8(name) ||
      std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
    return fail(ErrorCode::usage_invalid, "The name of the hospital does not fit.",
                "Give 1 to 64 bytes of text with --name.");
  return {};
}

Status make_store_key_in(const std::filesystem::path& folder) {
  std::array<std::byte, store::store_key_bytes> key;
  FIDUCIA_CHECK(crypto::fill_random(key));
  const Status written = write_secret(folder / "keys" / "store.key", key);
  wipe(key);
  return written;
}

Result<Bytes> read_store_key_in(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "keys" / "store.key";
  FIDUCIA_TRY(key, read_file(path, store::store_key_bytes));
  if (key.size() == store::store_key_bytes) return Result<Bytes>{std::move(key)};
  wipe(key);
  return fail(ErrorCode::config_invalid, "does not hold 32 bytes.", "Restore it from a backup.",
              Location{.file = path.string()});
}

Result<std::unique_ptr<store::EvidenceStore>> open_store_in(const std::filesystem::path& folder,
                                                            bool read_only) {
  FIDUCIA_TRY(key, read_store_key_in(folder));
  auto store = store::open_sqlite(folder / "evidence.db", key, read_only);
  wipe(key);
  return store;
}

Result<std::unique_ptr<store::EvidenceStore>> make_store_in(const std::filesystem::path& folder) {
  FIDUCIA_TRY(made, open_store_in(folder, /*read_only=*/false));
  if (chmod((folder / "evidence.db").c_str(), 0600) != 0)
    return fail(ErrorCode::io_unwritable, "its permissions cannot be set.",
                "Check the file system.", Location{.file = (folder / "evidence.db").string()});
  return Result<std::unique_ptr<store::EvidenceStore>>{std::move(made)};
}

/// Fills a new folder; on failure the caller removes it.
Status fill_home(const std::filesystem::path& folder, const std::string& hospital,
                 const std::string& device, UnixTime now, const std::string& passphrase) {
  FIDUCIA_CHECK(make_folder(folder / "keys", 0700));
  FIDUCIA_CHECK(make_folder(folder / "certs", 0755));

  FIDUCIA_TRY(authority_key, crypto::PrivateKey::generate(crypto::KeyKind::p256));
  FIDUCIA_TRY(authority_certificate,
              crypto::make_authority(
                  authority_key, {.common_name = hospital.substr(0, 48) + " Fiducia CA",
                                  .organization = hospital,
                                  .not_before = UnixTime{now.seconds - backdated_s},
                                  .not_after = UnixTime{now.seconds + authority_days * day_s}}));
  const Authority authority{std::move(authority_key), authority_certificate};
  FIDUCIA_CHECK(write_key(folder / "keys" / "authority.pem", authority.key, passphrase));
  FIDUCIA_CHECK(durable_write(folder / "certs" / "authority.pem",
                              as_bytes(authority.certificate.write_pem())));
  FIDUCIA_CHECK(
      issue_device(folder, authority, hospital, device, now, crypto::seal_only, passphrase));

  std::array<std::byte, 4> suffix;
  FIDUCIA_CHECK(crypto::fill_random(suffix));
  HomeFile about{.hospital = hospital,
                 .default_device = device,
                 .ledger_origin = "fiducia.local/" + slug(hospital) + "-" + to_hex(suffix),
                 .store = {}};
  FIDUCIA_TRY(ledger_key, crypto::PrivateKey::generate(crypto::KeyKind::ed25519));
  FIDUCIA_CHECK(write_key(folder / "keys" / "ledger.pem", ledger_key, passphrase));
  FIDUCIA_CHECK(ledger::Log::create(folder / "ledger", about.ledger_origin, ledger_key, now));

  trust::Trust trust;
  trust.serial = 1;
  trust::TrustedAuthority trusted{
      .name = hospital, .certificate = authority.certificate, .roles = {}};
  for (const crypto::Role role : crypto::all_roles)
    trusted.roles.emplace_back(crypto::to_word(role));
  trust.authorities.push_back(std::move(trusted));
  trust.ledgers.push_back(
      {.origin = about.ledger_origin,
       .key = ledger_format::make_vkey(about.ledger_origin, ledger_format::NoteKeyType::ed25519,
                                       ledger_key.public_key().write_ed25519()),
       .quorum = 0,
       .witnesses = {}});
  trust.tolerance = trust::Tolerance{std::string(trust::default_tolerance_profile), {}};
  FIDUCIA_CHECK(durable_write(folder / "trust.toml", as_bytes(trust::write_trust(trust))));

  FIDUCIA_CHECK(make_store_key_in(folder));
  FIDUCIA_TRY(store, make_store_in(folder));
  FIDUCIA_TRY(identity, store->identity());
  about.store = to_hex(identity.id);
  FIDUCIA_TRY(reader, ledger::LogReader::open(folder / "ledger", trust.ledgers.front().key));
  const store::HomeMark mark{.tree_size = reader.status().tree_size,
                             .root = reader.status().root,
                             .pending = 0,
                             .trust_serial = trust.serial};
  FIDUCIA_CHECK(store->put({}, &mark));
  store.reset();
  // Last: a folder with this file is a home.
  return durable_write(folder / "fiducia.toml", as_bytes(write_home_file(about)));
}

}  // namespace

Result<std::filesystem::path> locate_home(const std::string& option) {
  if (!option.empty()) return option;
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path{value == nullptr ? "" : value};
  };
  if (auto home = variable("FIDUCIA_HOME"); !home.empty()) return home;
  // A relative XDG_DATA_HOME is to be ignored (XDG Base Directory Specification).
  if (auto data = variable("XDG_DATA_HOME"); data.is_absolute()) return data / "fiducia";
  if (auto user = variable("HOME"); !user.empty()) return user / ".local/share/fiducia";
  return fail(ErrorCode::config_missing, "No home is named, and HOME is not set.",
              "Name a folder with --home or FIDUCIA_HOME.");
}

bool is_home(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::is_regular_file(folder / "fiducia.toml", error);
}

bool has_ledger_file(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(folder / "ledger.toml", error);
}

Result<Home> Home::open(const std::filesystem::path& folder) {
  if (!is_home(folder))
    return fail(ErrorCode::config_missing, "is not a Fiducia home.",
                "Run `fiducia init`, or name a home with --home.",
                Location{.file = folder.string()});
  FIDUCIA_TRY(text, read_text(folder / "fiducia.toml"));
  FIDUCIA_TRY(about, read_home_file(text, (folder / "fiducia.toml").string()));
  Home home;
  home.folder_ = folder;
  home.about_ = std::move(about);
  return home;
}

Result<Device> Home::device(const std::string& name) const {
  FIDUCIA_CHECK(check_device_name(name));
  const std::filesystem::path path = folder_ / "certs" / device_file(name);
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return fail(ErrorCode::config_missing, "This home has no device called \"" + name + "\".",
                "See `fiducia device list`, or add it with `fiducia device add`.");
  FIDUCIA_TRY(certificate, read_certificate(path));
  return Device{.name = name, .certificate = std::move(certificate)};
}

Result<std::vector<Device>> Home::devices() const {
  FIDUCIA_TRY(files, list_files(folder_ / "certs"));
  std::vector<Device> devices;
  for (const std::filesystem::path& file : files) {
    if (!file.filename().string().starts_with("device-") || file.extension() != ".pem") continue;
    FIDUCIA_TRY(certificate, read_certificate(file));
    std::string name = certificate.common_name();
    devices.push_back({.name = std::move(name), .certificate = std::move(certificate)});
  }
  std::ranges::sort(devices, {}, &Device::name);
  return devices;
}

Result<seal::Signer> Home::signer(const std::string& name) const {
  FIDUCIA_TRY(known, device(name));
  FIDUCIA_TRY(key, read_key(device_file(name)));
  seal::Signer signer{.key = std::make_shared<const crypto::PrivateKey>(std::move(key)),
                      .chain = {known.certificate},
                      .device = name};
  return signer;
}

Result<seal::Signer> Home::default_signer(const trust::Trust& trust, UnixTime now) const {
  const auto counting = [&](const std::string& name) -> Result<seal::Signer> {
    FIDUCIA_TRY(found, signer(name));
    FIDUCIA_CHECK(seal::check_signer(trust, found, about_.ledger_origin, now));
    return Result<seal::Signer>{std::move(found)};
  };
  auto first = counting(about_.default_device);
  if (first) return first;
  FIDUCIA_TRY(others, devices());
  std::ranges::stable_sort(others, {},
                           [](const Device& device) { return device.certificate.not_before(); });
  for (const Device& device : others)
    if (device.name != about_.default_device)
      if (auto other = counting(device.name)) return other;
  return first;
}

Result<crypto::PrivateKey> Home::ledger_key() const { return read_key("ledger.pem"); }

Home::Passphrase::~Passphrase() {
  if (text) wipe(std::as_writable_bytes(std::span{text->data(), text->size()}));
}

Result<std::string> Home::passphrase() const {
  if (!passphrase_->text) {
    FIDUCIA_TRY(text, read_passphrase(passphrase_->file));
    passphrase_->text = std::move(text);
  }
  return *passphrase_->text;
}

Result<std::optional<std::string>> Home::passphrase_of_ledger() const {
  FIDUCIA_TRY(pem, read_text(folder_ / "keys" / "ledger.pem"));
  const bool encrypted = crypto::is_encrypted_pem(pem);
  wipe(std::as_writable_bytes(std::span{pem.data(), pem.size()}));
  if (!encrypted) return std::optional<std::string>{};
  FIDUCIA_TRY(text, passphrase());
  return std::optional<std::string>{std::move(text)};
}

Result<crypto::PrivateKey> Home::read_key(const std::string& file, bool* encrypted) const {
  const std::filesystem::path path = folder_ / "keys" / file;
  FIDUCIA_TRY(pem, read_text(path));
  std::string text;
  if (crypto::is_encrypted_pem(pem)) {
    if (encrypted != nullptr) *encrypted = true;
    FIDUCIA_TRY(given, passphrase());
    text = std::move(given);
  }
  auto key = crypto::PrivateKey::read_pem(pem, text);
  wipe(std::as_writable_bytes(std::span{pem.data(), pem.size()}));
  wipe(std::as_writable_bytes(std::span{text.data(), text.size()}));
  if (!key) {
    key.error().code = ErrorCode::config_invalid;
    key.error().where.file = path.string();
  }
  return key;
}

Result<ledger_format::VerifierKey> Home::ledger_vkey() const {
  FIDUCIA_TRY(trust, trust::open_trust(trust_path()));
  for (const trust::TrustedLedger& ledger : trust.ledgers)
    if (ledger.origin == about_.ledger_origin) return ledger.key;
  return fail(ErrorCode::config_invalid, "does not name the ledger of this home.",
              "Put the ledger's entry back into it.", Location{.file = trust_path().string()});
}

std::string Home::store_place() const {
  return shares_store() ? store_postgres::place : store_path().string();
}

Result<Bytes> Home::store_key() const {
  const std::filesystem::path path = folder_ / "keys" / "store.key";
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return fail(ErrorCode::config_missing, "is missing: this home had one.",
                shares_store() ? "Put the key of another home that uses the same store there."
                               : store_remedy,
                Location{.file = path.string()});
  return read_store_key_in(folder_);
}

Result<std::unique_ptr<store::EvidenceStore>> Home::open_store(bool read_only) const {
  std::error_code error;
  if (!shares_store() && !std::filesystem::exists(store_path(), error))
    return fail(ErrorCode::config_missing, "is missing: this home had one.", store_remedy,
                Location{.file = store_path().string()});
  FIDUCIA_TRY(key, store_key());
  auto store = shares_store() ? store_postgres::open({.connection = about_.postgres,
                                                      .home = about_.ledger_origin,
                                                      .read_only = read_only},
                                                     key)
                              : store::open_sqlite(store_path(), key, read_only);
  wipe(key);
  return store;
}

Status Home::make_store_key() const { return make_store_key_in(folder_); }

Status Home::make_store() const {
  FIDUCIA_CHECK(make_store_in(folder_));
  return {};
}

Result<std::string> Home::exchange_store_key(ByteView key) const {
  FIDUCIA_ASSERT(key.size() == store::store_key_bytes);
  FIDUCIA_TRY(former, store_key());
  const std::filesystem::path path = folder_ / "keys" / "store.key";
  // After the store that it is the key of: whoever was killed here finds the same name again.
  std::string name = "store.key.of-" + file_name_of(about_.store);
  Status kept = durable_write(folder_ / "keys" / name, former,
                              {.mode = 0600, .keep_mode = false, .create_only = true});
  if (!kept && kept.error().code == ErrorCode::exists) {
    auto there = read_file(folder_ / "keys" / name, store::store_key_bytes);
    if (there && same_bytes(*there, former)) kept = Status{};
    if (there) wipe(*there);
  }
  wipe(former);
  FIDUCIA_CHECK(kept);
  FIDUCIA_CHECK(write_secret(path, key));
  return Result<std::string>{std::move(name)};
}

Status Home::check_same_store() const {
  FIDUCIA_TRY(now, open(folder_));
  if (now.about_.store == about_.store && now.about_.postgres == about_.postgres) return {};
  return fail(ErrorCode::busy, "The home was given another evidence store meanwhile.",
              "Run the same command again.", Location{.file = folder_.string()});
}

Status Home::adopt_store(const std::string& id, const std::string& postgres) const {
  HomeFile about = about_;
  about.store = id;
  about.postgres = postgres;
  return durable_write(folder_ / "fiducia.toml", as_bytes(write_home_file(about)),
                       {.mode = 0644, .keep_mode = true, .create_only = false});
}

Result<Device> Home::add_device(const std::string& name, UnixTime now,
                                std::span<const crypto::Role> roles) const {
  FIDUCIA_CHECK(check_device_name(name));
  const auto lock = FileLock::acquire(folder_ / ".lock", lock_timeout_ms);
  if (!lock) return std::unexpected(lock.error());
  std::error_code error;
  if (std::filesystem::exists(folder_ / "certs" / device_file(name), error))
    return fail(ErrorCode::exists, "A device called \"" + name + "\" is already there.",
                "Choose another name; a new key under an old name would confuse both.");
  bool encrypted = false;
  FIDUCIA_TRY(key, read_key("authority.pem", &encrypted));
  std::string new_passphrase;  // what protects the authority protects its devices
  if (encrypted) {
    FIDUCIA_TRY(text, passphrase());
    new_passphrase = std::move(text);
  }
  FIDUCIA_TRY(certificate, read_certificate(folder_ / "certs" / "authority.pem"));
  const Authority authority{std::move(key), std::move(certificate)};
  FIDUCIA_TRY(issued,
              issue_device(folder_, authority, about_.hospital, name, now, roles, new_passphrase));
  return Device{.name = name, .certificate = std::move(issued)};
}

Status Home::revoke_device(const std::string& name, UnixTime at, const std::string& reason) const {
  FIDUCIA_TRY(known, device(name));
  const auto lock = FileLock::acquire(folder_ / ".lock", lock_timeout_ms);
  if (!lock) return std::unexpected(lock.error());
  FIDUCIA_TRY(trust, trust::open_trust(trust_path()));
  const Digest key = known.certificate.key_hash();
  for (trust::Revocation& revocation : trust.revocations) {
    if (revocation.key != key) continue;
    if (revocation.at <= at)
      return fail(ErrorCode::usage_invalid,
                  "The device \"" + name + "\" is revoked since " + to_rfc3339(revocation.at) + ".",
                  "Name an earlier time with --at to revoke more of its seals.");
    revocation.at = at;
    if (!reason.empty()) revocation.reason = reason;
    ++trust.serial;
    return durable_write(trust_path(), as_bytes(trust::write_trust(trust)),
                         {.mode = 0644, .keep_mode = true, .create_only = false});
  }
  trust.revocations.push_back(
      {.key = key, .at = at, .reason = reason.empty() ? "not stated" : reason});
  ++trust.serial;
  return durable_write(trust_path(), as_bytes(trust::write_trust(trust)),
                       {.mode = 0644, .keep_mode = true, .create_only = false});
}

Status create_home(const std::filesystem::path& folder, const std::string& hospital,
                   const std::string& device, UnixTime now, const std::string& passphrase) {
  FIDUCIA_CHECK(check_hospital_name(hospital));
  FIDUCIA_CHECK(check_device_name(device));
  const auto taken = [&folder] {
    return fail(ErrorCode::exists, "is already there, and a home is never overwritten.",
                "Name another folder with --home, or move this one away.",
                Location{.file = folder.string()});
  };
  std::error_code error;
  if (std::filesystem::exists(folder, error) && !std::filesystem::is_empty(folder, error))
    return taken();
  const std::filesystem::path target = std::filesystem::absolute(folder / "", error).parent_path();
  const std::filesystem::path parent = target.parent_path();
  std::filesystem::create_directories(parent, error);
  auto building = BuildFolder::make(target);
  if (!building)
    return fail(ErrorCode::io_unwritable, "no folder can be made there.",
                "Check its permissions, or name another place with --home.",
                Location{.file = parent.string()});
  FIDUCIA_CHECK(fill_home(building->path(), hospital, device, now, passphrase));
  const auto failed = [&](const char* what, int why) -> Status {
    if (why == EEXIST || why == ENOTEMPTY || why == ENOTDIR) return taken();
    return fail(ErrorCode::io_unwritable,
                what + std::error_code(why, std::generic_category()).message() + ".",
                "Check its permissions and its file system, or name another place with --home.",
                Location{.file = folder.string()});
  };
  if (chmod(building->path().c_str(), 0755) != 0)
    return failed("its permissions cannot be set: ", errno);
  if (const int why = building->move_to_place(); why != 0)
    return failed("it cannot be made there: ", why);
  return sync_folder(parent);
}

Status check_device_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || !is_utf8(name) || std::ranges::any_of(name, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
      }))
    return fail(ErrorCode::usage_invalid, "The name of the device does not fit.",
                "Give 1 to 64 bytes of text without control characters.");
  return {};
}

std::string file_name_of(std::string_view device) {
  std::string out;
  for (const char c : device) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
    if (plain) {
      out += c;
    } else {
      const std::byte byte{static_cast<unsigned char>(c)};
      out += '%' + to_hex(std::span{&byte, 1});
    }
  }
  return out;
}

}  // namespace fiducia::home
