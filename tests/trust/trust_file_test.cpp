// SPDX-License-Identifier: Apache-2.0
#include "trust/trust_file.h"

#include <gtest/gtest.h>

#include <regex>

#include "support/support.h"

namespace fiducia::trust {
namespace {

constexpr UnixTime year_2026{1'767'225'600};  // 2026-01-01T00:00:00Z

struct Identity {
  crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeyKind::p256).value();
  crypto::CertificateRequest request{.common_name = "Test CA",
                                     .organization = "",
                                     .not_before = year_2026,
                                     .not_after = {year_2026.seconds + 86'400 * 3650}};
  crypto::Certificate authority = crypto::make_authority(key, request).value();
};
const Identity& hospital() {
  static const Identity identity;
  return identity;
}

ledger_format::VerifierKey vkey(const std::string& name, ledger_format::NoteKeyType type) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
  return ledger_format::make_vkey(name, type, key.public_key().write_ed25519());
}

Trust example() {
  Trust trust;
  trust.serial = 7;
  trust.authorities.push_back({.name = "Example Hospital CA",
                               .certificate = hospital().authority,
                               .roles = {"seal", "amend"}});
  TrustedLedger ledger;
  ledger.origin = "example.org/ledger";
  ledger.key = vkey("example.org/ledger", ledger_format::NoteKeyType::ed25519);
  ledger.quorum = 1;
  ledger.witnesses.push_back(
      {.name = "first", .key = vkey("w1.example.org", ledger_format::NoteKeyType::cosignature)});
  ledger.witnesses.push_back(
      {.name = "second", .key = vkey("w2.example.org", ledger_format::NoteKeyType::cosignature)});
  Digest root;
  root.bytes.fill(std::byte{0xCD});
  ledger.pinned = {
      {.tree_size = 1000, .root = root, .at = {year_2026.seconds + 1}},
      {.tree_size = 2000, .root = crypto::sha256(ByteView{}), .at = {year_2026.seconds + 2}}};
  trust.ledgers.push_back(std::move(ledger));
  Digest signer;
  signer.bytes.fill(std::byte{0xAB});
  trust.revocations.push_back({.key = signer, .at = year_2026, .reason = "key lost"});
  trust.devices.push_back({.name = "CT-1", .seals_since = year_2026});
  trust.devices.push_back({.name = "MR-1",
                           .seals_since = {year_2026.seconds + 3600},
                           .station_name = "MR01",
                           .device_serial_number = "4711"});
  return trust;
}

crypto::Certificate stamper() {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::p256).value();
  return crypto::make_time_stamp_certificate(key.public_key(), hospital().request, hospital().key,
                                             hospital().authority)
      .value();
}

/// With what only version 2 can say: a root and an authority of its own.
Trust example_2() {
  Trust trust = example();
  trust.tsas.push_back({.name = "Root", .certificate = hospital().authority, .policies = {}});
  trust.tsas.push_back(
      {.name = "Own", .certificate = stamper(), .policies = {"2.999.1", "1.3.6.1.4.1.4146.2.3"}});
  trust.ledgers.front().time_stamps = 2;
  return trust;
}

void expect_same(const Trust& a, const Trust& b) {
  EXPECT_EQ(a.serial, b.serial);
  ASSERT_EQ(a.authorities.size(), b.authorities.size());
  for (std::size_t i = 0; i < a.authorities.size(); ++i) {
    EXPECT_EQ(a.authorities[i].name, b.authorities[i].name);
    EXPECT_TRUE(same_bytes(a.authorities[i].certificate.der(), b.authorities[i].certificate.der()));
    EXPECT_EQ(a.authorities[i].roles, b.authorities[i].roles);
  }
  ASSERT_EQ(a.ledgers.size(), b.ledgers.size());
  for (std::size_t i = 0; i < a.ledgers.size(); ++i) {
    EXPECT_EQ(a.ledgers[i].origin, b.ledgers[i].origin);
    EXPECT_EQ(write_vkey(a.ledgers[i].key), write_vkey(b.ledgers[i].key));
    EXPECT_EQ(a.ledgers[i].quorum, b.ledgers[i].quorum);
    EXPECT_EQ(a.ledgers[i].time_stamps, b.ledgers[i].time_stamps);
    ASSERT_EQ(a.ledgers[i].witnesses.size(), b.ledgers[i].witnesses.size());
    ASSERT_EQ(a.ledgers[i].pinned.size(), b.ledgers[i].pinned.size());
    for (std::size_t k = 0; k < a.ledgers[i].pinned.size(); ++k) {
      EXPECT_EQ(a.ledgers[i].pinned[k].tree_size, b.ledgers[i].pinned[k].tree_size);
      EXPECT_EQ(a.ledgers[i].pinned[k].root, b.ledgers[i].pinned[k].root);
      EXPECT_EQ(a.ledgers[i].pinned[k].at, b.ledgers[i].pinned[k].at);
    }
    for (std::size_t k = 0; k < a.ledgers[i].witnesses.size(); ++k) {
      EXPECT_EQ(a.ledgers[i].witnesses[k].name, b.ledgers[i].witnesses[k].name);
      EXPECT_EQ(write_vkey(a.ledgers[i].witnesses[k].key),
                write_vkey(b.ledgers[i].witnesses[k].key));
    }
  }
  ASSERT_EQ(a.tsas.size(), b.tsas.size());
  for (std::size_t i = 0; i < a.tsas.size(); ++i) {
    EXPECT_EQ(a.tsas[i].name, b.tsas[i].name);
    EXPECT_TRUE(same_bytes(a.tsas[i].certificate.der(), b.tsas[i].certificate.der()));
    EXPECT_EQ(a.tsas[i].policies, b.tsas[i].policies);
  }
  ASSERT_EQ(a.revocations.size(), b.revocations.size());
  for (std::size_t i = 0; i < a.revocations.size(); ++i) {
    EXPECT_EQ(a.revocations[i].key, b.revocations[i].key);
    EXPECT_EQ(a.revocations[i].at, b.revocations[i].at);
    EXPECT_EQ(a.revocations[i].reason, b.revocations[i].reason);
  }
  ASSERT_EQ(a.devices.size(), b.devices.size());
  for (std::size_t i = 0; i < a.devices.size(); ++i) {
    EXPECT_EQ(a.devices[i].name, b.devices[i].name);
    EXPECT_EQ(a.devices[i].seals_since, b.devices[i].seals_since);
    EXPECT_EQ(a.devices[i].station_name, b.devices[i].station_name);
    EXPECT_EQ(a.devices[i].device_serial_number, b.devices[i].device_serial_number);
  }
}

Result<Trust> read(const std::string& text) { return read_trust(text, "trust.toml"); }

/// `text` with the first match of `pattern` replaced.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "the test looks for " << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

/// Line and column of the error, "12:3"; "" when it says none.
std::string place(const Error& error) {
  std::smatch match;
  if (!std::regex_search(error.what, match, std::regex("^Line ([0-9]+), column ([0-9]+): ")))
    return {};
  return match[1].str() + ":" + match[2].str();
}

/// A text that is no trust file, and a part of the sentence that says why: it names the key.
struct Row {
  const char* name;
  std::string text;
  const char* says;
};

void expect_refused(const Row& row) {
  SCOPED_TRACE(row.name);
  const auto read_back = read(row.text);
  ASSERT_FALSE(read_back.has_value());
  EXPECT_EQ(read_back.error().code, ErrorCode::config_invalid);
  EXPECT_NE(read_back.error().what.find(row.says), std::string::npos) << read_back.error().what;
  EXPECT_NE(place(read_back.error()), "") << read_back.error().what;
  EXPECT_EQ(read_back.error().where.file, "trust.toml");
}

TEST(Trust, comes_back_as_it_was_written) {
  const Trust trust = example();
  const auto again = read(write_trust(trust));
  ASSERT_TRUE(again.has_value()) << to_sentence(again.error());
  expect_same(*again, trust);
  EXPECT_EQ(write_trust(*again), write_trust(trust)) << "writing is deterministic";
}

TEST(Trust, that_believes_nothing_comes_back) {
  const auto again = read(write_trust(Trust{}));
  ASSERT_TRUE(again.has_value()) << to_sentence(again.error());
  expect_same(*again, Trust{});
  expect_same(*read("version = 1\nserial = 0\n"), Trust{});
}

std::string random_text(std::mt19937_64& prng) {
  static constexpr std::string_view pieces[] = {
      "a", "\"", "\\", "'",        "'''",     "\"\"\"",       "#",   " ",
      "=", "[",  "]]", "\xC3\xBC", "\\u0041", "\xE2\x82\xAC", "\\n", "\xF0\x9F\xA9\xBB"};
  std::string out;
  for (std::uint64_t i = 0, count = 1 + prng() % 20; i < count; ++i)
    out += pieces[prng() % std::size(pieces)];
  return out;
}

// Property: whatever keeps the rules survives writing and reading.
TEST(Trust, of_any_content_comes_back) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const std::vector<std::string> roles{"seal", "amend", "deidentify", "derive", "gateway"};
  const auto time = [&] {  // years 0 to 9999
    return UnixTime{static_cast<std::int64_t>(prng() % 315'569'520'000) - 62'167'219'200};
  };
  for (int round = 0; round < 200; ++round) {
    Trust trust;
    trust.serial = prng() >> (1 + prng() % 63);
    const auto name = [&](std::size_t i) { return std::to_string(i) + random_text(prng); };
    if (prng() % 2) {
      std::vector<std::string> some = roles;
      std::shuffle(some.begin(), some.end(), prng);
      some.resize(1 + prng() % some.size());
      trust.authorities.push_back(
          {.name = name(0), .certificate = hospital().authority, .roles = some});
    }
    static const crypto::Certificate tsa = stamper();
    if (prng() % 2)
      trust.tsas.push_back({.name = name(0),
                            .certificate = prng() % 2 ? tsa : hospital().authority,
                            .policies = prng() % 2 ? std::vector<std::string>{"2.999.1"}
                                                   : std::vector<std::string>{}});
    for (std::size_t i = 0; i < prng() % 3; ++i) {
      TrustedLedger ledger;
      ledger.time_stamps = static_cast<std::uint32_t>(prng() % (trust.tsas.size() + 1));
      ledger.origin = name(i);
      ledger.key = vkey("log", ledger_format::NoteKeyType::ed25519);
      for (std::size_t k = 0; k < prng() % 4; ++k)
        ledger.witnesses.push_back(
            {.name = name(k), .key = vkey("w", ledger_format::NoteKeyType::cosignature)});
      ledger.quorum = static_cast<std::uint32_t>(prng() % (ledger.witnesses.size() + 1));
      trust.ledgers.push_back(std::move(ledger));
    }
    for (std::size_t i = 0; i < prng() % 4; ++i) {
      Digest signer;
      for (std::byte& b : signer.bytes) b = static_cast<std::byte>(prng());
      trust.revocations.push_back({.key = signer, .at = time(), .reason = random_text(prng)});
    }
    for (std::size_t i = 0; i < prng() % 4; ++i)
      trust.devices.push_back({.name = name(i),
                               .seals_since = time(),
                               .station_name = prng() % 2 ? random_text(prng) : "",
                               .device_serial_number = prng() % 2 ? random_text(prng) : ""});
    const std::string text = write_trust(trust);
    const auto again = read(text);
    ASSERT_TRUE(again.has_value()) << to_sentence(again.error()) << "\n" << text;
    expect_same(*again, trust);
  }
}

TEST(Trust, refuses_what_the_rules_forbid_and_says_where) {
  const std::string good = write_trust(example());
  ASSERT_TRUE(read(good).has_value());
  const std::string pem = hospital().authority.write_pem();
  const auto device_key = crypto::PrivateKey::generate(crypto::KeyKind::p256).value();
  const std::string device_pem =
      crypto::make_device_certificate(device_key.public_key(), hospital().request, hospital().key,
                                      hospital().authority)
          .value()
          .write_pem();
  const Trust trust = example();
  const std::string ledger_vkey = write_vkey(trust.ledgers[0].key);
  const std::string mine = write_trust(trust);
  const auto swap = [&](const std::string& from, const std::string& to) {
    return with(mine, from, to);
  };
  const std::string root = to_base64(trust.ledgers[0].pinned[0].root.view());
  const std::string first_witness = write_vkey(trust.ledgers[0].witnesses[0].key);
  const std::string second_witness = write_vkey(trust.ledgers[0].witnesses[1].key);
  const ledger_format::VerifierKey self = ledger_format::make_vkey(
      "w2.example.org", ledger_format::NoteKeyType::cosignature, trust.ledgers[0].key.public_key);
  const std::string fingerprint = "sha256:" + std::string(64, 'x');
  const std::string signer(64, 'a');
  std::string ab;
  for (int i = 0; i < 32; ++i) ab += "ab";

  for (const Row& row :
       {Row{"no TOML", "version = = 1", "not TOML"},
        Row{"not UTF-8", "version = 1\nserial = 1 # \xFF", "not TOML"},
        Row{"the same key twice", "version = 1\nversion = 1\nserial = 1", "not TOML"},
        Row{"no version", swap("version = 1\n", ""), "\"version\""},
        Row{"a later version", swap("version = 1\n", "version = 3\n"), "version 3"},
        Row{"version as text", swap("version = 1\n", "version = \"1\"\n"), "\"version\""},
        Row{"no serial", swap("serial = 7\n", ""), "\"serial\""},
        Row{"a negative serial", swap("serial = 7", "serial = -7"), "\"serial\""},
        Row{"a fractional serial", swap("serial = 7", "serial = 7.0"), "\"serial\""},
        Row{"misspelt revocation", swap("[[revocation]]", "[[revocaton]]"), "\"revocaton\""},
        Row{"a table for a list", swap("[[revocation]]", "[revocation]"), "\"revocation\""},
        Row{"numbers for tables", "version = 1\nserial = 1\ndevice = [1]", "\"device\""},
        Row{"unknown key of an authority", swap("roles =", "role ="), "\"role\""},
        Row{"no name", swap("name = \"Example Hospital CA\"\n", ""), "\"name\""},
        Row{"empty name", swap("\"Example Hospital CA\"", "\"\""), "\"name\""},
        Row{"control character", swap("Example Hospital", "Example\\u0007Hospital"), "\"name\""},
        Row{"endless name", swap("Example Hospital", std::string(257, 'x')), "\"name\""},
        Row{"name is a number", swap("\"Example Hospital CA\"", "3"), "\"name\""},
        Row{"unknown role", swap(", \"amend\"]", ", \"fix\"]"), "\"fix\""},
        Row{"role twice", swap(", \"amend\"]", ", \"seal\"]"), "\"seal\" twice"},
        Row{"no roles", swap("[\"seal\", \"amend\"]", "[]"), "\"roles\""},
        Row{"roles as text", swap("[\"seal\", \"amend\"]", "\"seal\""), "\"roles\""},
        Row{"certificate of a device", swap(pem, device_pem), "not a CA certificate"},
        Row{"certificate cut", swap("-----END CERTIFICATE-----", ""), "\"certificate\""},
        Row{"two certificates", swap(pem, pem + pem), "\"certificate\""},
        Row{"text around the certificate", swap(pem, "x" + pem), "\"certificate\""},
        Row{"no base64", swap("-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n*"),
            "\"certificate\""},
        Row{"authority twice",
            mine + mine.substr(mine.find("[[authority]]"),
                               mine.find("\n# --- Ledgers") - mine.find("[[authority]]")),
            "twice"},
        Row{"bad ledger key", swap(ledger_vkey, "example.org/ledger+00000000+AAAA"), "\"key\""},
        Row{"cosignature key for a ledger", swap(ledger_vkey, first_witness), "\"key\""},
        Row{"ledger key for a witness", swap(second_witness, ledger_vkey), "\"key\""},
        Row{"witness key twice", swap(second_witness, first_witness), "twice"},
        Row{"witness name twice", swap("\"second\"", "\"first\""), "twice"},
        Row{"ledger its own witness", swap(second_witness, write_vkey(self)), "own key"},
        Row{"quorum above witnesses", swap("quorum = 1", "quorum = 3"), "\"quorum\""},
        Row{"negative quorum", swap("quorum = 1", "quorum = -1"), "\"quorum\""},
        Row{"quorum that wraps", swap("quorum = 1", "quorum = 4294967296"), "\"quorum\""},
        Row{"no quorum", swap("quorum = 1\n", ""), "\"quorum\""},
        Row{"fingerprint without prefix", swap("sha256:", ""), "\"key\""},
        Row{"fingerprint not hex", swap("sha256:" + ab, fingerprint), "\"key\""},
        Row{"fingerprint short", swap("sha256:ab", "sha256:"), "\"key\""},
        Row{"revocation of a certificate", swap("key = \"sha256:", "signer = \"sha256:"),
            "make a twin"},
        Row{"hash of an authority's certificate",
            swap(ab, to_hex(hospital().authority.fingerprint().view())), "would revoke nothing"},
        Row{"hash of its PEM", swap(ab, to_hex(crypto::sha256(as_bytes(pem)).view())),
            "would revoke nothing"},
        Row{"hash of a raw ledger key",
            swap(ab, to_hex(crypto::sha256(trust.ledgers[0].key.public_key).view())),
            "would revoke nothing"},
        Row{"hash of a verifier key",
            swap(ab, to_hex(crypto::sha256(as_bytes(ledger_vkey)).view())), "would revoke nothing"},
        Row{"hash of nothing", swap(ab, to_hex(crypto::sha256(ByteView{}).view())),
            "would revoke nothing"},
        Row{"zeros", swap(ab, std::string(64, '0')), "would revoke nothing"},
        Row{"pinned root in hexadecimal", swap("root = \"" + root + "\"", "root = \"" + ab + "\""),
            "\"root\""},
        Row{"pinned root short", swap("root = \"" + root, "root = \"AAAA" + root), "\"root\""},
        Row{"pinned tree of one leaf", swap("tree_size = 1000", "tree_size = 1"), "\"tree_size\""},
        Row{"pinned twice", swap("tree_size = 2000", "tree_size = 1000"), "twice"},
        Row{"pinned without a time", swap("at = 2026-01-01T00:00:01Z\n", ""), "\"at\""},
        Row{"key twice",
            mine + "\n[[revocation]]\nkey = \"sha256:" + ab +
                "\"\nat = 2026-01-01\nreason = \"x\"\n",
            "twice"},
        Row{"time without offset", swap("at = 2026-01-01T00:00:00Z", "at = 2026-01-01T00:00:00"),
            "\"at\""},
        Row{"time as a number", swap("at = 2026-01-01T00:00:00Z", "at = 1767225600"), "\"at\""},
        Row{"no day", swap("seals_since = 2026-01-01T00:00:00Z\n", ""), "\"seals_since\""},
        Row{"device twice", swap("\"MR-1\"", "\"CT-1\""), "twice"},
        Row{"empty station", swap("\"MR01\"", "\"\""), "\"station_name\""}}) {
    expect_refused(row);
  }
}

// Files that would take a parser's stack, or lead it astray.
TEST(Trust, of_nothing_but_structure_is_an_error_like_any_other) {
  const auto times = [](std::size_t n, std::string_view part) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += part;
    return out;
  };
  for (const std::string& text :
       {times(80'000, "."), "a" + times(80'000, ".a") + " = 1",
        "a" + times(80'000, ".\"a\"") + "=1", "[a" + times(80'000, ".a") + "]",
        "[[a" + times(80'000, ".a") + "]]", std::string("[[["), times(80'000, "["),
        "a = " + times(80'000, "["), "a = " + times(80'000, "{a="), "a = " + times(80'000, "[{a="),
        std::string("[[[a]]]")}) {
    SCOPED_TRACE(text.substr(0, 20));
    const auto refused = read(text);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::config_invalid);
    EXPECT_EQ(refused.error().where.file, "trust.toml");
  }
  EXPECT_TRUE(read("version = 1\nserial = 1\n#" + times(80'000, ".")).has_value()) << "a comment";
  // Dots in values are no depth.
  Trust trust = example();
  trust.authorities.front().name = times(200, ".");
  EXPECT_TRUE(read(write_trust(trust)).has_value());
}

TEST(Trust, with_time_stamps_is_version_2_and_comes_back) {
  EXPECT_NE(write_trust(example()).find("\nversion = 1\n"), std::string::npos);
  EXPECT_EQ(write_trust(example()).find("tsa"), std::string::npos);
  const Trust trust = example_2();
  const std::string text = write_trust(trust);
  EXPECT_NE(text.find("\nversion = 2\n"), std::string::npos);
  const auto again = read(text);
  ASSERT_TRUE(again.has_value()) << to_sentence(again.error());
  expect_same(*again, trust);
  EXPECT_EQ(write_trust(*again), text) << "writing is deterministic";
  // An authority that no ledger asks for needs version 2 as well.
  Trust unasked = trust;
  unasked.ledgers.front().time_stamps = 0;
  EXPECT_NE(write_trust(unasked).find("\nversion = 2\n"), std::string::npos);
  expect_same(*read(write_trust(unasked)), unasked);
  // A file of version 2 that needs it not is read, and written as version 1.
  const auto plain = read(with(write_trust(example()), "version = 1\n", "version = 2\n"));
  ASSERT_TRUE(plain.has_value());
  EXPECT_NE(write_trust(*plain).find("\nversion = 1\n"), std::string::npos);
}

TEST(Trust, of_version_2_refuses_what_the_rules_forbid_and_says_where) {
  const Trust trust = example_2();
  const std::string mine = write_trust(trust);
  const std::string own = trust.tsas[1].certificate.write_pem();
  const std::string root = trust.tsas[0].certificate.write_pem();
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::p256).value();
  const std::string device = crypto::make_device_certificate(key.public_key(), hospital().request,
                                                             hospital().key, hospital().authority)
                                 .value()
                                 .write_pem();
  const auto swap = [&](const std::string& from, const std::string& to) {
    return with(mine, from, to);
  };
  for (const Row& row :
       {Row{"time-stamps in version 1", swap("version = 2\n", "version = 1\n"), "unknown key"},
        Row{"[[tsa]] in version 1",
            with(swap("version = 2\n", "version = 1\n"), "time_stamps = 2\n", ""), "\"tsa\""},
        Row{"a table for a list", with(swap("[[tsa]]", "[tsa]"), "[[tsa]]", "[tsa.x]"), "\"tsa\""},
        Row{"unknown key", swap("policy = [", "policies = ["), "\"policies\""},
        Row{"no name", swap("name = \"Own\"\n", ""), "\"name\""},
        Row{"name twice", swap("\"Own\"", "\"Root\""), "twice"},
        Row{"certificate twice", swap(own, root), "twice"},
        Row{"certificate of a device", swap(own, device), "time-stamping alone"},
        Row{"no certificate", swap("certificate = '''\n" + own + "'''", ""), "\"certificate\""},
        Row{"two certificates", swap(own, own + own), "\"certificate\""},
        Row{"policy as text", swap("[\"2.999.1\", \"1.3.6.1.4.1.4146.2.3\"]", "\"2.999.1\""),
            "\"policy\""},
        Row{"no policy", swap("[\"2.999.1\", \"1.3.6.1.4.1.4146.2.3\"]", "[]"), "\"policy\""},
        Row{"policy by name", swap("\"2.999.1\"", "\"tsa_policy1\""), "\"policy\""},
        Row{"policy as a number", swap("\"2.999.1\"", "2.999"), "\"policy\""},
        Row{"policy twice", swap("\"1.3.6.1.4.1.4146.2.3\"", "\"2.999.1\""), "twice"},
        Row{"more than there are", swap("time_stamps = 2", "time_stamps = 3"), "\"time_stamps\""},
        Row{"far too many", swap("time_stamps = 2", "time_stamps = 4294967297"), "\"time_stamps\""},
        Row{"negative", swap("time_stamps = 2", "time_stamps = -1"), "\"time_stamps\""},
        Row{"as text", swap("time_stamps = 2", "time_stamps = \"2\""), "\"time_stamps\""}}) {
    expect_refused(row);
  }
}

// Two hospitals that believe each other append each other's tables (docs/operations.md).
TEST(Trust, grows_by_appending_the_tables_of_another) {
  const Trust mine = example_2();
  const Identity other_identity;
  Trust other;
  other.authorities.push_back(
      {.name = "Other CA", .certificate = other_identity.authority, .roles = {"seal"}});
  TrustedLedger ledger;
  ledger.origin = "other.example/ledger";
  ledger.key = vkey("other.example/ledger", ledger_format::NoteKeyType::ed25519);
  ledger.witnesses.push_back(
      {.name = "first", .key = vkey("w9.example", ledger_format::NoteKeyType::cosignature)});
  ledger.quorum = 1;
  ledger.time_stamps = 0;
  other.ledgers.push_back(std::move(ledger));
  const std::string theirs = write_trust(other);
  const std::string tables = theirs.substr(theirs.find("[[authority]]"));
  const auto both = read(write_trust(mine) + "\n" + tables);
  ASSERT_TRUE(both.has_value()) << to_sentence(both.error());
  ASSERT_EQ(both->authorities.size(), 2U);
  ASSERT_EQ(both->ledgers.size(), 2U);
  EXPECT_EQ(both->ledgers[1].origin, "other.example/ledger");
  EXPECT_EQ(both->ledgers[1].witnesses.size(), 1U);
  EXPECT_EQ(both->ledgers[0].time_stamps, 2U);
  // Twice is refused, not merged.
  EXPECT_FALSE(read(write_trust(mine) + "\n" + tables + "\n" + tables).has_value());
}

TEST(Trust, names_line_and_column_of_the_fault) {
  const auto unknown = read("version = 1\nserial = 1\n\n  revocaton = 3\n");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(place(unknown.error()), "4:3");
  const auto type = read("version = 1\nserial = \"x\"\n");
  ASSERT_FALSE(type.has_value());
  EXPECT_EQ(place(type.error()), "2:10");
  const auto witness = read(with(write_trust(example()), "quorum = 1", "quorum = 9"));
  ASSERT_FALSE(witness.has_value());
  EXPECT_NE(witness.error().what.find("column 10"), std::string::npos) << witness.error().what;
}

TEST(Trust, reads_times_in_each_spelling_alike) {
  for (const char* spelling : {"2026-01-01T00:00:00Z", "2026-01-01", "2026-01-01 01:30:00+01:30",
                               "2025-12-31T19:00:00-05:00", "\"2026-01-01T00:00:00Z\"",
                               "\"2026-01-01\"", "2026-01-01T00:00:00.75Z"}) {
    SCOPED_TRACE(spelling);
    const auto trust = read(std::string("version = 1\nserial = 1\n[[device]]\nname = \"CT\"\n"
                                        "seals_since = ") +
                            spelling + "\n");
    ASSERT_TRUE(trust.has_value()) << to_sentence(trust.error());
    EXPECT_EQ(trust->devices[0].seals_since, year_2026);
  }
}

TEST(Trust, survives_deep_nesting_and_refuses_what_is_too_large) {
  const auto deep = read("x = " + std::string(100'000, '['));
  ASSERT_FALSE(deep.has_value());
  EXPECT_EQ(deep.error().code, ErrorCode::config_invalid);
  const auto large = read(std::string(limits::trust_file_bytes_max + 1, '\n'));
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code, ErrorCode::over_limit);
}

// Found by fuzzing: an assertion of the TOML library ended the program.
TEST(Trust, refuses_what_the_toml_library_asserts_against) {
  for (const char* text : {"version = 1\n[[[ d", "[[[", "[[[ dL[[evice]]\n"}) {
    SCOPED_TRACE(text);
    const auto refused = read(text);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::config_invalid);
  }
}

// Found by fuzzing: undefined behaviour of the TOML library.
TEST(Trust, refuses_characters_past_ascii_outside_of_quotes_only) {
  for (const char* text :
       {"version = 1\nserial = 1\n\xC3\xBC = 1\n", "\xC3\xBC", "version\xC2\xA0= 1",
        "x = \"\"\xC3\xBC", "x = \"\"\"a\"\"\"\"\"\xC3\xBC", "x = '\\'\xC3\xBC"}) {
    SCOPED_TRACE(text);
    const auto refused = read(text);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().what.find("not ASCII"), std::string::npos) << refused.error().what;
  }
  for (const char* name : {"\"M\xC3\xBCller\"", "'M\xC3\xBCller'", "\"\"\"\"M\xC3\xBCller\"\"\"\"",
                           "'''M\xC3\xBCller'''", "\"\\\"M\xC3\xBCller\" # \xC3\xBC"}) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(read(std::string("# \xC3\xBC\nversion = 1\nserial = 1\n[[device]]\nname = ") +
                     name + "\nseals_since = 2026-01-01\n")
                    .has_value());
  }
}

TEST(Trust, opens_from_a_file_and_says_when_there_is_none) {
  const test::ScratchFolder folder;
  const auto path = folder.path() / "trust.toml";
  const auto missing = open_trust(path);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::io_unreadable);
  ASSERT_TRUE(durable_write(path, as_bytes(write_trust(example()))).has_value());
  EXPECT_TRUE(open_trust(path).has_value());
  ASSERT_TRUE(durable_write(path, as_bytes("version = 3")).has_value());
  const auto refused = open_trust(path);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().where.file, path.string());
}

}  // namespace
}  // namespace fiducia::trust
