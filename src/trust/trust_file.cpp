// SPDX-License-Identifier: Apache-2.0
#include "trust/trust_file.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <limits>
#include <optional>
#include <set>

#include "config/config.h"
#include "finding/finding.h"

namespace fiducia::trust {
namespace {

constexpr std::size_t label_bytes_max = 256;  // of names, origins and reasons
constexpr config::Section::Style style{
    .remedy = "Fix the trust file there; spec/trust.md lists its keys.",
    .text_bytes_max = label_bytes_max};
constexpr std::string_view fingerprint_prefix = "sha256:";

using config::in_quotes;
using config::listed;
using config::Once;
using config::Section;

/// Words of crypto::Role.
std::vector<std::string_view> words_of_roles() {
  std::vector<std::string_view> words;
  for (const crypto::Role role : crypto::all_roles) words.push_back(crypto::to_word(role));
  return words;
}

// --- certificates -----------------------------------------------------------------------------

Result<crypto::Certificate> required_pem(const Section& section, std::string_view key) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view end = "-----END CERTIFICATE-----";
  constexpr std::string_view space = " \t\r\n";
  FIDUCIA_TRY(node, section.required(key));
  const std::string* text = node->text();
  if (text == nullptr)
    return section.bad(node->place, section.key_of(key) + " must be a string of PEM text.");
  std::string_view pem = *text;
  pem.remove_prefix(std::min(pem.find_first_not_of(space), pem.size()));
  pem.remove_suffix(pem.size() - (pem.find_last_not_of(space) + 1));
  // One block and nothing else: a second one would look trusted to a reader and be ignored.
  if (!pem.starts_with(begin) || !pem.ends_with(end) ||
      pem.find("-----BEGIN", begin.size()) != std::string_view::npos)
    return section.bad(node->place,
                       section.key_of(key) +
                           " must be exactly one PEM block, from BEGIN CERTIFICATE to END "
                           "CERTIFICATE.");
  auto certificate = crypto::Certificate::read_pem(pem);
  if (!certificate)
    return section.bad(
        node->place, section.key_of(key) + " is no X.509 certificate: " + certificate.error().what);
  return *certificate;
}

Result<crypto::Certificate> required_authority(const Section& section, std::string_view key) {
  FIDUCIA_TRY(certificate, required_pem(section, key));
  if (!certificate.is_authority())
    return section.bad(
        key, section.key_of(key) +
                 " is not a CA certificate: its basicConstraints and keyUsage do not allow it to "
                 "issue others.");
  return certificate;
}

/// A root of time-stamp authorities, or the certificate of one.
Result<crypto::Certificate> required_tsa(const Section& section, std::string_view key) {
  FIDUCIA_TRY(certificate, required_pem(section, key));
  if (!certificate.is_authority() && !crypto::is_time_stamp_certificate(certificate))
    return section.bad(key,
                       section.key_of(key) +
                           " is neither a CA certificate nor one for time-stamping alone (RFC 3161 "
                           "section 2.3).");
  return certificate;
}

Result<ledger_format::VerifierKey> required_vkey(const Section& section, std::string_view key) {
  FIDUCIA_TRY(node, section.required(key));
  const std::string* text = node->text();
  if (text == nullptr) return section.bad(node->place, section.key_of(key) + " must be a string.");
  auto vkey = ledger_format::read_vkey(*text);
  if (!vkey)
    return section.bad(node->place,
                       section.key_of(key) + " is not a verifier key: " + vkey.error().what);
  return *vkey;
}

// --- sections ---------------------------------------------------------------------------------

/// What a list in a file may hold.
struct WordRules {
  std::string must_be;   // of what is no list, or an empty one
  std::string may_hold;  // of an item that is not known
  std::function<bool(const std::string&)> is_known;
  bool quotes_unknown = false;  // ", not "x"" behind `may_hold`
};

/// The words of list `key`, each once.
Result<std::vector<std::string>> read_words(const Section& section, std::string_view key,
                                            const config::Value& node, const WordRules& rules) {
  const std::vector<config::Value>* list = node.list();
  if (list == nullptr || list->empty())
    return section.bad(node.place, section.key_of(key) + " must be " + rules.must_be + ".");
  std::vector<std::string> words;
  for (const config::Value& item : *list) {
    const std::string* word = item.text();
    if (word == nullptr || !rules.is_known(*word))
      return section.bad(
          item.place,
          section.key_of(key) + " may hold " + rules.may_hold +
              (word != nullptr && rules.quotes_unknown ? ", not " + in_quotes(*word) : "") + ".");
    if (std::ranges::find(words, *word) != words.end())
      return section.bad(item.place, section.key_of(key) + " says " + in_quotes(*word) + " twice.");
    words.push_back(*word);
  }
  return words;
}

Result<std::vector<std::string>> read_roles(const Section& section) {
  const std::vector<std::string_view> known = words_of_roles();
  FIDUCIA_TRY(node, section.required("roles"));
  return read_words(section, "roles", *node,
                    {.must_be = "a list of at least one of " + listed(known),
                     .may_hold = listed(known),
                     .is_known =
                         [&known](const std::string& word) {
                           return std::ranges::find(known, word) != known.end();
                         },
                     .quotes_unknown = true});
}

Status read_authorities(const Section& root, Trust& trust) {
  constexpr std::array<std::string_view, 3> known{"name", "roles", "certificate"};
  Once names{"the name of an [[authority]]"};
  Once certificates{"the certificate of [[authority]]"};
  FIDUCIA_TRY(list, root.tables("authority", "[[authority]]"));
  for (const Section& section : list) {
    FIDUCIA_CHECK(section.check_keys(known));
    FIDUCIA_TRY(name, section.required_text("name"));
    FIDUCIA_CHECK(names.note(section, name, name));
    FIDUCIA_TRY(roles, read_roles(section));
    FIDUCIA_TRY(certificate, required_authority(section, "certificate"));
    // Twice the same certificate with different roles would leave open which roles hold.
    FIDUCIA_CHECK(certificates.note(section, std::string(as_text(certificate.der())), name));
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
  FIDUCIA_TRY(list, ledger_section.tables("witness", "[[ledger.witness]]"));
  for (const Section& section : list) {
    FIDUCIA_CHECK(section.check_keys(known));
    FIDUCIA_TRY(name, section.required_text("name"));
    FIDUCIA_CHECK(names.note(section, name, name));
    FIDUCIA_TRY(key, required_vkey(section, "key"));
    if (key.type != ledger_format::NoteKeyType::cosignature)
      return section.bad("key", section.key_of("key") +
                                    " must be a cosignature key (type 4): only cosignatures "
                                    "state when the witness signed.");
    // One key under two names would count twice towards the quorum, and the ledger's own key
    // would let it witness itself.
    FIDUCIA_CHECK(keys.note(section, std::string(as_text(key.public_key)), name));
    if (same_bytes(key.public_key, ledger.key.public_key))
      return section.bad("key", section.key_of("key") +
                                    " is the ledger's own key; a ledger is not a witness of "
                                    "itself.");
    ledger.witnesses.push_back({.name = std::move(name), .key = std::move(key)});
  }
  return {};
}

/// The root as the third line of a checkpoint has it, so that it can be copied from there.
Result<Digest> required_root(const Section& section, std::string_view key) {
  FIDUCIA_TRY(text, section.required_text(key));
  const auto root = digest_from_base64(text);
  if (!root)
    return section.bad(
        key, section.key_of(key) +
                 " must be the 44 characters of base64 in the third line of the checkpoint.");
  return *root;
}

Status read_pinned(const Section& ledger_section, TrustedLedger& ledger) {
  constexpr std::array<std::string_view, 3> known{"tree_size", "root", "at"};
  Once sizes{"the tree_size of a [[ledger.pinned]]"};
  FIDUCIA_TRY(list, ledger_section.tables("pinned", "[[ledger.pinned]]"));
  for (const Section& section : list) {
    FIDUCIA_CHECK(section.check_keys(known));
    FIDUCIA_TRY(size,
                section.required_count("tree_size", std::numeric_limits<std::int64_t>::max()));
    FIDUCIA_CHECK(sizes.note(section, std::to_string(size), std::to_string(size)));
    if (size < 2)
      return section.bad("tree_size", section.key_of("tree_size") +
                                          " must be at least 2: there are no receipts below.");
    FIDUCIA_TRY(root, required_root(section, "root"));
    FIDUCIA_TRY(at, section.required_time("at"));
    ledger.pinned.push_back({.tree_size = size, .root = root, .at = at});
  }
  return {};
}

/// The policies of one authority, which may be left out.
Result<std::vector<std::string>> read_policies(const Section& section) {
  const config::Value* node = section.find("policy");
  if (node == nullptr) return std::vector<std::string>{};
  return read_words(section, "policy", *node,
                    {.must_be = "a list of at least one object identifier; leave it out to accept "
                                "any policy",
                     .may_hold = "object identifiers in dotted form, such as "
                                 "\"1.3.6.1.4.1.4146.2.3\"",
                     .is_known = crypto::is_object_identifier});
}

Status read_tsas(const Section& root, Trust& trust) {
  constexpr std::array<std::string_view, 3> known{"name", "certificate", "policy"};
  Once names{"the name of a [[tsa]]"};
  Once certificates{"the certificate of [[tsa]]"};
  FIDUCIA_TRY(list, root.tables("tsa", "[[tsa]]"));
  for (const Section& section : list) {
    FIDUCIA_CHECK(section.check_keys(known));
    FIDUCIA_TRY(name, section.required_text("name"));
    FIDUCIA_CHECK(names.note(section, name, name));
    FIDUCIA_TRY(certificate, required_tsa(section, "certificate"));
    // One authority under two names would count twice.
    FIDUCIA_CHECK(certificates.note(section, std::string(as_text(certificate.der())), name));
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
  FIDUCIA_TRY(list, root.tables("ledger", "[[ledger]]"));
  for (const Section& section : list) {
    FIDUCIA_CHECK(section.check_keys(known));
    TrustedLedger ledger;
    FIDUCIA_TRY(origin, section.required_text("origin"));
    FIDUCIA_CHECK(origins.note(section, origin, origin));
    ledger.origin = std::move(origin);
    FIDUCIA_TRY(key, required_vkey(section, "key"));
    if (key.type == ledger_format::NoteKeyType::cosignature)
      return section.bad("key", section.key_of("key") +
                                    " is a cosignature key (type 4); a ledger signs with an "
                                    "Ed25519 (1) or ECDSA (2) key.");
    ledger.key = std::move(key);
    FIDUCIA_TRY(quorum,
                section.required_count("quorum", std::numeric_limits<std::uint32_t>::max()));
    FIDUCIA_CHECK(read_witnesses(section, ledger));
    FIDUCIA_CHECK(read_pinned(section, ledger));
    if (quorum > ledger.witnesses.size())
      return section.bad("quorum", section.key_of("quorum") + " is " + std::to_string(quorum) +
                                       ", but only " + std::to_string(ledger.witnesses.size()) +
                                       " witnesses are listed: no seal could ever meet it.");
    ledger.quorum = static_cast<std::uint32_t>(quorum);
    if (section.find("time_stamps") != nullptr) {
      FIDUCIA_TRY(count, section.required_count("time_stamps", limits::time_stamps_max));
      if (count > trust.tsas.size())
        return section.bad("time_stamps",
                           section.key_of("time_stamps") + " is " + std::to_string(count) +
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
  FIDUCIA_TRY(list, root.tables("revocation", "[[revocation]]"));
  for (const Section& section : list) {
    for (const std::string_view former : {"signer", "certificate"})
      if (section.find(former) != nullptr)
        return section.bad(
            former, section.key_of(former) +
                        " would name a certificate, and whoever has one signed with ECDSA can "
                        "make a twin that has another hash: name its key." +
                        std::string(how_to_name_a_key));
    FIDUCIA_CHECK(section.check_keys(known));
    FIDUCIA_TRY(text, section.required_text("key"));
    std::optional<Digest> digest;
    if (text.starts_with(fingerprint_prefix))
      digest = digest_from_hex(std::string_view{text}.substr(fingerprint_prefix.size()));
    if (!digest)
      return section.bad("key", section.key_of("key") +
                                    " must be \"sha256:\" and 64 hexadecimal digits." +
                                    std::string(how_to_name_a_key));
    if (const auto what = hashed_instead_of_a_key(trust, *digest))
      return section.bad("key", section.key_of("key") + " is the hash of " + *what +
                                    ", which is not a key: it would revoke nothing." +
                                    std::string(how_to_name_a_key));
    FIDUCIA_CHECK(keys.note(section, to_hex(digest->view()), text));
    FIDUCIA_TRY(at, section.required_time("at"));
    FIDUCIA_TRY(reason, section.required_text("reason"));
    trust.revocations.push_back({.key = *digest, .at = at, .reason = std::move(reason)});
  }
  return {};
}

Status read_devices(const Section& root, Trust& trust) {
  constexpr std::array<std::string_view, 4> known{"name", "seals_since", "station_name",
                                                  "device_serial_number"};
  Once names{"the name of a [[device]]"};
  FIDUCIA_TRY(list, root.tables("device", "[[device]]"));
  for (const Section& section : list) {
    FIDUCIA_CHECK(section.check_keys(known));
    FIDUCIA_TRY(name, section.required_text("name"));
    FIDUCIA_CHECK(names.note(section, name, name));
    FIDUCIA_TRY(since, section.required_time("seals_since"));
    FIDUCIA_TRY(station, section.optional_text("station_name"));
    FIDUCIA_TRY(serial_number, section.optional_text("device_serial_number"));
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
  const config::Value* node = section.find(key);
  if (node == nullptr) return values;
  const std::vector<config::Value>* array = node->list();
  if (array == nullptr || array->empty())
    return section.bad(node->place, section.key_of(key) + " must be a list of at least one value.");
  for (const config::Value& item : *array) {
    const std::string* value = item.text();
    if (value == nullptr || value->size() > label_bytes_max)
      return section.bad(item.place, section.key_of(key) + " may hold strings of at most " +
                                         std::to_string(label_bytes_max) + " bytes.");
    if (std::ranges::find(values, *value) != values.end())
      return section.bad(item.place,
                         section.key_of(key) + " says " + in_quotes(*value) + " twice.");
    values.push_back(*value);
  }
  return values;
}

Result<ToleranceRule> read_rule(const Section& section) {
  constexpr std::array<std::string_view, 6> known{"name", "attribute", "change",
                                                  "from", "to",        "severity"};
  FIDUCIA_CHECK(section.check_keys(known));
  ToleranceRule rule;
  FIDUCIA_TRY(name, section.required_text("name"));
  rule.name = std::move(name);
  FIDUCIA_TRY(keyword, section.required_text("attribute"));
  const auto tag = dicom::find_tag(keyword);
  if (!tag)
    return section.bad(
        "attribute",
        section.key_of("attribute") + " is " + in_quotes(keyword) +
            ", which is not a keyword of PS3.6; rules name standard attributes only, such as "
            "\"RetrieveAETitle\".");
  rule.tag = *tag;
  FIDUCIA_TRY(change, section.required_text("change"));
  constexpr std::array changes{HeaderChange::added, HeaderChange::removed, HeaderChange::altered};
  const auto found = std::ranges::find_if(
      changes, [&](HeaderChange known_change) { return change == to_word(known_change); });
  if (found == changes.end())
    return section.bad("change", section.key_of("change") + " must be added, removed or altered.");
  rule.change = *found;
  FIDUCIA_TRY(from, read_values(section, "from"));
  FIDUCIA_TRY(to, read_values(section, "to"));
  rule.from = std::move(from);
  rule.to = std::move(to);
  FIDUCIA_TRY(severity, section.required_text("severity"));
  if (severity != to_word(finding::Severity::note) &&
      severity != to_word(finding::Severity::warning))
    return section.bad("severity", section.key_of("severity") + " must be note or warning.");
  rule.severity = severity == to_word(finding::Severity::note) ? finding::Severity::note
                                                               : finding::Severity::warning;
  if (const auto wrong = what_is_wrong_with(rule))
    return section.bad_table("the rule " + in_quotes(rule.name) + ": " + *wrong);
  return rule;
}

Status read_tolerance(const Section& root, Trust& trust) {
  constexpr std::array<std::string_view, 2> known{"profile", "rule"};
  FIDUCIA_TRY(found, root.optional_table("tolerance"));
  if (!found) return {};
  const Section& section = *found;
  FIDUCIA_CHECK(section.check_keys(known));
  Tolerance tolerance;
  FIDUCIA_TRY(profile, section.optional_text("profile"));
  if (!profile.empty() && !find_tolerance_profile(profile))
    return section.bad("profile", section.key_of("profile") + " is " + in_quotes(profile) +
                                      "; the profiles of this release are " +
                                      listed(tolerance_profiles()) + ".");
  tolerance.profile = std::move(profile);
  Once names{"the name of a [[tolerance.rule]]"};
  FIDUCIA_TRY(list, section.tables("rule", "[[tolerance.rule]]"));
  for (const Section& each : list) {
    FIDUCIA_TRY(rule, read_rule(each));
    FIDUCIA_CHECK(names.note(each, rule.name, rule.name));
    tolerance.rules.push_back(std::move(rule));
  }
  if (tolerance.profile.empty() && tolerance.rules.empty())
    return section.bad_table(
        "[tolerance] says nothing: name a profile, or leave the section out to "
        "tolerate nothing.");
  trust.tolerance = std::move(tolerance);
  return {};
}

Result<Trust> read_root(const config::Table& table) {
  constexpr std::array<std::string_view, 8> keys{"version",    "serial", "authority", "ledger",
                                                 "revocation", "device", "tolerance", "tsa"};
  const Section root{table, "the trust file", style};
  // The version first: a later one may have keys that are rightly unknown here.
  FIDUCIA_TRY(version, root.required_count("version", std::numeric_limits<std::uint32_t>::max()));
  if (version != 1 && version != 2)
    return root.bad("version", "version " + std::to_string(version) +
                                   " of the trust file is not one this program reads; it "
                                   "reads versions 1 and 2.");
  // A key of version 2 in a file of version 1 would be refused by older readers.
  FIDUCIA_CHECK(root.check_keys(std::span(keys).first(version == 1 ? 7 : 8)));
  Trust trust;
  FIDUCIA_TRY(serial, root.required_count("serial", std::numeric_limits<std::int64_t>::max()));
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
  FIDUCIA_TRY(table, config::read_toml(text, name, std::string(style.remedy)));
  return read_root(table);
}

// --- writing ----------------------------------------------------------------------------------

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
    out += "\n[[authority]]\nname = " + config::toml_string(authority.name) + "\nroles = [";
    for (std::size_t i = 0; i < authority.roles.size(); ++i)
      out += (i == 0 ? "" : ", ") + config::toml_string(authority.roles[i]);
    out += "]\ncertificate = '''\n" + authority.certificate.write_pem();
    if (!out.ends_with('\n')) out += '\n';
    out += "'''\n";
  }
}

void write_ledgers(const Trust& trust, std::string& out) {
  out += ledger_comment;
  for (const TrustedLedger& ledger : trust.ledgers) {
    out += "\n[[ledger]]\norigin = " + config::toml_string(ledger.origin) +
           "\nkey = " + config::toml_string(ledger_format::write_vkey(ledger.key)) +
           "\nquorum = " + std::to_string(ledger.quorum) + "\n";
    if (ledger.time_stamps > 0) out += "time_stamps = " + std::to_string(ledger.time_stamps) + "\n";
    for (const TrustedWitness& witness : ledger.witnesses)
      out += "\n[[ledger.witness]]\nname = " + config::toml_string(witness.name) +
             "\nkey = " + config::toml_string(ledger_format::write_vkey(witness.key)) + "\n";
    for (const PinnedCheckpoint& pinned : ledger.pinned)
      out += "\n[[ledger.pinned]]\ntree_size = " + std::to_string(pinned.tree_size) +
             "\nroot = " + config::toml_string(to_base64(pinned.root.view())) +
             "\nat = " + to_rfc3339(pinned.at) + "\n";
  }
}

void write_tsas(const Trust& trust, std::string& out) {
  if (trust.tsas.empty()) return;
  out += tsa_comment;
  for (const TrustedTsa& tsa : trust.tsas) {
    out += "\n[[tsa]]\nname = " + config::toml_string(tsa.name);
    for (std::size_t i = 0; i < tsa.policies.size(); ++i)
      out += (i == 0 ? "\npolicy = [" : ", ") + config::toml_string(tsa.policies[i]);
    if (!tsa.policies.empty()) out += "]";
    out += "\ncertificate = '''\n" + tsa.certificate.write_pem() + "'''\n";
  }
}

void write_values(std::string_view key, const std::vector<std::string>& values, std::string& out) {
  for (std::size_t i = 0; i < values.size(); ++i)
    out += (i == 0 ? std::string(key) + " = [" : ", ") + config::toml_string(values[i]);
  if (!values.empty()) out += "]\n";
}

void write_tolerance(const Trust& trust, std::string& out) {
  if (!trust.tolerance) return;
  out += tolerance_comment;
  out += "\n[tolerance]\n";
  if (!trust.tolerance->profile.empty())
    out += "profile = " + config::toml_string(trust.tolerance->profile) + "\n";
  for (const ToleranceRule& rule : trust.tolerance->rules) {
    const auto entry = dicom::find_dictionary_entry(rule.tag);
    FIDUCIA_ASSERT(entry.has_value());  // read_tolerance takes no other
    out += "\n[[tolerance.rule]]\nname = " + config::toml_string(rule.name) +
           "\nattribute = " + config::toml_string(entry->keyword) +
           "\nchange = " + config::toml_string(to_word(rule.change)) + "\n";
    write_values("from", rule.from, out);
    write_values("to", rule.to, out);
    out += "severity = " + config::toml_string(to_word(rule.severity)) + "\n";
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
           config::toml_string(std::string(fingerprint_prefix) + to_hex(revocation.key.view())) +
           "\nat = " + to_rfc3339(revocation.at) +
           "\nreason = " + config::toml_string(revocation.reason) + "\n";
  out += device_comment;
  for (const SealingDevice& device : trust.devices) {
    out += "\n[[device]]\nname = " + config::toml_string(device.name) +
           "\nseals_since = " + to_rfc3339(device.seals_since) + "\n";
    if (!device.station_name.empty())
      out += "station_name = " + config::toml_string(device.station_name) + "\n";
    if (!device.device_serial_number.empty())
      out += "device_serial_number = " + config::toml_string(device.device_serial_number) + "\n";
  }
  write_tolerance(trust, out);
  return out;
}

}  // namespace fiducia::trust
