// SPDX-License-Identifier: Apache-2.0
#include "ledger_s3/s3_reply.h"

#include <gtest/gtest.h>

namespace fiducia::ledger_s3 {
namespace {

TEST(S3Reply, has_one_word_that_is_read) {
  struct Row {
    const char* body;
    const char* expected;
  };
  for (const Row& row :
       {Row{"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message/></Error>", "NoSuchKey"},
        Row{"<Code>A</Code>", "A"}, Row{"<Code></Code>", ""}, Row{"", ""}, Row{"<Code>", ""},
        Row{"<Code>NoSuchKey", ""}, Row{"<code>NoSuchKey</code>", ""},
        Row{"<Code>No Such Key</Code>", ""}, Row{"<Code>A\nB</Code>", ""},
        Row{"<Code>\xC3\xA4</Code>", ""}, Row{"<Code><b>x</b></Code>", ""}})
    EXPECT_EQ(read_s3_error_code(as_bytes(row.body)), row.expected) << row.body;
  EXPECT_EQ(read_s3_error_code(as_bytes("<Code>" + std::string(64, 'a') + "<")).size(), 64U);
  EXPECT_EQ(read_s3_error_code(as_bytes("<Code>" + std::string(65, 'a') + "<")), "");
  EXPECT_EQ(read_s3_error_code(as_bytes(std::string(5'000, ' ') + "<Code>A</Code>")), "");
}

TEST(S3Reply, lists_the_widths_of_partial_tiles) {
  const auto widths = [](std::string_view body) { return read_s3_partial_widths(as_bytes(body)); };
  EXPECT_EQ(widths("<Contents><Key>a/tile/0/000.p/44</Key></Contents><Contents><Key>"
                   "a/tile/0/000.p/7</Key><Size>1</Size></Contents><Key>x.p/44</Key>"),
            (std::vector<unsigned>{7, 44}));
  EXPECT_EQ(widths("<Key>.p/1</Key><Key>.p/255</Key>"), (std::vector<unsigned>{1, 255}));
  for (const char* body : {"", ".p/", "<Key>.p/</Key>", "<Key>.p/0</Key>", "<Key>.p/256</Key>",
                           "<Key>.p/07</Key>", "<Key>.p/1000</Key>", "<Key>.p/7x</Key>",
                           "<Key>.p/-7</Key>", "<Prefix>a.p/</Prefix>", "<Key>.p/7"})
    EXPECT_TRUE(widths(body).empty()) << body;
}

TEST(S3Reply, says_absent_only_in_the_servers_own_word) {
  EXPECT_EQ(judge_s3_reply(404, "NoSuchKey"), S3Outcome::absent);
  for (const char* code : {"", "NotFound", "NoSuchKez"})
    EXPECT_EQ(judge_s3_reply(404, code), S3Outcome::transient) << code;
  EXPECT_EQ(judge_s3_reply(404, "NoSuchBucket"), S3Outcome::failed);
}

TEST(S3Reply, is_tried_again_where_that_can_help) {
  for (const unsigned status : {408U, 429U, 500U, 502U, 503U, 504U, 507U, 599U})
    EXPECT_EQ(judge_s3_reply(status, ""), S3Outcome::transient) << status;
  for (const char* code : {"BadDigest", "XAmzContentSHA256Mismatch", "RequestTimeout",
                           "IncompleteBody", "OperationAborted", "ConditionalRequestConflict"})
    EXPECT_EQ(judge_s3_reply(400, code), S3Outcome::transient) << code;
  for (const unsigned status :
       {0U, 100U, 199U, 301U, 304U, 307U, 400U, 401U, 403U, 405U, 409U, 411U, 501U})
    EXPECT_EQ(judge_s3_reply(status, "AccessDenied"), S3Outcome::failed) << status;
  EXPECT_EQ(judge_s3_reply(412, "PreconditionFailed"), S3Outcome::refused);
  for (const unsigned status : {200U, 204U, 206U})
    EXPECT_EQ(judge_s3_reply(status, ""), S3Outcome::done) << status;
}

TEST(S3Reply, that_failed_has_a_remedy_whatever_it_was) {
  for (const char* code : {"SignatureDoesNotMatch", "NoSuchBucket", "RequestTimeTooSkewed",
                           "AccessDenied", "QuotaExceeded", "Something", ""})
    for (const unsigned status : {301U, 400U, 403U, 404U, 500U, 501U}) {
      const std::string remedy = s3_remedy(status, code);
      EXPECT_TRUE(remedy.ends_with('.')) << remedy;
    }
}

}  // namespace
}  // namespace fiducia::ledger_s3
