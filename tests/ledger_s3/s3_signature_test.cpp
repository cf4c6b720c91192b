// SPDX-License-Identifier: Apache-2.0
// The signer against the examples of "Authenticating Requests: Using the Authorization Header (AWS
// Signature Version 4)", Amazon S3 API Reference.
#include "ledger_s3/s3_signature.h"

#include <gtest/gtest.h>

#include <fstream>

#include "crypto/crypto.h"
#include "support/support.h"

namespace fiducia::ledger_s3 {
namespace {

constexpr UnixTime example_time{1369353600};  // 2013-05-24T00:00:00Z

S3Credentials example_credentials() {
  return {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
}

S3Request example_get(std::string path, std::string query, S3Headers headers = {}) {
  return {.method = "GET",
          .host = "examplebucket.s3.amazonaws.com",
          .path = std::move(path),
          .query = std::move(query),
          .headers = std::move(headers),
          .payload_hash = crypto::sha256(ByteView{})};
}

S3Request example_put() {
  return {.method = "PUT",
          .host = "examplebucket.s3.amazonaws.com",
          .path = "/" + s3_encode("test$file.text", false),
          .query = "",
          .headers = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                      {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
          .payload_hash = crypto::sha256(as_bytes("Welcome to Amazon S3."))};
}

std::string header(const S3Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return "";
}

std::string signature(const S3Request& request, UnixTime now = example_time,
                      std::string_view region = "us-east-1") {
  const auto headers = sign_s3_request(request, example_credentials(), region, now);
  const std::string value = header(headers, "authorization");
  const auto at = value.find("Signature=");
  return at == std::string::npos ? "" : value.substr(at + 10);
}

TEST(S3Signature, is_that_of_the_published_examples) {
  struct Row {
    const char* name;
    S3Request request;
    const char* expected;
  };
  for (const Row& row : {Row{"get object", example_get("/test.txt", "", {{"range", "bytes=0-9"}}),
                             "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
                         Row{"put object", example_put(),
                             "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
                         Row{"get bucket lifecycle", example_get("/", "lifecycle="),
                             "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
                         Row{"list objects", example_get("/", "max-keys=2&prefix=J"),
                             "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"}}) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(signature(row.request), row.expected);
  }
}

TEST(S3Signature, covers_every_part_of_the_request) {
  const std::string good = signature(example_put());
  const auto changed = [](auto change) {
    S3Request request = example_put();
    change(request);
    return signature(request);
  };
  EXPECT_EQ(changed([](S3Request&) {}), good);
  EXPECT_NE(changed([](S3Request& r) { r.method = "GET"; }), good);
  EXPECT_NE(changed([](S3Request& r) { r.host += ":80"; }), good);
  EXPECT_NE(changed([](S3Request& r) { r.path += "x"; }), good);
  EXPECT_NE(changed([](S3Request& r) { r.query = "acl="; }), good);
  EXPECT_NE(changed([](S3Request& r) { r.headers.pop_back(); }), good);
  EXPECT_NE(changed([](S3Request& r) { r.headers.back().second += "X"; }), good);
  EXPECT_NE(changed([](S3Request& r) { r.payload_hash.bytes[31] ^= std::byte{1}; }), good);
  EXPECT_NE(signature(example_put(), UnixTime{example_time.seconds + 1}), good);
  EXPECT_NE(signature(example_put(), example_time, "us-east-2"), good);
}

TEST(S3Signature, sends_the_hash_of_the_body_and_signs_a_session_token) {
  const auto plain = sign_s3_request(example_put(), example_credentials(), "r", example_time);
  EXPECT_EQ(header(plain, "x-amz-content-sha256"),
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
  EXPECT_EQ(header(plain, "x-amz-date"), "20130524T000000Z");
  EXPECT_EQ(header(plain, "x-amz-security-token"), "");
  EXPECT_EQ(header(plain, "host"), "");
  const auto temporary =
      sign_s3_request(example_put(), S3Credentials{"A", "b", "token"}, "r", example_time);
  EXPECT_EQ(header(temporary, "x-amz-security-token"), "token");
  EXPECT_NE(header(temporary, "authorization").find("x-amz-security-token"), std::string::npos);
}

TEST(S3Signature, encodes_all_but_the_unreserved_characters) {
  EXPECT_EQ(s3_encode("tile/0/x001/067.p/12", false), "tile/0/x001/067.p/12");
  EXPECT_EQ(s3_encode("a/b", true), "a%2Fb");
  EXPECT_EQ(s3_encode("A-z_0.~ +%\xC3\xA4", false), "A-z_0.~%20%2B%25%C3%A4");
}

TEST(S3Credentials, are_read_from_the_default_section) {
  const auto read = read_s3_credentials(
      "# mine\n[other]\naws_access_key_id = NO\n\n[default]\r\naws_access_key_id=AK\r\n"
      "  aws_secret_access_key =  s/e+c=ret \nregion = x\n[third]\naws_secret_access_key = no");
  ASSERT_TRUE(read.has_value()) << to_sentence(read.error());
  EXPECT_EQ(read->access_key(), "AK");
  EXPECT_EQ(as_text(read->secret_key()), "s/e+c=ret");
  EXPECT_EQ(read->session_token(), "");
}

TEST(S3Credentials, that_are_incomplete_or_strange_are_refused_without_telling_them) {
  for (const char* text :
       {"", "aws_access_key_id = AK\naws_secret_access_key = SESAME",
        "[default]\naws_access_key_id = AK", "[default]\naws_secret_access_key = SESAME",
        "[default]\naws_access_key_id = AK\naws_secret_access_key = SES AME", "[default]\nSESAME",
        "[default]\naws_access_key_id = A\x01K\naws_secret_access_key = SESAME"}) {
    SCOPED_TRACE(text);
    const auto read = read_s3_credentials(text);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, ErrorCode::config_invalid);
    EXPECT_EQ(to_sentence(read.error()).find("SES"), std::string::npos);
  }
}

TEST(S3Credentials, in_a_file_that_everybody_may_read_are_refused) {
  namespace fs = std::filesystem;
  const test::ScratchFolder scratch;
  const fs::path path = scratch.path() / "s3";
  std::ofstream{path} << "[default]\naws_access_key_id = AK\naws_secret_access_key = SESAME\n";
  fs::permissions(path, fs::perms::owner_read | fs::perms::others_read);
  const auto open = read_s3_credentials_file(path);
  ASSERT_FALSE(open.has_value());
  EXPECT_EQ(open.error().code, ErrorCode::config_invalid);
  EXPECT_EQ(open.error().where.file, path.string());
  fs::permissions(path, fs::perms::owner_read | fs::perms::group_read);
  EXPECT_TRUE(read_s3_credentials_file(path).has_value());
  const auto none = read_s3_credentials_file(scratch.path() / "none");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::io_unreadable);
}

TEST(S3Credentials, of_the_longest_keys_are_taken_and_of_longer_ones_refused) {
  const auto read = [](std::size_t bytes) {
    return read_s3_credentials(
        "[default]\naws_access_key_id = A\naws_secret_access_key = b\n"
        "aws_session_token = " +
        std::string(bytes, 't') + "\n");
  };
  const auto longest = read(limits::s3_key_bytes_max);
  ASSERT_TRUE(longest.has_value()) << to_sentence(longest.error());
  EXPECT_EQ(longest->session_token().size(), limits::s3_key_bytes_max);
  EXPECT_EQ(read(limits::s3_key_bytes_max + 1).error().code, ErrorCode::config_invalid);
}

TEST(S3Credentials, of_the_longest_file_are_taken_and_of_a_longer_one_refused) {
  const test::ScratchFolder scratch;
  const auto read = [&](std::size_t bytes) {
    const std::filesystem::path file = scratch.path() / "credentials";
    std::string text = "[default]\naws_access_key_id = A\naws_secret_access_key = b\n#";
    text.append(bytes - text.size() - 1, ' ');
    text += '\n';
    std::ofstream{file, std::ios::binary} << text;
    std::filesystem::permissions(
        file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return read_s3_credentials_file(file);
  };
  const auto longest = read(limits::s3_credentials_bytes_max);
  EXPECT_TRUE(longest.has_value()) << to_sentence(longest.error());
  EXPECT_FALSE(read(limits::s3_credentials_bytes_max + 1).has_value());
}

}  // namespace
}  // namespace fiducia::ledger_s3
