// SPDX-License-Identifier: Apache-2.0
#include "crypto/time_stamp.h"

#include <gtest/gtest.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <functional>

#include "crypto/hash.h"
#include "parties.h"
#include "support/support.h"

namespace fiducia::crypto {
namespace {

constexpr UnixTime far_end{4'000'000'000};
const std::string policy = "2.999.1";

Party root(UnixTime to = far_end) {
  auto key = PrivateKey::generate(KeyKind::p256).value();
  auto certificate = make_authority(key, request("TSA root", start, to)).value();
  return {std::move(key), std::move(certificate)};
}

Party stamper(const Party& by, UnixTime from = start, UnixTime to = end,
              KeyKind kind = KeyKind::p256) {
  auto key = PrivateKey::generate(kind).value();
  auto certificate = make_time_stamp_certificate(key.public_key(), request("TSA", from, to), by.key,
                                                 by.certificate)
                         .value();
  return {std::move(key), std::move(certificate)};
}

Digest digest_of(std::string_view text) { return sha256(as_bytes(text)); }

/// A root, a TSA below it, and a token over "checkpoint" of `middle`.
class TimeStamps : public testing::Test {
 protected:
  TimeStampAuthority authority(UnixTime now = middle) {
    return {.key = tsa_.key,
            .certificate = tsa_.certificate,
            .above = {},
            .policy = policy,
            .clock = [now] { return now; },
            .accuracy_seconds = 2};
  }
  Result<Bytes> ask(const TimeStampAuthority& by, const TimeStampRequest& question) {
    FIDUCIA_TRY(answer, answer_time_stamp_request(question.encoded, by));
    return read_time_stamp_response(answer);
  }
  Bytes token(UnixTime now = middle) {
    return ask(authority(now), make_time_stamp_request(imprint_).value()).value();
  }
  Result<TimeStamp> verify(ByteView token) {
    return verify_time_stamp(token, {.imprint = imprint_, .anchors = anchors_});
  }
  void expect_refused(ByteView token, std::string_view says,
                      ErrorCode code = ErrorCode::signature_bad) {
    const auto verified = verify(token);
    ASSERT_FALSE(verified.has_value());
    EXPECT_EQ(verified.error().code, code);
    EXPECT_NE(verified.error().what.find(says), std::string::npos) << verified.error().what;
  }

  const Digest imprint_ = digest_of("checkpoint");
  Party root_ = root();
  Party tsa_ = stamper(root_);
  std::vector<Certificate> anchors_{root_.certificate};
};

TEST_F(TimeStamps, say_when_something_existed) {
  const auto question = make_time_stamp_request(imprint_, policy).value();
  const Bytes token = ask(authority(), question).value();
  const std::vector<std::string> policies{"2.999.7", policy};
  const auto stamp = verify_time_stamp(
      token,
      {.imprint = imprint_, .anchors = anchors_, .policies = policies, .nonce = question.nonce});
  ASSERT_TRUE(stamp.has_value()) << to_sentence(stamp.error());
  EXPECT_EQ(stamp->at, middle);
  EXPECT_EQ(stamp->latest, (UnixTime{middle.seconds + 2})) << "accuracy is added";
  EXPECT_EQ(stamp->policy, policy);
  EXPECT_EQ(stamp->signer.fingerprint(), tsa_.certificate.fingerprint());
}

TEST_F(TimeStamps, of_a_tsa_that_is_itself_named_need_no_root) {
  anchors_ = {tsa_.certificate};
  EXPECT_TRUE(verify(token()).has_value());
  anchors_ = {stamper(root_).certificate};
  expect_refused(token(), "not one that is trusted");
}

TEST_F(TimeStamps, outlive_the_certificate_and_count_from_its_first_to_its_last_second) {
  for (const UnixTime good : {start, middle, end}) EXPECT_TRUE(verify(token(good)).has_value());
  expect_refused(token({start.seconds - 1}), "not yet valid");
  expect_refused(token({end.seconds + 1}), "expired");
}

TEST_F(TimeStamps, of_an_authority_that_is_not_named_do_not_count) {
  const Party other = root();
  anchors_ = {other.certificate};
  expect_refused(token(), "not one that is trusted");
  anchors_.clear();
  expect_refused(token(), "not one that is trusted");
}

TEST_F(TimeStamps, over_something_else_do_not_count) {
  const Bytes good = token();
  const auto verified =
      verify_time_stamp(good, {.imprint = digest_of("another"), .anchors = anchors_});
  ASSERT_FALSE(verified.has_value());
  EXPECT_NE(verified.error().what.find("something else"), std::string::npos);
}

TEST_F(TimeStamps, under_another_policy_or_for_another_request_do_not_count) {
  const auto question = make_time_stamp_request(imprint_).value();
  const Bytes good = ask(authority(), question).value();
  const std::vector<std::string> other{"2.999.2"};
  auto verified =
      verify_time_stamp(good, {.imprint = imprint_, .anchors = anchors_, .policies = other});
  ASSERT_FALSE(verified.has_value());
  EXPECT_NE(verified.error().what.find("policy"), std::string::npos);
  const auto second = make_time_stamp_request(imprint_).value();
  verified =
      verify_time_stamp(good, {.imprint = imprint_, .anchors = anchors_, .nonce = second.nonce});
  ASSERT_FALSE(verified.has_value());
  EXPECT_NE(verified.error().what.find("nonce"), std::string::npos);
}

TEST_F(TimeStamps, of_requests_that_a_tsa_refuses_say_why) {
  const auto question = make_time_stamp_request(imprint_, "2.999.9").value();
  const auto refused = ask(authority(), question);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::signature_bad);
  EXPECT_NE(refused.error().what.find("policy"), std::string::npos) << refused.error().what;
  const auto answer = answer_time_stamp_request(as_bytes("no request"), authority());
  ASSERT_TRUE(answer.has_value());
  EXPECT_FALSE(read_time_stamp_response(*answer).has_value());
  EXPECT_EQ(make_time_stamp_request(imprint_, "policy").error().code, ErrorCode::usage_invalid);
}

TEST_F(TimeStamps, come_from_other_kinds_of_keys_as_well) {
  tsa_ = stamper(root_, start, end, KeyKind::p384);
  EXPECT_TRUE(verify(token()).has_value());
  tsa_ = stamper(root_, start, end, KeyKind::ed25519);
  EXPECT_EQ(answer_time_stamp_request(make_time_stamp_request(imprint_)->encoded, authority())
                .error()
                .code,
            ErrorCode::usage_invalid);
}

TEST_F(TimeStamps, are_made_with_a_certificate_for_that_alone) {
  const Party device{PrivateKey::generate(KeyKind::p256).value(), tsa_.certificate};
  EXPECT_TRUE(is_time_stamp_certificate(tsa_.certificate));
  EXPECT_FALSE(is_time_stamp_certificate(root_.certificate));
  EXPECT_FALSE(is_time_stamp_certificate(
      make_device_certificate(device.key.public_key(), request("CT"), root_.key, root_.certificate)
          .value()));
}

TEST_F(TimeStamps, cut_or_longer_are_refused) {
  const Bytes good = token();
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(verify(ByteView(good).first(length)).has_value()) << length;
  Bytes longer = good;
  longer.push_back(std::byte{0});
  EXPECT_EQ(verify(longer).error().code, ErrorCode::malformed);
  EXPECT_EQ(verify(Bytes(limits::time_stamp_bytes_max + 1)).error().code, ErrorCode::over_limit);
  EXPECT_EQ(read_time_stamp_response(Bytes(limits::time_stamp_bytes_max + 1)).error().code,
            ErrorCode::over_limit);
}

// Every bit: what is not signed (the version number, say) may differ, but nothing that is said.
TEST_F(TimeStamps, with_any_bit_changed_are_refused_or_say_the_same) {
  const Bytes good = token();
  const auto says = verify(good);
  ASSERT_TRUE(says.has_value());
  std::size_t kept = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= std::byte{1} << (bit % 8);
    const auto verified = verify(bad);
    if (!verified) continue;
    ++kept;
    EXPECT_EQ(verified->at, says->at) << bit;
    EXPECT_EQ(verified->latest, says->latest) << bit;
    EXPECT_EQ(verified->policy, says->policy) << bit;
    EXPECT_EQ(verified->signer.fingerprint(), says->signer.fingerprint()) << bit;
  }
  EXPECT_LT(kept, 200U) << "few bits of a token are not signed";
}

// --- tokens that no honest TSA makes ----------------------------------------------------------

template <auto Free>
struct Freed {
  void operator()(auto* handle) const { Free(handle); }
};
template <class T, auto Free>
using Handle = std::unique_ptr<T, Freed<Free>>;

/// The parts that differ from a good token.
struct Forgery {
  std::function<void(TS_TST_INFO*)> info = [](TS_TST_INFO*) {};
  const EVP_MD* digest = EVP_sha256();
  unsigned flags = CMS_CADES;  // adds ESSCertID (SHA-1) or ESSCertIDv2, by the digest
  int signers = 1;
  int content_type = NID_id_smime_ct_TSTInfo;
};

X509* open(const Certificate& certificate) {
  const unsigned char* at = reinterpret_cast<const unsigned char*>(certificate.der().data());
  return d2i_X509(nullptr, &at, static_cast<long>(certificate.der().size()));
}

/// What `by` signs as if it were a TSA, with OpenSSL's CMS and its own key.
Bytes forge(const Bytes& good, const Party& by, const Forgery& forgery) {
  const unsigned char* at = reinterpret_cast<const unsigned char*>(good.data());
  const Handle<PKCS7, PKCS7_free> token(d2i_PKCS7(nullptr, &at, static_cast<long>(good.size())));
  const Handle<TS_TST_INFO, TS_TST_INFO_free> info(PKCS7_to_TS_TST_INFO(token.get()));
  forgery.info(info.get());
  unsigned char* der = nullptr;
  const int length = i2d_TS_TST_INFO(info.get(), &der);
  const Handle<BIO, BIO_free_all> content(BIO_new_mem_buf(der, length));
  const std::string pem = by.key.write_pem().value();
  const Handle<BIO, BIO_free_all> key_text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Handle<EVP_PKEY, EVP_PKEY_free> key(
      PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  const Handle<X509, X509_free> certificate(open(by.certificate));
  const unsigned flags = CMS_BINARY | CMS_NOSMIMECAP | forgery.flags;
  const Handle<CMS_ContentInfo, CMS_ContentInfo_free> cms(
      CMS_sign(nullptr, nullptr, nullptr, content.get(), CMS_BINARY | CMS_PARTIAL));
  EXPECT_EQ(CMS_set1_eContentType(cms.get(), OBJ_nid2obj(forgery.content_type)), 1);
  for (int i = 0; i < forgery.signers; ++i)
    EXPECT_NE(CMS_add1_signer(cms.get(), certificate.get(), key.get(), forgery.digest,
                              flags | (i > 0 ? CMS_NOCERTS : 0U)),
              nullptr);
  EXPECT_EQ(CMS_final(cms.get(), content.get(), nullptr, CMS_BINARY), 1);
  OPENSSL_free(der);
  unsigned char* out = nullptr;
  const int size = i2d_CMS_ContentInfo(cms.get(), &out);
  const auto bytes = std::as_bytes(std::span(out, static_cast<std::size_t>(std::max(size, 0))));
  Bytes result(bytes.begin(), bytes.end());
  OPENSSL_free(out);
  return result;
}

Bytes without_signer(const Bytes& good) {
  const unsigned char* at = reinterpret_cast<const unsigned char*>(good.data());
  const Handle<PKCS7, PKCS7_free> token(d2i_PKCS7(nullptr, &at, static_cast<long>(good.size())));
  PKCS7_SIGNER_INFO_free(sk_PKCS7_SIGNER_INFO_pop(PKCS7_get_signer_info(token.get())));
  unsigned char* der = nullptr;
  const int length = i2d_PKCS7(token.get(), &der);
  const Bytes out(reinterpret_cast<std::byte*>(der), reinterpret_cast<std::byte*>(der) + length);
  OPENSSL_free(der);
  return out;
}

TEST_F(TimeStamps, that_are_forged_are_refused_for_what_is_wrong_with_them) {
  const Bytes good = token();
  // The forger's own work is good as long as nothing is wrong with it.
  const auto honest = verify(forge(good, tsa_, {}));
  ASSERT_TRUE(honest.has_value()) << to_sentence(honest.error());

  expect_refused(forge(good, tsa_, {.digest = EVP_sha1()}), "SHA-256, 384 or 512");
  expect_refused(forge(good, tsa_, {.flags = 0}), "does not name its signer");
  expect_refused(forge(good, tsa_, {.signers = 2}), "exactly one signer");
  expect_refused(without_signer(good), "exactly one signer");
  expect_refused(forge(good, tsa_, {.content_type = NID_pkcs7_data}), "", ErrorCode::malformed);
  expect_refused(forge(good, tsa_, {.content_type = NID_id_smime_ct_authData}), "not a time-stamp",
                 ErrorCode::malformed);
  const Party stranger = stamper(root());
  expect_refused(forge(good, stranger, {}), "not one that is trusted");
  // A device's certificate under the same root, and a certificate with a second purpose.
  auto key = PrivateKey::generate(KeyKind::p256).value();
  const auto certificate =
      make_device_certificate(key.public_key(), request("CT"), root_.key, root_.certificate)
          .value();
  expect_refused(forge(good, {std::move(key), certificate}, {}), "not made for time-stamping");
  expect_refused(forge(good, tsa_,
                       {.info =
                            [](TS_TST_INFO* info) {
                              const Handle<X509_ALGOR, X509_ALGOR_free> sha1(X509_ALGOR_new());
                              X509_ALGOR_set_md(sha1.get(), EVP_sha1());
                              TS_MSG_IMPRINT_set_algo(TS_TST_INFO_get_msg_imprint(info),
                                                      sha1.get());
                            }}),
                 "another digest");
  expect_refused(
      forge(good, tsa_, {.info = [](TS_TST_INFO* info) { TS_TST_INFO_set_version(info, 2); }}),
      "version", ErrorCode::malformed);
  const auto at_time = [&](const char* time) {
    return forge(good, tsa_, {.info = [&](TS_TST_INFO* info) {
                   const Handle<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free> asn1(
                       ASN1_GENERALIZEDTIME_new());
                   ASN1_STRING_set(asn1.get(), time, -1);
                   TS_TST_INFO_set_time(info, asn1.get());
                 }});
  };
  expect_refused(at_time("20260230000000Z"), "UTC", ErrorCode::malformed);
  expect_refused(at_time("20260228000000+0100"), "UTC", ErrorCode::malformed);
  expect_refused(at_time("2026022800"), "UTC", ErrorCode::malformed);
  // Fractions are cut off below and rounded up above.
  const auto fraction = verify(at_time("20250615150640.0000001Z"));
  ASSERT_TRUE(fraction.has_value()) << to_sentence(fraction.error());
  EXPECT_EQ(fraction->at, middle);
  EXPECT_EQ(fraction->latest, (UnixTime{middle.seconds + 3}));
}

TEST_F(TimeStamps, may_have_extensions_as_long_as_none_is_critical) {
  const Bytes good = token();
  const auto extended = [&](int critical) {
    return forge(
        good, tsa_, {.info = [&](TS_TST_INFO* info) {
          const Handle<ASN1_OBJECT, ASN1_OBJECT_free> name(OBJ_txt2obj("2.999.5", 1));
          const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value(ASN1_OCTET_STRING_new());
          const unsigned char null[] = {0x05, 0x00};
          ASN1_OCTET_STRING_set(value.get(), null, sizeof null);
          const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
              X509_EXTENSION_create_by_OBJ(nullptr, name.get(), critical, value.get()));
          ASSERT_EQ(TS_TST_INFO_add_ext(info, extension.get(), -1), 1);
        }});
  };
  const auto tolerated = verify(extended(0));
  ASSERT_TRUE(tolerated.has_value()) << to_sentence(tolerated.error());
  EXPECT_EQ(tolerated->at, middle);
  expect_refused(extended(1), "critical extension");
}

// --- answers by the letter of RFC 3161 section 2.4.2 ------------------------------------------

Bytes der(int tag, const Bytes& content) {
  Bytes out{static_cast<std::byte>(tag)};
  if (content.size() >= 0x80) {
    out.push_back(std::byte{0x82});
    out.push_back(static_cast<std::byte>(content.size() >> 8));
  }
  out.push_back(static_cast<std::byte>(content.size() & 0xFF));
  append(out, content);
  return out;
}

/// TimeStampResp with a status, perhaps a bit of PKIFailureInfo, and what follows.
Bytes answer_with(int status, std::optional<unsigned> failure_bit, const Bytes& token) {
  Bytes info = der(0x02, {static_cast<std::byte>(status)});
  if (failure_bit) {
    Bytes bits(2 + *failure_bit / 8);
    bits[0] = static_cast<std::byte>(7 - *failure_bit % 8);
    bits.back() = static_cast<std::byte>(0x80 >> *failure_bit % 8);
    append(info, der(0x03, bits));
  }
  Bytes answer = der(0x30, info);
  append(answer, token);
  return der(0x30, answer);
}

TEST_F(TimeStamps, come_with_a_status_that_grants_them_and_with_no_other) {
  const Bytes good = token();
  for (const int granted : {0, 1}) {
    const auto token = read_time_stamp_response(answer_with(granted, {}, good));
    ASSERT_TRUE(token.has_value()) << to_sentence(token.error());
    EXPECT_EQ(*token, good);
    EXPECT_FALSE(read_time_stamp_response(answer_with(granted, {}, {})).has_value()) << granted;
    // Granted, and yet a failure, known (badAlg) or not: whoever says both is not understood.
    for (const unsigned bit : {0U, 1U, 30U})
      EXPECT_FALSE(read_time_stamp_response(answer_with(granted, bit, good)).has_value())
          << granted << ", failure " << bit;
  }
  // 2 to 5 are refusals of the RFC, the others nobody knows.
  for (const int status : {2, 3, 4, 5, 6, 100, 255}) {
    EXPECT_FALSE(read_time_stamp_response(answer_with(status, {}, good)).has_value()) << status;
    for (const unsigned bit : {0U, 1U, 25U, 30U}) {
      const auto refused = read_time_stamp_response(answer_with(status, bit, {}));
      ASSERT_FALSE(refused.has_value()) << status << ", failure " << bit;
      EXPECT_EQ(refused.error().code, ErrorCode::signature_bad);
    }
  }
}

TEST_F(TimeStamps, that_name_their_signer_by_sha1_alone_are_refused) {
  // As OpenSSL's own TSA makes them with ess_cert_id_alg = sha1 (RFC 3161 before RFC 5816).
  const Handle<TS_RESP_CTX, TS_RESP_CTX_free> context(TS_RESP_CTX_new());
  const Handle<X509, X509_free> certificate(open(tsa_.certificate));
  const std::string pem = tsa_.key.write_pem().value();
  const Handle<BIO, BIO_free_all> key_text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Handle<EVP_PKEY, EVP_PKEY_free> key(
      PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  const Handle<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(policy.c_str(), 1));
  TS_RESP_CTX_set_time_cb(
      context.get(),
      [](TS_RESP_CTX*, void*, long* seconds, long* microseconds) {
        *seconds = middle.seconds;
        *microseconds = 0;
        return 1;
      },
      nullptr);
  ASSERT_EQ(TS_RESP_CTX_set_signer_cert(context.get(), certificate.get()), 1);
  ASSERT_EQ(TS_RESP_CTX_set_signer_key(context.get(), key.get()), 1);
  ASSERT_EQ(TS_RESP_CTX_set_signer_digest(context.get(), EVP_sha256()), 1);
  ASSERT_EQ(TS_RESP_CTX_set_ess_cert_id_digest(context.get(), EVP_sha1()), 1);
  ASSERT_EQ(TS_RESP_CTX_set_def_policy(context.get(), object.get()), 1);
  ASSERT_EQ(TS_RESP_CTX_add_md(context.get(), EVP_sha256()), 1);
  const auto question = make_time_stamp_request(imprint_).value();
  const Handle<BIO, BIO_free_all> input(
      BIO_new_mem_buf(question.encoded.data(), static_cast<int>(question.encoded.size())));
  const Handle<TS_RESP, TS_RESP_free> response(TS_RESP_create_response(context.get(), input.get()));
  unsigned char* der = nullptr;
  const int length = i2d_TS_RESP(response.get(), &der);
  ASSERT_GT(length, 0);
  const Bytes answer(reinterpret_cast<std::byte*>(der), reinterpret_cast<std::byte*>(der) + length);
  OPENSSL_free(der);
  const auto token = read_time_stamp_response(answer);
  ASSERT_TRUE(token.has_value()) << to_sentence(token.error());
  expect_refused(*token, "SHA-1 only");
}

// --- openssl ts -------------------------------------------------------------------------------

/// Runs `openssl` in the folder; true when it exits 0.
bool openssl(const test::ScratchFolder& folder, const std::string& arguments) {
  const std::string command =
      "cd '" + folder.path().string() + "' && openssl " + arguments + " >openssl.out 2>&1";
  return std::system(command.c_str()) == 0;
}

void put(const test::ScratchFolder& folder, const char* name, ByteView bytes) {
  ASSERT_TRUE(durable_write(folder.path() / name, bytes).has_value());
}

TEST_F(TimeStamps, agree_with_openssl_in_both_directions) {
  const test::ScratchFolder folder;
  tsa_ = stamper(root_, start, far_end);
  put(folder, "root.pem", as_bytes(root_.certificate.write_pem()));
  put(folder, "tsa.pem", as_bytes(tsa_.certificate.write_pem()));
  put(folder, "tsa.key", as_bytes(tsa_.key.write_pem().value()));
  put(folder, "checkpoint", as_bytes("checkpoint"));
  put(folder, "serial", as_bytes("01\n"));
  put(folder, "tsa.cnf",
      as_bytes("[tsa]\ndefault_tsa = one\n[one]\nserial = serial\ndefault_policy = 2.999.1\n"
               "digests = sha256\nsigner_digest = sha256\ness_cert_id_alg = sha256\n"
               "accuracy = secs:1, millisecs:500\nclock_precision_digits = 3\n"));

  // Their question, our answer, their verdict.
  ASSERT_TRUE(openssl(folder, "ts -query -data checkpoint -sha256 -cert -out query.tsq"));
  const auto query = read_file(folder.path() / "query.tsq", 4096);
  ASSERT_TRUE(query.has_value());
  const auto answer = answer_time_stamp_request(*query, authority());
  ASSERT_TRUE(answer.has_value()) << to_sentence(answer.error());
  put(folder, "answer.tsr", *answer);
  const std::string at = " -attime " + std::to_string(middle.seconds);
  EXPECT_TRUE(
      openssl(folder, "ts -verify -queryfile query.tsq -in answer.tsr -CAfile root.pem" + at));
  put(folder, "token.der", read_time_stamp_response(*answer).value());
  EXPECT_TRUE(
      openssl(folder, "ts -verify -data checkpoint -in token.der -token_in -CAfile root.pem" + at));
  put(folder, "other", as_bytes("another checkpoint"));
  EXPECT_FALSE(
      openssl(folder, "ts -verify -data other -in token.der -token_in -CAfile root.pem" + at));

  // Our question, their answer, our verdict.
  const auto question = make_time_stamp_request(imprint_, policy).value();
  put(folder, "ours.tsq", question.encoded);
  ASSERT_TRUE(openssl(folder,
                      "ts -reply -config tsa.cnf -queryfile ours.tsq -signer tsa.pem -inkey "
                      "tsa.key -out theirs.tsr"));
  const auto theirs = read_file(folder.path() / "theirs.tsr", limits::time_stamp_bytes_max);
  ASSERT_TRUE(theirs.has_value());
  const auto token = read_time_stamp_response(*theirs);
  ASSERT_TRUE(token.has_value()) << to_sentence(token.error());
  const auto stamp = verify_time_stamp(
      *token, {.imprint = imprint_, .anchors = anchors_, .nonce = question.nonce});
  ASSERT_TRUE(stamp.has_value()) << to_sentence(stamp.error());
  EXPECT_GE(stamp->latest.seconds, stamp->at.seconds + 2);
  EXPECT_LE(stamp->latest.seconds, stamp->at.seconds + 3);
}

TEST_F(TimeStamps, of_openssl_with_all_optional_fields_and_a_serial_of_160_bits_are_read) {
  const test::ScratchFolder folder;
  tsa_ = stamper(root_, start, far_end);
  put(folder, "tsa.pem", as_bytes(tsa_.certificate.write_pem()));
  put(folder, "tsa.key", as_bytes(tsa_.key.write_pem().value()));
  put(folder, "serial", as_bytes("7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFE\n"));
  put(folder, "tsa.cnf",
      as_bytes("[tsa]\ndefault_tsa = one\n[one]\nserial = serial\ndefault_policy = 2.999.1\n"
               "digests = sha256\nsigner_digest = sha256\ness_cert_id_alg = sha256\n"
               "accuracy = secs:1, millisecs:500, microsecs:100\nclock_precision_digits = 6\n"
               "ordering = yes\ntsa_name = yes\ness_cert_id_chain = no\n"));
  const auto question = make_time_stamp_request(imprint_, policy).value();
  put(folder, "ours.tsq", question.encoded);
  ASSERT_TRUE(openssl(folder,
                      "ts -reply -config tsa.cnf -queryfile ours.tsq -signer tsa.pem -inkey "
                      "tsa.key -out theirs.tsr"));
  ASSERT_TRUE(openssl(folder, "ts -reply -in theirs.tsr -text"));
  const auto text = read_file(folder.path() / "openssl.out", 1 << 16).value();
  for (const char* field :
       {"0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "Ordering: yes", "0x64 micros", "DirName"})
    EXPECT_NE(as_text(text).find(field), std::string::npos) << field << " in " << as_text(text);
  const auto theirs = read_file(folder.path() / "theirs.tsr", limits::time_stamp_bytes_max).value();
  const auto stamp =
      verify_time_stamp(read_time_stamp_response(theirs).value(),
                        {.imprint = imprint_, .anchors = anchors_, .nonce = question.nonce});
  ASSERT_TRUE(stamp.has_value()) << to_sentence(stamp.error());
  EXPECT_EQ(stamp->policy, policy);
}

TEST(ObjectIdentifier, is_dotted_decimal) {
  for (const char* good :
       {"0.0", "1.3.6.1.4.1.4146.2.3", "2.999.1", "1.39", "2.16.840.1.114412.7.1"})
    EXPECT_TRUE(is_object_identifier(good)) << good;
  for (const char* bad : {"", "1", "3.1", "1.40", "0.100", "1..2", ".1.2", "1.2.", "01.2", "1.02",
                          "1.2.a", "1,2", "-1.2", "10.2", "1.2 "})
    EXPECT_FALSE(is_object_identifier(bad)) << bad;
  std::string endless = "1.2";
  for (int i = 0; i < 63; ++i) endless += ".3";
  EXPECT_FALSE(is_object_identifier(endless)) << endless.size();
}

}  // namespace
}  // namespace fiducia::crypto
