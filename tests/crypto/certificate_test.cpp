// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "foreign_certificates.h"
#include "parties.h"
#include "support/support.h"

namespace fiducia::crypto {
namespace {

Party authority(const char* name = "Hospital CA", KeyKind kind = KeyKind::p256) {
  auto key = PrivateKey::generate(kind).value();
  auto certificate = make_authority(key, request(name)).value();
  return {std::move(key), std::move(certificate)};
}

Party device(const Party& by, UnixTime from = start, UnixTime to = end,
             KeyKind kind = KeyKind::p256) {
  auto key = PrivateKey::generate(kind).value();
  auto certificate =
      make_device_certificate(key.public_key(), request("CT-1", from, to), by.key, by.certificate)
          .value();
  return {std::move(key), std::move(certificate)};
}

ChainStatus judge(std::vector<Certificate> chain, std::vector<Certificate> anchors,
                  UnixTime at = middle) {
  return verify_chain(chain, anchors, at, Role::seal);
}

TEST(Certificate, CarriesWhatWasAskedFor) {
  const Party ca = authority("Krankenhaus Süd");
  const Party ct = device(ca);
  EXPECT_EQ(ca.certificate.common_name(), "Krankenhaus Süd");
  EXPECT_EQ(ct.certificate.common_name(), "CT-1");
  EXPECT_EQ(ct.certificate.not_before(), start);
  EXPECT_EQ(ct.certificate.not_after(), end);
  EXPECT_TRUE(same_bytes(ct.certificate.public_key().value().write_spki(),
                         ct.key.public_key().write_spki()));
  EXPECT_NE(ct.certificate.fingerprint(), ca.certificate.fingerprint());
  EXPECT_NE(device(ca).certificate.fingerprint(), ct.certificate.fingerprint());
}

TEST(Certificate, SurvivesDerAndPemAndNothingElseIsRead) {
  const Party ca = authority();
  const ByteView der = ca.certificate.der();
  EXPECT_TRUE(same_bytes(Certificate::read_der(der).value().der(), der));
  const std::string pem = ca.certificate.write_pem();
  EXPECT_TRUE(same_bytes(Certificate::read_pem("junk\n" + pem + pem).value().der(), der));
  Bytes longer(der.begin(), der.end());
  longer.push_back(std::byte{0});
  EXPECT_EQ(Certificate::read_der(longer).error().code, ErrorCode::malformed);
  for (std::size_t length = 0; length < der.size(); ++length) {
    EXPECT_FALSE(Certificate::read_der(der.first(length))) << length;
  }
  EXPECT_EQ(Certificate::read_der(Bytes(limits::certificate_bytes_max + 1)).error().code,
            ErrorCode::over_limit);
  EXPECT_FALSE(Certificate::read_pem(""));
  EXPECT_FALSE(Certificate::read_pem(pem.substr(0, pem.size() - 30)));
  EXPECT_FALSE(
      Certificate::read_pem("-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n"));
  std::mt19937_64 prng(13);
  for (int i = 0; i < 2000; ++i) {  // damage is refused or still has the same bytes, never a crash
    Bytes damaged(der.begin(), der.end());
    damaged[prng() % damaged.size()] ^= static_cast<std::byte>(1U << prng() % 8);
    if (const auto read = Certificate::read_der(damaged)) {
      EXPECT_TRUE(same_bytes(read->der(), damaged));
      static_cast<void>(read->public_key());
      EXPECT_NE(judge({*read}, {ca.certificate}), ChainStatus::ok);
    }
  }
}

TEST(Certificate, RequestsOutOfRangeAreRefused) {
  const auto key = PrivateKey::generate(KeyKind::p256).value();
  EXPECT_FALSE(make_authority(key, request("")));
  EXPECT_FALSE(make_authority(key, request(std::string(65, 'a'))));
  EXPECT_TRUE(make_authority(key, request(std::string(64, 'a'))));
  EXPECT_FALSE(make_authority(key, request("a\nb")));
  EXPECT_FALSE(make_authority(key, request("\xff")));
  EXPECT_FALSE(make_authority(key, request("a", end, start)));
  EXPECT_FALSE(make_authority(key, request("a", start, {253'402'300'800})));
  const auto late = make_authority(key, request("a", start, {253'402'300'799})).value();
  EXPECT_EQ(to_rfc3339(late.not_after()), "9999-12-31T23:59:59Z");
}

TEST(Certificate, OnlyTheAuthoritysOwnKeyIssues) {
  const Party ca = authority();
  const Party other = authority();
  const Party ct = device(ca);
  EXPECT_FALSE(
      make_device_certificate(ct.key.public_key(), request("x"), other.key, ca.certificate));
  EXPECT_FALSE(make_device_certificate(ct.key.public_key(), request("x"), ct.key, ct.certificate))
      << "a device must not issue";
}

TEST(Chain, ADeviceUnderAnAnchorIsAcceptedWithEveryKindOfKey) {
  for (const KeyKind kind : {KeyKind::p256, KeyKind::p384, KeyKind::ed25519}) {
    const Party ca = authority("CA", kind);
    const Party ct = device(ca, start, end, kind);
    EXPECT_EQ(judge({ct.certificate}, {ca.certificate}), ChainStatus::ok);
    EXPECT_EQ(judge({ct.certificate, ca.certificate}, {ca.certificate}), ChainStatus::ok);
  }
}

// The certificates that one authority of a hospital issues for other things than sealing.
TEST(Chain, ASignerIsAnEndEntityMadeForItsRoleAndNothingElse) {
  const Party ca = authority();
  const auto key = PrivateKey::generate(KeyKind::p256).value();
  const std::string seal = role_oid(Role::seal);
  const std::string amend = role_oid(Role::amend);
  struct Row {
    const char* name;
    std::vector<test::Extension> extensions;
    ChainStatus expected;
  };
  const test::Extension signs{"keyUsage", "critical,digitalSignature"};
  const test::Extension leaf{"basicConstraints", "critical,CA:FALSE"};
  for (const Row& row :
       {Row{"sealing", {leaf, signs, {"extendedKeyUsage", "critical," + seal}}, ChainStatus::ok},
        Row{"not critical", {leaf, signs, {"extendedKeyUsage", seal}}, ChainStatus::ok},
        Row{"no basic constraints", {signs, {"extendedKeyUsage", seal}}, ChainStatus::ok},
        Row{"two roles", {leaf, signs, {"extendedKeyUsage", amend + "," + seal}}, ChainStatus::ok},
        Row{"another role", {leaf, signs, {"extendedKeyUsage", amend}}, ChainStatus::wrong_role},
        Row{"no extended key usage", {leaf, signs}, ChainStatus::wrong_role},
        Row{"no extension at all", {}, ChainStatus::wrong_role},
        Row{"TLS",
            {leaf, signs, {"extendedKeyUsage", "serverAuth,clientAuth"}},
            ChainStatus::wrong_role},
        Row{"S/MIME",
            {leaf, signs, {"extendedKeyUsage", "emailProtection"}},
            ChainStatus::wrong_role},
        Row{"code", {leaf, signs, {"extendedKeyUsage", "codeSigning"}}, ChainStatus::wrong_role},
        Row{"time-stamping",
            {leaf, signs, {"extendedKeyUsage", "critical,timeStamping"}},
            ChainStatus::wrong_role},
        Row{"anything",
            {leaf, signs, {"extendedKeyUsage", "anyExtendedKeyUsage"}},
            ChainStatus::wrong_role},
        Row{"TLS that seals as well",
            {leaf, signs, {"extendedKeyUsage", "serverAuth," + seal}},
            ChainStatus::wrong_role},
        Row{"an authority",
            {{"basicConstraints", "critical,CA:TRUE"},
             {"keyUsage", "critical,digitalSignature,keyCertSign"},
             {"extendedKeyUsage", seal}},
            ChainStatus::wrong_role},
        Row{"cannot sign",
            {leaf, {"keyUsage", "critical,keyEncipherment"}, {"extendedKeyUsage", seal}},
            ChainStatus::bad_usage}}) {
    SCOPED_TRACE(row.name);
    const Certificate made = test::make_foreign_certificate(key.public_key(), request("CT-1"),
                                                            ca.key, ca.certificate, row.extensions);
    EXPECT_EQ(judge({made}, {ca.certificate}), row.expected);
  }
  const Certificate stamper =
      make_time_stamp_certificate(key.public_key(), request("TSA"), ca.key, ca.certificate).value();
  EXPECT_EQ(judge({stamper}, {ca.certificate}), ChainStatus::wrong_role);
}

TEST(Chain, AnIntermediateThatStatesWhatItIssuesForMustNameTheRole) {
  const Party ca = authority();
  struct Row {
    const char* usage;
    ChainStatus expected;
  };
  const std::string seal = role_oid(Role::seal);
  for (const Row& row :
       {Row{nullptr, ChainStatus::ok}, Row{seal.c_str(), ChainStatus::ok},
        Row{"anyExtendedKeyUsage", ChainStatus::ok}, Row{"serverAuth", ChainStatus::wrong_role}}) {
    const auto key = PrivateKey::generate(KeyKind::p256).value();
    std::vector<test::Extension> extensions{{"basicConstraints", "critical,CA:TRUE"},
                                            {"keyUsage", "critical,keyCertSign"}};
    if (row.usage != nullptr) extensions.push_back({"extendedKeyUsage", row.usage});
    const Certificate middle_one = test::make_foreign_certificate(
        key.public_key(), request("Issuing CA"), ca.key, ca.certificate, extensions);
    const auto device_key = PrivateKey::generate(KeyKind::p256).value();
    const Certificate leaf =
        make_device_certificate(device_key.public_key(), request("CT-1"), key, middle_one).value();
    EXPECT_EQ(judge({leaf, middle_one}, {ca.certificate}), row.expected);
    EXPECT_EQ(judge({leaf}, {middle_one}), ChainStatus::ok) << "an anchor is named for its roles";
  }
}

TEST(Role, HasAWordAndAnObjectIdentifierOfItsOwn) {
  std::set<std::string> seen;
  for (const Role role : all_roles) {
    EXPECT_EQ(find_role(to_word(role)), role);
    EXPECT_TRUE(is_object_identifier(role_oid(role)));
    EXPECT_TRUE(seen.insert(role_oid(role)).second);
  }
  EXPECT_EQ(role_oid(Role::seal), "2.25.194878920291164724983316205274960575822.1.1");
  EXPECT_EQ(role_oid(Role::calibrate), "2.25.194878920291164724983316205274960575822.1.8");
  EXPECT_FALSE(find_role("sealing").has_value());
}

TEST(Certificate, HasATwinWithOtherBytesAndTheSameKey) {
  const Party ca = authority();
  const Party ct = device(ca);
  const Certificate twin = test::twin_of(ct.certificate);
  EXPECT_NE(twin.fingerprint(), ct.certificate.fingerprint());
  EXPECT_EQ(twin.key_hash(), ct.certificate.key_hash());
  EXPECT_EQ(judge({twin}, {ca.certificate}), ChainStatus::ok) << "authorities may sign as they do";
  EXPECT_EQ(ct.certificate.key_hash(), sha256(ct.key.public_key().write_spki()));
  EXPECT_EQ(ct.certificate.key_hash(), ct.key.public_key().hash());
}

TEST(Chain, OnlyAnchorsAreTrusted) {
  const Party ca = authority();
  const Party stranger = authority();  // the same name, another key
  const Party ct = device(ca);
  EXPECT_EQ(judge({ct.certificate, ca.certificate}, {}), ChainStatus::unknown_authority)
      << "a self-signed certificate in a message never becomes an anchor";
  EXPECT_EQ(judge({ct.certificate}, {}), ChainStatus::unknown_authority);
  EXPECT_NE(judge({ct.certificate}, {stranger.certificate}), ChainStatus::ok);
  EXPECT_EQ(judge({ct.certificate, ca.certificate}, {authority("Other CA").certificate}),
            ChainStatus::unknown_authority);
  EXPECT_EQ(judge({ct.certificate}, {stranger.certificate, ca.certificate}), ChainStatus::ok)
      << "two anchors of one name";
  EXPECT_NE(judge({ct.certificate}, {ct.certificate}), ChainStatus::ok)
      << "a device named as an anchor signs for nobody";
  EXPECT_EQ(judge({}, {ca.certificate}), ChainStatus::broken);
  EXPECT_EQ(judge(std::vector(limits::certificate_chain_max + 1, ct.certificate), {ca.certificate}),
            ChainStatus::broken);
}

TEST(Chain, TimeIsTheTimeGivenAndBothEndsBelongToValidity) {
  const Party ca = authority();
  const Party ct = device(ca, {start.seconds + 100}, {end.seconds - 100});
  const auto at = [&](std::int64_t t) { return judge({ct.certificate}, {ca.certificate}, {t}); };
  EXPECT_EQ(at(start.seconds + 99), ChainStatus::not_yet_valid);
  EXPECT_EQ(at(start.seconds + 100), ChainStatus::ok);
  EXPECT_EQ(at(end.seconds - 100), ChainStatus::ok);
  EXPECT_EQ(at(end.seconds - 99), ChainStatus::expired);
  EXPECT_EQ(at(0), ChainStatus::not_yet_valid);
  EXPECT_EQ(at(-1), ChainStatus::not_yet_valid);
  // The anchor's own time counts as well.
  auto key = PrivateKey::generate(KeyKind::p256).value();
  auto short_lived = make_authority(key, request("Short CA", start, {start.seconds + 10})).value();
  const Party short_ca{std::move(key), std::move(short_lived)};
  EXPECT_EQ(judge({device(short_ca).certificate}, {short_ca.certificate}), ChainStatus::expired);
}

TEST(Chain, ACertificateAuthorityDoesNotSignImages) {
  const Party ca = authority();
  EXPECT_EQ(judge({ca.certificate}, {ca.certificate}), ChainStatus::bad_usage)
      << "its key usage has no digitalSignature";
}

TEST(Chain, AChangedSignatureIsBroken) {
  const Party ca = authority();
  const Party ct = device(ca);
  Bytes der(ct.certificate.der().begin(), ct.certificate.der().end());
  der.back() ^= std::byte{1};
  const auto forged = Certificate::read_der(der);
  ASSERT_TRUE(forged);
  EXPECT_EQ(judge({*forged}, {ca.certificate}), ChainStatus::broken);
}

/// Chains that our own functions do not make, by the openssl command.
class OpensslChain : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v openssl >/dev/null") != 0) GTEST_SKIP() << "needs openssl";
    issue("root", "", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n");
  }
  /// Makes NAME.pem and NAME.key, signed by `issuer` (itself, if empty).
  void issue(const std::string& name, const std::string& issuer, const std::string& extensions,
             const std::string& options = "-sha256",
             const std::string& key = "ec -pkeyopt ec_paramgen_curve:P-256") {
    std::ofstream(folder_.path() / (name + ".ext")) << extensions;
    const std::string sign =
        issuer.empty() ? "-signkey " + name + ".key"
                       : "-CA " + issuer + ".pem -CAkey " + issuer + ".key -CAcreateserial";
    const std::string command =
        "cd '" + folder_.path().string() + "' && exec 2>/dev/null && openssl genpkey -algorithm " +
        key + " -out " + name + ".key && openssl req -new -key " + name + ".key -subj /CN=" + name +
        " -out " + name + ".csr && openssl x509 -req -in " + name + ".csr " + sign +
        " -days 3650 " + options + " -extfile " + name + ".ext -out " + name + ".pem >/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  Certificate load(const std::string& name) {
    const Bytes pem = read_file(folder_.path() / (name + ".pem"), 1 << 20).value();
    return Certificate::read_pem(as_text(pem)).value();
  }
  /// The chain of these names under root, a day after it was made.
  ChainStatus judge_names(const std::vector<std::string>& names) {
    std::vector<Certificate> chain;
    for (const auto& name : names) chain.push_back(load(name));
    const UnixTime at{load("root").not_before().seconds + 86'400};
    return verify_chain(chain, std::vector{load("root")}, at, Role::seal);
  }
  test::ScratchFolder folder_;
};

constexpr const char* leaf =
    "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n"
    "extendedKeyUsage=critical,2.25.194878920291164724983316205274960575822.1.1\n";
constexpr const char* ca = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";

TEST_F(OpensslChain, AnIntermediateAuthorityIsFollowedAndMayBeTheAnchorItself) {
  issue("middle", "root", ca);
  issue("leaf", "middle", leaf);
  EXPECT_EQ(judge_names({"leaf", "middle"}), ChainStatus::ok);
  EXPECT_EQ(judge_names({"leaf"}), ChainStatus::unknown_authority);
  const UnixTime at{load("root").not_before().seconds + 86'400};
  EXPECT_EQ(verify_chain(std::vector{load("leaf")}, std::vector{load("middle")}, at, Role::seal),
            ChainStatus::ok);
}

TEST_F(OpensslChain, ACertificateThatIsNoAuthorityMustNotIssue) {
  issue("device", "root", leaf);
  issue("rogue", "device", leaf);
  EXPECT_EQ(judge_names({"device"}), ChainStatus::ok);
  EXPECT_EQ(judge_names({"rogue", "device"}), ChainStatus::bad_usage);
  issue("plain", "root", "subjectKeyIdentifier=hash\n");  // says nothing about being one
  issue("rogue2", "plain", leaf);
  EXPECT_EQ(judge_names({"rogue2", "plain"}), ChainStatus::bad_usage);
  issue("no-certsign", "root", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n");
  issue("rogue3", "no-certsign", leaf);
  EXPECT_EQ(judge_names({"rogue3", "no-certsign"}), ChainStatus::bad_usage);
}

TEST_F(OpensslChain, PathLengthIsKept) {
  issue("middle", "root", "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=keyCertSign\n");
  issue("deeper", "middle", ca);
  issue("leaf", "deeper", leaf);
  issue("direct", "middle", leaf);
  EXPECT_EQ(judge_names({"direct", "middle"}), ChainStatus::ok);
  EXPECT_EQ(judge_names({"leaf", "deeper", "middle"}), ChainStatus::bad_usage);
}

TEST_F(OpensslChain, KeyUsageMustAllowSigningWhenPresent) {
  issue("encrypts", "root", "basicConstraints=CA:FALSE\nkeyUsage=critical,keyEncipherment\n");
  issue("says-nothing", "root",
        "extendedKeyUsage=2.25.194878920291164724983316205274960575822.1.1\n");
  EXPECT_EQ(judge_names({"encrypts"}), ChainStatus::bad_usage);
  EXPECT_EQ(judge_names({"says-nothing"}), ChainStatus::ok);
}

TEST_F(OpensslChain, WeakHashesAndKeysAreRefused) {
  issue("sha1", "root", leaf, "-sha1");
  EXPECT_EQ(judge_names({"sha1"}), ChainStatus::broken);
  const char* rsa = "rsa -pkeyopt rsa_keygen_bits:2048";
  issue("rsa-root", "", ca, "-sha256", rsa);  // ECDSA with MD5 has no name
  issue("md5", "rsa-root", leaf, "-md5");
  issue("sha256", "rsa-root", leaf);
  const UnixTime at{load("root").not_before().seconds + 86'400};
  const std::vector anchors{load("rsa-root")};
  EXPECT_EQ(verify_chain(std::vector{load("md5")}, anchors, at, Role::seal), ChainStatus::broken);
  EXPECT_EQ(verify_chain(std::vector{load("sha256")}, anchors, at, Role::seal), ChainStatus::ok);
  issue("small", "root", leaf, "-sha256", "rsa -pkeyopt rsa_keygen_bits:1024");
  EXPECT_EQ(judge_names({"small"}), ChainStatus::broken);
  issue("rsa", "root", leaf, "-sha256", rsa);
  EXPECT_EQ(judge_names({"rsa"}), ChainStatus::ok);
}

TEST_F(OpensslChain, AnUnknownCriticalExtensionIsRefused) {
  issue("strange", "root", std::string(leaf) + "1.2.3.4=critical,DER:0500\n");
  EXPECT_EQ(judge_names({"strange"}), ChainStatus::broken);
  issue("harmless", "root", std::string(leaf) + "1.2.3.4=DER:0500\n");
  EXPECT_EQ(judge_names({"harmless"}), ChainStatus::ok);
}

}  // namespace
}  // namespace fiducia::crypto
