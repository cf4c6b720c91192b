// SPDX-License-Identifier: Apache-2.0
#include "trust/trust_file.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <set>

#include "config/toml.h"
#include "finding/finding.h"

namespace fiducia::trust {
namespace {

constexpr std::size_t label_bytes_max = 256;  // of names, origins and reasons
/// Words of crypto::Role.
std::vector<std::string_view> words_of_roles() {
  std::vector<std::string_view> words;
  for (const crypto::Role role : crypto::all_roles) words.push_back(crypto::to_word(role));
  return words;
}
constexpr std::string_view fingerprint_prefix = "sha256:";

// --- errors -----------------------------------------------------------------------------------

constexpr std::string_view remedy = "Fix the trust file there; spec/trust.md lists its keys.";

std::unexpected<Error> bad(const toml::source_position& at, const std::string& what) {
  return config::bad_toml(at, what, std::string(remedy));
}
std::unexpected<Error> bad(const toml::node& node, const std::string& what) {
  return bad(node.source().begin, what);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t shown_max = 80;
  std::string out = "\"";
  for (const char c : text.substr(0, shown_max))
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  // A cut may end inside a character: drop what is left of it.
  while (text.size() > shown_max && !is_utf8(std::string_view{out}.substr(1))) out.pop_back();
  return out + (text.size() > shown_max ? "...\"" : "\"");
}

std::string listed(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

// --- values -----------------------------------------------------------------------------------

/// One table of the file and what it is called in messages: "[[ledger]]".
struct Section {
  const toml::table& table;
  std::string_view title;
};

Status check_keys(const Section& section, std::span<const std::string_view> known) {
  for (const auto& [key, value] : section.table)
    if (std::find(known.begin(), known.end(), key.str()) == known.end())
      return bad(key.source().begin, "unknown key " + in_quotes(key.str()) + " in " +
                                         std::string(section.title) + "; the keys there are " +
                                         listed(known) + ".");
  return {};
}

std::string key_of(const Section& section, std::string_view key) {
  return "key \"" + std::string(key) + "\" of " + std::string(section.title);
}

Result<const toml::node*> required(const Section& section, std::string_view key) {
  if (const toml::node* node = section.table.get(key)) return node;
  return bad(section.table, key_of(section, key) + " is missing.");
}

/// Text for people and for exact comparison: UTF-8 (the parser saw to that), 1 to 256 bytes, no
/// control characters, so that it fits on a line of a terminal or report.
Result<std::string> read_text(const Section& section, std::string_view key,
                              const toml::node& node) {
  const auto* text = node.as_string();
  if (text == nullptr) return bad(node, key_of(section, key) + " must be a string.");
  const std::string& value = text->get();
  if (value.empty()) return bad(node, key_of(section, key) + " is empty.");
  if (value.size() > label_bytes_max)
    return bad(node, key_of(section, key) + " is longer than " + std::to_string(label_bytes_max) +
                         " bytes.");
  if (std::any_of(value.begin(), value.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    return bad(node, key_of(section, key) + " holds a control character.");
  return value;
}

Result<std::string> required_text(const Section& section, std::string_view key) {
  FIDUCIA_TRY(node, required(section, key));
  return read_text(section, key, *node);
}

/// "" when the key is absent.
Result<std::string> optional_text(const Section& section, std::string_view key) {
  const toml::node* node = section.table.get(key);
  if (node == nullptr) return std::string{};
  return read_text(section, key, *node);
}

Result<std::uint64_t> required_count(const Section& section, std::string_view key,
                                     std::uint64_t max) {
  FIDUCIA_TRY(node, required(section, key));
  const auto* integer = node->as_integer();
  if (integer == nullptr || integer->get() < 0 || static_cast<std::uint64_t>(integer->get()) > max)
    return bad(*node, key_of(section, key) + " must be a whole number from 0 to " +
                          std::to_string(max) + ".");
  return static_cast<std::uint64_t>(integer->get());
}

/// TOML offset date-time, TOML date (its first second in UTC), or either of them as a string.
Result<UnixTime> required_time(const Section& section, std::string_view key) {
  FIDUCIA_TRY(node, required(section, key));
  const auto days_of = [](const toml::date& date) {
    using namespace std::chrono;
    return sys_days{year{date.year} / month{date.month} / day{date.day}};
  };
  if (const auto* date = node->as_date())
    return UnixTime{std::chrono::sys_seconds{days_of(date->get())}.time_since_epoch().count()};
  if (const auto* moment = node->as_date_time(); moment != nullptr && moment->get().offset) {
    const toml::date_time& at = moment->get();
    const std::int64_t clock =
        (std::int64_t{at.time.hour} * 60 + at.time.minute - at.offset->minutes) * 60 +
        at.time.second;
    return UnixTime{std::chrono::sys_seconds{days_of(at.date)}.time_since_epoch().count() + clock};
  }
  if (const auto* text = node->as_string())
    if (auto time = read_rfc3339(text->get())) return *time;
  return bad(*node, key_of(section, key) +
                        " must be a time with its offset from UTC, such as 2026-11-24T10:00:00Z, "
                        "or a date.");
}

/// The tables of `[[key]]`; none when the key is absent.
Result<std::vector<const toml::table*>> tables(const Section& section, std::string_view key) {
  std::vector<const toml::table*> out;
  const toml::node* node = section.table.get(key);
  if (node == nullptr) return out;
  const toml::array* array = node->as_array();
  if (array != nullptr)
    for (const toml::node& item : *array) {
      if (!item.is_table()) return bad(item, key_of(section, key) + " must hold tables only.");
      out.push_back(item.as_table());
    }
  else
    return bad(*node, key_of(section, key) + " must be a list of tables: write [[" +
                          std::string(key) + "]], not [" + std::string(key) + "].");
  return out;
}

// --- certificates -----------------------------------------------------------------------------

/// One DER element with a length of at most four bytes (X.690 section 8.1).
struct DerElement {
  std::uint8_t tag = 0;
  ByteView content;
};
Result<DerElement> take_der(ByteCursor& cursor) {
  FIDUCIA_TRY(tag, cursor.be<std::uint8_t>());
  FIDUCIA_TRY(first, cursor.be<std::uint8_t>());
  std::uint64_t length = first;
  if (first >= 0x80) {
    const unsigned size = first & 0x7FU;
    if (size == 0 || size > 4) return fail_malformed("der", "a length that DER does not allow.");
    FIDUCIA_TRY(bytes, cursor.take(size));
    length = 0;
    for (const std::byte b : bytes) length = length << 8 | std::to_integer<std::uint8_t>(b);
  }
  FIDUCIA_TRY(content, cursor.take(length));
  return DerElement{.tag = tag, .content = content};
}

/// Whether a certificate says of itself that it may issue others: basicConstraints with cA TRUE,
/// and keyCertSign where keyUsage is present (RFC 5280 sections 4.2.1.9 and 4.2.1.3).
Result<bool> is_authority(const crypto::Certificate& certificate) {
  constexpr std::array<std::byte, 3> key_usage{std::byte{0x55}, std::byte{0x1D}, std::byte{0x0F}};
  constexpr std::array<std::byte, 3> basic{std::byte{0x55}, std::byte{0x1D}, std::byte{0x13}};
  constexpr std::uint8_t key_cert_sign = 0x04;  // bit 5, counted from the most significant
  ByteCursor outer{certificate.der()};
  FIDUCIA_TRY(whole, take_der(outer));
  ByteCursor in_whole{whole.content};
  FIDUCIA_TRY(tbs, take_der(in_whole));
  ByteCursor in_tbs{tbs.content};
  bool authority = false;
  bool may_sign = true;
  while (in_tbs.remaining() > 0) {
    FIDUCIA_TRY(field, take_der(in_tbs));
    if (field.tag != 0xA3) continue;  // [3] extensions
    ByteCursor in_field{field.content};
    FIDUCIA_TRY(list, take_der(in_field));
    ByteCursor in_list{list.content};
    while (in_list.remaining() > 0) {
      FIDUCIA_TRY(extension, take_der(in_list));
      ByteCursor in_extension{extension.content};
      FIDUCIA_TRY(oid, take_der(in_extension));
      FIDUCIA_TRY(value, take_der(in_extension));
      if (value.tag == 0x01) {  // the critical flag comes first when it is there
        FIDUCIA_TRY(after_flag, take_der(in_extension));
        value = after_flag;
      }
      ByteCursor in_value{value.content};
      if (same_bytes(oid.content, basic)) {
        FIDUCIA_TRY(constraints, take_der(in_value));
        ByteCursor in_constraints{constraints.content};
        if (in_constraints.remaining() == 0) continue;
        FIDUCIA_TRY(flag, take_der(in_constraints));
        authority = flag.tag == 0x01 && flag.content.size() == 1 && flag.content[0] != std::byte{};
      } else if (same_bytes(oid.content, key_usage)) {
        FIDUCIA_TRY(bits, take_der(in_value));
        may_sign = bits.content.size() >= 2 &&
                   (std::to_integer<std::uint8_t>(bits.content[1]) & key_cert_sign) != 0;
      }
    }
  }
  return authority && may_sign;
}

Result<crypto::Certificate> required_pem(const Section& section, std::string_view key) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view end = "-----END CERTIFICATE-----";
  constexpr std::string_view space = " \t\r\n";
  FIDUCIA_TRY(node, required(section, key));
  const auto* text = node->as_string();
  if (text == nullptr) return bad(*node, key_of(section, key) + " must be a string of PEM text.");
  std::string_view pem = text->get();
  pem.remove_prefix(std::min(pem.find_first_not_of(space), pem.size()));
  pem.remove_suffix(pem.size() - (pem.find_last_not_of(space) + 1));
  // One block and nothing else: a second one would look trusted to a reader and be ignored.
  if (!pem.starts_with(begin) || !pem.ends_with(end) ||
      pem.find("-----BEGIN", begin.size()) != std::string_view::npos)
    return bad(*node, key_of(section, key) +
                          " must be exactly one PEM block, from BEGIN CERTIFICATE to END "
                          "CERTIFICATE.");
  auto certificate = crypto::Certificate::read_pem(pem);
  if (!certificate)
    return bad(*node,
               key_of(section, key) + " is no X.509 certificate: " + certificate.error().what);
  return *certificate;
}

Result<crypto::Certificate> required_authority(const Section& section, std::string_view key) {
  FIDUCIA_TRY(certificate, required_pem(section, key));
  const auto authority = is_authority(certificate);
  if (!authority || !*authority)
    return bad(*section.table.get(key),
               key_of(section, key) +
                   " is not a CA certificate: its basicConstraints and keyUsage do not allow it to "
                   "issue others.");
  return certificate;
}

/// A root of time-stamp authorities, or the certificate of one.
Result<crypto::Certificate> required_tsa(const Section& section, std::string_view key) {
  FIDUCIA_TRY(certificate, required_pem(section, key));
  const auto authority = is_authority(certificate);
  if ((!authority || !*authority) && !crypto::is_time_stamp_certificate(certificate))
    return bad(*section.table.get(key),
               key_of(section, key) +
                   " is neither a CA certificate nor one for time-stamping alone (RFC 3161 "
                   "section 2.3).");
  return certificate;
}

Result<ledger_format::VerifierKey> required_vkey(const Section& section, std::string_view key) {
  FIDUCIA_TRY(node, required(section, key));
  const auto* text = node->as_string();
  if (text == nullptr) return bad(*node, key_of(section, key) + " must be a string.");
  auto vkey = ledger_format::read_vkey(text->get());
  if (!vkey) return bad(*node, key_of(section, key) + " is no verifier key: " + vkey.error().what);
  return *vkey;
}

// --- sections ---------------------------------------------------------------------------------

Result<std::vector<std::string>> read_roles(const Section& section) {
  const std::vector<std::string_view> roles_known = words_of_roles();
  FIDUCIA_TRY(node, required(section, "roles"));
  const toml::array* array = node->as_array();
  if (array == nullptr || array->empty())
    return bad(*node, key_of(section, "roles") + " must be a list of at least one of " +
                          listed(roles_known) + ".");
  std::vector<std::string> roles;
  for (const toml::node& item : *array) {
    const auto* role = item.as_string();
    if (role == nullptr ||
        std::find(roles_known.begin(), roles_known.end(), role->get()) == roles_known.end())
      return bad(item, key_of(section, "roles") + " may hold " + listed(roles_known) +
                           (role ? ", not " + in_quotes(role->get()) + "." : std::string(".")));
    if (std::find(roles.begin(), roles.end(), role->get()) != roles.end())
      return bad(item, key_of(section, "roles") + " says " + in_quotes(role->get()) + " twice.");
    roles.push_back(role->get());
  }
  return roles;
}

/// Notices values that may stand only once in the file.
class Once {
 public:
  explicit Once(std::string what) : what_(std::move(what)) {}
  Status note(const toml::node& node, std::string value, std::string_view shown) {
    if (seen_.insert(std::move(value)).second) return {};
    return bad(node, what_ + " " + in_quotes(shown) + " is there twice.");
  }

 private:
  std::string what_;
  std::set<std::string> seen_;
};

Status read_authorities(const Section& root, Trust& trust) {
  constexpr std::array<std::string_view, 3> known{"name", "roles", "certificate"};
  Once names{"the name of an [[authority]]"};
  Once certificates{"the certificate of [[authority]]"};
  FIDUCIA_TRY(list, tables(root, "authority"));
  for (const toml::table* table : list) {
    const Section section{*table, "[[authority]]"};
    FIDUCIA_CHECK(check_keys(section, known));
    FIDUCIA_TRY(name, required_text(section, "name"));
    FIDUCIA_CHECK(names.note(*table, name, name));
    FIDUCIA_TRY(roles, read_roles(section));
    FIDUCIA_TRY(certificate, required_authority(section, "certificate"));
    // Twice the same certificate with different roles would leave open which roles hold.
    FIDUCIA_CHECK(certificates.note(*table, std::string(as_text(certificate.der())), name));
    trust.authorities.push_back({.name = std::move(name),
                                 .certificate = std::move(certificate),
                                 .roles = std::move(roles)});
  }
  return {};
}

Status read_witnesses(const Section& ledger_section, TrustedLedger& ledger) {
  constexpr std::array<std::string_view, 2> known{"name", "key"};
  Once names{"the name of a [[ledger.witness]]"};
  Once keys{"the key of [[ledger.witness]]"};
  FIDUCIA_TRY(list, tables(ledger_section, "witness"));
  for (const toml::table* table : list) {
    const Section section{*table, "[[ledger.witness]]"};
    FIDUCIA_CHECK(check_keys(section, known));
    FIDUCIA_TRY(name, required_text(section, "name"));
    FIDUCIA_CHECK(names.note(*table, name, name));
    FIDUCIA_TRY(key, required_vkey(section, "key"));
    if (key.type != ledger_format::NoteKeyType::cosignature)
      return bad(*table->get("key"), key_of(section, "key") +
                                         " must be a cosignature key (type 4): only cosignatures "
                                         "state when the witness signed.");
    // One key under two names would count twice towards the quorum, and the ledger's own key
    // would let it witness itself.
    FIDUCIA_CHECK(keys.note(*table, std::string(as_text(key.public_key)), name));
    if (same_bytes(key.public_key, ledger.key.public_key))
      return bad(*table->get("key"), key_of(section, "key") +
                                         " is the ledger's own key; a ledger is no witness of "
                                         "itself.");
    ledger.witnesses.push_back({.name = std::move(name), .key = std::move(key)});
  }
  return {};
}

/// The root as the third line of a checkpoint has it, so that it can be copied from there.
Result<Digest> required_root(const Section& section, std::string_view key) {
  FIDUCIA_TRY(text, required_text(section, key));
  const auto bytes = from_base64(text);
  Digest root;
  if (!bytes || bytes->size() != root.bytes.size())
    return bad(*section.table.get(key),
               key_of(section, key) +
                   " must be the 44 characters of base64 in the third line of the checkpoint.");
  std::ranges::copy(*bytes, root.bytes.begin());
  return root;
}

Status read_pinned(const Section& ledger_section, TrustedLedger& ledger) {
  constexpr std::array<std::string_view, 3> known{"tree_size", "root", "at"};
  Once sizes{"the tree_size of a [[ledger.pinned]]"};
  FIDUCIA_TRY(list, tables(ledger_section, "pinned"));
  for (const toml::table* table : list) {
    const Section section{*table, "[[ledger.pinned]]"};
    FIDUCIA_CHECK(check_keys(section, known));
    FIDUCIA_TRY(size,
                required_count(section, "tree_size", std::numeric_limits<std::int64_t>::max()));
    FIDUCIA_CHECK(sizes.note(*table, std::to_string(size), std::to_string(size)));
    if (size < 2)
      return bad(*table->get("tree_size"), key_of(section, "tree_size") +
                                               " must be at least 2: there are no receipts below.");
    FIDUCIA_TRY(root, required_root(section, "root"));
    FIDUCIA_TRY(at, required_time(section, "at"));
    ledger.pinned.push_back({.tree_size = size, .root = root, .at = at});
  }
  return {};
}

/// The policies of one authority, which may be left out.
Result<std::vector<std::string>> read_policies(const Section& section) {
  std::vector<std::string> policies;
  const toml::node* node = section.table.get("policy");
  if (node == nullptr) return policies;
  const toml::array* array = node->as_array();
  if (array == nullptr || array->empty())
    return bad(*node, key_of(section, "policy") +
                          " must be a list of at least one object identifier; leave it out to "
                          "accept any policy.");
  for (const toml::node& item : *array) {
    const auto* policy = item.as_string();
    if (policy == nullptr || !crypto::is_object_identifier(policy->get()))
      return bad(item, key_of(section, "policy") +
                           " may hold object identifiers in dotted form, such as "
                           "\"1.3.6.1.4.1.4146.2.3\".");
    if (std::find(policies.begin(), policies.end(), policy->get()) != policies.end())
      return bad(item, key_of(section, "policy") + " says " + in_quotes(policy->get()) + " twice.");
    policies.push_back(policy->get());
  }
  return policies;
}

Status read_tsas(const Section& root, Trust& trust) {
  constexpr std::array<std::string_view, 3> known{"name", "certificate", "policy"};
  Once names{"the name of a [[tsa]]"};
  Once certificates{"the certificate of [[tsa]]"};
  FIDUCIA_TRY(list, tables(root, "tsa"));
  for (const toml::table* table : list) {
    const Section section{*table, "[[tsa]]"};
    FIDUCIA_CHECK(check_keys(section, known));
    FIDUCIA_TRY(name, required_text(section, "name"));
    FIDUCIA_CHECK(names.note(*table, name, name));
    FIDUCIA_TRY(certificate, required_tsa(section, "certificate"));
    // One authority under two names would count twice.
    FIDUCIA_CHECK(certificates.note(*table, std::string(as_text(certificate.der())), name));
    FIDUCIA_TRY(policies, read_policies(section));
    trust.tsas.push_back({.name = std::move(name),
                          .certificate = std::move(certificate),
                          .policies = std::move(policies)});
  }
  return {};
}

/// `version`: of the file. The [[tsa]] tables have been read.
Status read_ledgers(const Section& root, std::uint64_t version, Trust& trust) {
  constexpr std::array<std::string_view, 6> keys{"origin",  "key",    "quorum",
                                                 "witness", "pinned", "time_stamps"};
  const std::span known = std::span(keys).first(version == 1 ? 5 : 6);
  Once origins{"the origin of a [[ledger]]"};
  FIDUCIA_TRY(list, tables(root, "ledger"));
  for (const toml::table* table : list) {
    const Section section{*table, "[[ledger]]"};
    FIDUCIA_CHECK(check_keys(section, known));
    TrustedLedger ledger;
    FIDUCIA_TRY(origin, required_text(section, "origin"));
    FIDUCIA_CHECK(origins.note(*table, origin, origin));
    ledger.origin = std::move(origin);
    FIDUCIA_TRY(key, required_vkey(section, "key"));
    if (key.type == ledger_format::NoteKeyType::cosignature)
      return bad(*table->get("key"), key_of(section, "key") +
                                         " is a cosignature key (type 4); a ledger signs with an "
                                         "Ed25519 (1) or ECDSA (2) key.");
    ledger.key = std::move(key);
    FIDUCIA_TRY(quorum,
                required_count(section, "quorum", std::numeric_limits<std::uint32_t>::max()));
    FIDUCIA_CHECK(read_witnesses(section, ledger));
    FIDUCIA_CHECK(read_pinned(section, ledger));
    if (quorum > ledger.witnesses.size())
      return bad(*table->get("quorum"), key_of(section, "quorum") + " is " +
                                            std::to_string(quorum) + ", but only " +
                                            std::to_string(ledger.witnesses.size()) +
                                            " witnesses are listed: no seal could ever meet it.");
    ledger.quorum = static_cast<std::uint32_t>(quorum);
    if (table->contains("time_stamps")) {
      FIDUCIA_TRY(count, required_count(section, "time_stamps", limits::time_stamps_max));
      if (count > trust.tsas.size())
        return bad(*table->get("time_stamps"),
                   key_of(section, "time_stamps") + " is " + std::to_string(count) +
                       ", but the file names " + std::to_string(trust.tsas.size()) +
                       " time-stamp authorities: no seal could ever meet it.");
      ledger.time_stamps = static_cast<std::uint32_t>(count);
    }
    trust.ledgers.push_back(std::move(ledger));
  }
  return {};
}

/// What somebody may have hashed in place of the key of `certificate`, and what it is called.
std::optional<std::string> mistaken(const crypto::Certificate& certificate, const Digest& digest) {
  const std::string pem = certificate.write_pem();
  if (digest == certificate.fingerprint() || digest == crypto::sha256(as_bytes(pem)))
    return "the certificate of \"" + certificate.common_name() + "\"";
  return std::nullopt;
}

/// A revocation that can match nothing would pass for one that protects.
std::optional<std::string> hashed_instead_of_a_key(const Trust& trust, const Digest& digest) {
  if (digest == Digest{}) return "nothing: all digits are 0";
  if (digest == crypto::sha256(ByteView{})) return "nothing: it is the SHA-256 of no bytes";
  for (const TrustedAuthority& authority : trust.authorities)
    if (auto what = mistaken(authority.certificate, digest)) return what;
  for (const TrustedTsa& tsa : trust.tsas)
    if (auto what = mistaken(tsa.certificate, digest)) return what;
  const auto of_vkey = [&](const ledger_format::VerifierKey& key) {
    return digest == crypto::sha256(as_bytes(ledger_format::write_vkey(key))) ||
           (key.type != ledger_format::NoteKeyType::ecdsa &&
            digest == crypto::sha256(key.public_key));
  };
  for (const TrustedLedger& ledger : trust.ledgers) {
    if (of_vkey(ledger.key)) return "the verifier key of " + ledger.origin + " in another form";
    for (const TrustedWitness& witness : ledger.witnesses)
      if (of_vkey(witness.key)) return "the verifier key of " + witness.name + " in another form";
  }
  return std::nullopt;
}

constexpr std::string_view how_to_name_a_key =
    " A key is named by the SHA-256 of its SubjectPublicKeyInfo: `openssl x509 -in CERTIFICATE "
    "-pubkey -noout | openssl pkey -pubin -outform DER | sha256sum`; `fiducia device list` and "
    "`fiducia verify --json` show it.";

Status read_revocations(const Section& root, Trust& trust) {
  constexpr std::array<std::string_view, 3> known{"key", "at", "reason"};
  Once keys{"the key of a [[revocation]]"};
  FIDUCIA_TRY(list, tables(root, "revocation"));
  for (const toml::table* table : list) {
    const Section section{*table, "[[revocation]]"};
    for (const std::string_view former : {"signer", "certificate"})
      if (const toml::node* node = table->get(former))
        return bad(*node,
                   key_of(section, former) +
                       " would name a certificate, and whoever has one signed with ECDSA can "
                       "make a twin that has another hash: name its key." +
                       std::string(how_to_name_a_key));
    FIDUCIA_CHECK(check_keys(section, known));
    FIDUCIA_TRY(text, required_text(section, "key"));
    std::optional<Digest> digest;
    if (text.starts_with(fingerprint_prefix))
      digest = digest_from_hex(std::string_view{text}.substr(fingerprint_prefix.size()));
    if (!digest)
      return bad(*table->get("key"), key_of(section, "key") +
                                         " must be \"sha256:\" and 64 hexadecimal digits." +
                                         std::string(how_to_name_a_key));
    if (const auto what = hashed_instead_of_a_key(trust, *digest))
      return bad(*table->get("key"), key_of(section, "key") + " is the hash of " + *what +
                                         ", which is no key: it would revoke nothing." +
                                         std::string(how_to_name_a_key));
    FIDUCIA_CHECK(keys.note(*table, to_hex(digest->view()), text));
    FIDUCIA_TRY(at, required_time(section, "at"));
    FIDUCIA_TRY(reason, required_text(section, "reason"));
    trust.revocations.push_back({.key = *digest, .at = at, .reason = std::move(reason)});
  }
  return {};
}

Status read_devices(const Section& root, Trust& trust) {
  constexpr std::array<std::string_view, 4> known{"name", "seals_since", "station_name",
                                                  "device_serial_number"};
  Once names{"the name of a [[device]]"};
  FIDUCIA_TRY(list, tables(root, "device"));
  for (const toml::table* table : list) {
    const Section section{*table, "[[device]]"};
    FIDUCIA_CHECK(check_keys(section, known));
    FIDUCIA_TRY(name, required_text(section, "name"));
    FIDUCIA_CHECK(names.note(*table, name, name));
    FIDUCIA_TRY(since, required_time(section, "seals_since"));
    FIDUCIA_TRY(station, optional_text(section, "station_name"));
    FIDUCIA_TRY(serial_number, optional_text(section, "device_serial_number"));
    trust.devices.push_back({.name = std::move(name),
                             .seals_since = since,
                             .station_name = std::move(station),
                             .device_serial_number = std::move(serial_number)});
  }
  return {};
}

/// "" is a value of a rule: the attribute is empty.
Result<std::vector<std::string>> read_values(const Section& section, std::string_view key) {
  std::vector<std::string> values;
  const toml::node* node = section.table.get(key);
  if (node == nullptr) return values;
  const toml::array* array = node->as_array();
  if (array == nullptr || array->empty())
    return bad(*node, key_of(section, key) + " must be a list of at least one value.");
  for (const toml::node& item : *array) {
    const auto* value = item.as_string();
    if (value == nullptr || value->get().size() > label_bytes_max)
      return bad(item, key_of(section, key) + " may hold strings of at most " +
                           std::to_string(label_bytes_max) + " bytes.");
    if (std::ranges::find(values, value->get()) != values.end())
      return bad(item, key_of(section, key) + " says " + in_quotes(value->get()) + " twice.");
    values.push_back(value->get());
  }
  return values;
}

Result<ToleranceRule> read_rule(const Section& section) {
  constexpr std::array<std::string_view, 6> known{"name", "attribute", "change",
                                                  "from", "to",        "severity"};
  FIDUCIA_CHECK(check_keys(section, known));
  ToleranceRule rule;
  FIDUCIA_TRY(name, required_text(section, "name"));
  rule.name = std::move(name);
  FIDUCIA_TRY(keyword, required_text(section, "attribute"));
  const auto tag = dicom::find_tag(keyword);
  if (!tag)
    return bad(*section.table.get("attribute"),
               key_of(section, "attribute") + " is " + in_quotes(keyword) +
                   ", which is no keyword of PS3.6; rules name standard attributes only, such as "
                   "\"RetrieveAETitle\".");
  rule.tag = *tag;
  FIDUCIA_TRY(change, required_text(section, "change"));
  constexpr std::array changes{HeaderChange::added, HeaderChange::removed, HeaderChange::altered};
  const auto found = std::ranges::find_if(
      changes, [&](HeaderChange known_change) { return change == to_word(known_change); });
  if (found == changes.end())
    return bad(*section.table.get("change"),
               key_of(section, "change") + " must be added, removed or altered.");
  rule.change = *found;
  FIDUCIA_TRY(from, read_values(section, "from"));
  FIDUCIA_TRY(to, read_values(section, "to"));
  rule.from = std::move(from);
  rule.to = std::move(to);
  FIDUCIA_TRY(severity, required_text(section, "severity"));
  if (severity != to_word(finding::Severity::note) &&
      severity != to_word(finding::Severity::warning))
    return bad(*section.table.get("severity"),
               key_of(section, "severity") + " must be note or warning.");
  rule.severity = severity == to_word(finding::Severity::note) ? finding::Severity::note
                                                               : finding::Severity::warning;
  if (const auto wrong = what_is_wrong_with(rule))
    return bad(section.table, "the rule " + in_quotes(rule.name) + ": " + *wrong);
  return rule;
}

Status read_tolerance(const Section& root, Trust& trust) {
  constexpr std::array<std::string_view, 2> known{"profile", "rule"};
  const toml::node* node = root.table.get("tolerance");
  if (node == nullptr) return {};
  if (!node->is_table())
    return bad(*node, "key \"tolerance\" must be one table: write [tolerance].");
  const Section section{*node->as_table(), "[tolerance]"};
  FIDUCIA_CHECK(check_keys(section, known));
  Tolerance tolerance;
  FIDUCIA_TRY(profile, optional_text(section, "profile"));
  if (!profile.empty() && !find_tolerance_profile(profile))
    return bad(*section.table.get("profile"),
               key_of(section, "profile") + " is " + in_quotes(profile) +
                   "; the profiles of this release are " + listed(tolerance_profiles()) + ".");
  tolerance.profile = std::move(profile);
  Once names{"the name of a [[tolerance.rule]]"};
  FIDUCIA_TRY(list, tables(section, "rule"));
  for (const toml::table* table : list) {
    FIDUCIA_TRY(rule, read_rule(Section{*table, "[[tolerance.rule]]"}));
    FIDUCIA_CHECK(names.note(*table, rule.name, rule.name));
    tolerance.rules.push_back(std::move(rule));
  }
  if (tolerance.profile.empty() && tolerance.rules.empty())
    return bad(*node,
               "[tolerance] says nothing: name a profile, or leave the section out to "
               "tolerate nothing.");
  trust.tolerance = std::move(tolerance);
  return {};
}

Result<Trust> read_root(const toml::table& table) {
  constexpr std::array<std::string_view, 8> keys{"version",    "serial", "authority", "ledger",
                                                 "revocation", "device", "tolerance", "tsa"};
  const Section root{table, "the trust file"};
  // The version first: a later one may have keys that are rightly unknown here.
  FIDUCIA_TRY(version, required_count(root, "version", std::numeric_limits<std::uint32_t>::max()));
  if (version != 1 && version != 2)
    return bad(*table.get("version"), "version " + std::to_string(version) +
                                          " of the trust file is not one this program reads; it "
                                          "reads versions 1 and 2.");
  // A key of version 2 in a file of version 1 would be refused by older readers.
  FIDUCIA_CHECK(check_keys(root, std::span(keys).first(version == 1 ? 7 : 8)));
  Trust trust;
  FIDUCIA_TRY(serial, required_count(root, "serial", std::numeric_limits<std::int64_t>::max()));
  trust.serial = serial;
  FIDUCIA_CHECK(read_authorities(root, trust));
  FIDUCIA_CHECK(read_tsas(root, trust));
  FIDUCIA_CHECK(read_ledgers(root, version, trust));
  FIDUCIA_CHECK(read_revocations(root, trust));
  FIDUCIA_CHECK(read_devices(root, trust));
  FIDUCIA_CHECK(read_tolerance(root, trust));
  return trust;
}

Result<Trust> read_text_of_trust(std::string_view text, const std::string& name) {
  if (text.size() > limits::trust_file_bytes_max)
    return fail(ErrorCode::over_limit,
                "The trust file has " + std::to_string(text.size()) + " bytes; the limit is " +
                    std::to_string(limits::trust_file_bytes_max) + ".",
                "Check that this is the trust file.");
  FIDUCIA_TRY(table, config::read_toml(text, name, std::string(remedy)));
  return read_root(table);
}

// --- writing ----------------------------------------------------------------------------------

/// A TOML basic string. Bytes past ASCII stay as they are: the file is UTF-8.
std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

constexpr std::string_view head_comment =
    R"(# The trust file: what a verifier believes. Whoever can write to this file decides what counts as
# authentic, so guard it like a key and hand it on by a way you trust. A verifier needs this file
# and the evidence, nothing else. Every key is explained in spec/trust.md; a key that is not known
# is refused, so that a misspelt "revocation" cannot pass in silence.

# Format of this file.
)";
constexpr std::string_view serial_comment =
    R"(# Edition of this file: add one with each change, so that everybody can tell the newer copy.
)";
constexpr std::string_view authority_comment = R"(
# --- Certificate authorities -----------------------------------------------------------------
# An image counts as sealed only when the signer's certificate was issued by one of these.
# roles: what its signers may do: "seal", "amend", "deidentify", "derive", "gateway", "audit",
# "curate", "calibrate". Their certificates must be made for it as well (extended key usage).
)";
constexpr std::string_view ledger_comment = R"(
# --- Ledgers ----------------------------------------------------------------------------------
# A seal counts only with a receipt of one of these, cosigned by at least `quorum` of the
# witnesses listed under it. A quorum of 0 trusts the ledger's operator alone.
# [[ledger.pinned]]: a checkpoint that is known to be older than `at`; what it covers stays good
# although a key is revoked later.
)";
constexpr std::string_view tsa_comment = R"(
# --- Time-stamp authorities -------------------------------------------------------------------
# `time_stamps` of a ledger says how many different ones of these must have stamped its checkpoint.
# The date of a seal then is what they attest, whatever the clocks of hospital and ledger say.
# certificate: of the authority, or of the root that its certificate leads to.
)";
constexpr std::string_view revocation_comment = R"(
# --- Revocations ------------------------------------------------------------------------------
# Keys that may be in other hands since `at`. Seals of a device's key dated at or after it are not
# believed; earlier ones stay good. Of the key of an authority or ledger only those stay good whose
# date somebody else attests: a witness, a time-stamp authority, a pinned checkpoint.
# key: SHA-256 of the public key, as `fiducia device list` and `fiducia verify --json` show it.
)";
constexpr std::string_view device_comment = R"(
# --- Devices that seal everything ------------------------------------------------------------
# An unsealed image of such a device, made at or after `seals_since`, raises an alarm.
# station_name, device_serial_number: Station Name (0008,1010) and Device Serial Number
# (0018,1000) in its images; without either, Station Name is compared with `name`.
)";

constexpr std::string_view tolerance_comment = R"(
# --- What is tolerated ------------------------------------------------------------------------
# Differences of a header that archives and tools make by habit. Without this section every one is an
# alarm. profile: a list of rules that is built in; docs/archives.md shows it. [[tolerance.rule]]: one
# of your own, with name, attribute (keyword), change ("added", "removed", "altered"), from, to (lists
# of values, "" for empty) and severity ("note", "warning"). What a rule may name is a closed list.
)";

void write_authorities(const Trust& trust, std::string& out) {
  out += authority_comment;
  for (const TrustedAuthority& authority : trust.authorities) {
    out += "\n[[authority]]\nname = " + toml_string(authority.name) + "\nroles = [";
    for (std::size_t i = 0; i < authority.roles.size(); ++i)
      out += (i == 0 ? "" : ", ") + toml_string(authority.roles[i]);
    out += "]\ncertificate = '''\n" + authority.certificate.write_pem();
    if (!out.ends_with('\n')) out += '\n';
    out += "'''\n";
  }
}

void write_ledgers(const Trust& trust, std::string& out) {
  out += ledger_comment;
  for (const TrustedLedger& ledger : trust.ledgers) {
    out += "\n[[ledger]]\norigin = " + toml_string(ledger.origin) +
           "\nkey = " + toml_string(ledger_format::write_vkey(ledger.key)) +
           "\nquorum = " + std::to_string(ledger.quorum) + "\n";
    if (ledger.time_stamps > 0) out += "time_stamps = " + std::to_string(ledger.time_stamps) + "\n";
    for (const TrustedWitness& witness : ledger.witnesses)
      out += "\n[[ledger.witness]]\nname = " + toml_string(witness.name) +
             "\nkey = " + toml_string(ledger_format::write_vkey(witness.key)) + "\n";
    for (const PinnedCheckpoint& pinned : ledger.pinned)
      out += "\n[[ledger.pinned]]\ntree_size = " + std::to_string(pinned.tree_size) +
             "\nroot = " + toml_string(to_base64(pinned.root.view())) +
             "\nat = " + to_rfc3339(pinned.at) + "\n";
  }
}

void write_tsas(const Trust& trust, std::string& out) {
  if (trust.tsas.empty()) return;
  out += tsa_comment;
  for (const TrustedTsa& tsa : trust.tsas) {
    out += "\n[[tsa]]\nname = " + toml_string(tsa.name);
    for (std::size_t i = 0; i < tsa.policies.size(); ++i)
      out += (i == 0 ? "\npolicy = [" : ", ") + toml_string(tsa.policies[i]);
    if (!tsa.policies.empty()) out += "]";
    out += "\ncertificate = '''\n" + tsa.certificate.write_pem() + "'''\n";
  }
}

void write_values(std::string_view key, const std::vector<std::string>& values, std::string& out) {
  for (std::size_t i = 0; i < values.size(); ++i)
    out += (i == 0 ? std::string(key) + " = [" : ", ") + toml_string(values[i]);
  if (!values.empty()) out += "]\n";
}

void write_tolerance(const Trust& trust, std::string& out) {
  if (!trust.tolerance) return;
  out += tolerance_comment;
  out += "\n[tolerance]\n";
  if (!trust.tolerance->profile.empty())
    out += "profile = " + toml_string(trust.tolerance->profile) + "\n";
  for (const ToleranceRule& rule : trust.tolerance->rules) {
    const auto entry = dicom::find_dictionary_entry(rule.tag);
    FIDUCIA_ASSERT(entry.has_value());  // read_tolerance takes no other
    out += "\n[[tolerance.rule]]\nname = " + toml_string(rule.name) +
           "\nattribute = " + toml_string(entry->keyword) +
           "\nchange = " + toml_string(to_word(rule.change)) + "\n";
    write_values("from", rule.from, out);
    write_values("to", rule.to, out);
    out += "severity = " + toml_string(to_word(rule.severity)) + "\n";
  }
}

/// The lowest version that can say what `trust` says, so that older readers are kept.
int version_of(const Trust& trust) {
  const bool stamps = std::ranges::any_of(
      trust.ledgers, [](const TrustedLedger& ledger) { return ledger.time_stamps > 0; });
  return trust.tsas.empty() && !stamps ? 1 : 2;
}

}  // namespace

Digest key_hash_of(const ledger_format::VerifierKey& key) {
  const auto read = key.type == ledger_format::NoteKeyType::ecdsa
                        ? crypto::PublicKey::read_spki(key.public_key)
                        : crypto::PublicKey::read_ed25519(key.public_key);
  // A key that does not read signs nothing.
  return read ? read->hash() : crypto::sha256(key.public_key);
}

Result<Trust> read_trust(std::string_view toml, const std::string& name) {
  auto trust = read_text_of_trust(toml, name);
  if (!trust && trust.error().where.file.empty()) trust.error().where.file = name;
  return trust;
}

Result<Trust> open_trust(const std::filesystem::path& path) {
  FIDUCIA_TRY(bytes, read_file(path, limits::trust_file_bytes_max));
  return read_trust(as_text(bytes), path.string());
}

std::string write_trust(const Trust& trust) {
  FIDUCIA_ASSERT(std::in_range<std::int64_t>(trust.serial));  // TOML integers have 64 bits, signed
  std::string out{head_comment};
  out += "version = " + std::to_string(version_of(trust)) + "\n";
  out += serial_comment;
  out += "serial = " + std::to_string(trust.serial) + "\n";
  write_authorities(trust, out);
  write_ledgers(trust, out);
  write_tsas(trust, out);
  out += revocation_comment;
  for (const Revocation& revocation : trust.revocations)
    out += "\n[[revocation]]\nkey = " +
           toml_string(std::string(fingerprint_prefix) + to_hex(revocation.key.view())) +
           "\nat = " + to_rfc3339(revocation.at) + "\nreason = " + toml_string(revocation.reason) +
           "\n";
  out += device_comment;
  for (const SealingDevice& device : trust.devices) {
    out += "\n[[device]]\nname = " + toml_string(device.name) +
           "\nseals_since = " + to_rfc3339(device.seals_since) + "\n";
    if (!device.station_name.empty())
      out += "station_name = " + toml_string(device.station_name) + "\n";
    if (!device.device_serial_number.empty())
      out += "device_serial_number = " + toml_string(device.device_serial_number) + "\n";
  }
  write_tolerance(trust, out);
  return out;
}

}  // namespace fiducia::trust
