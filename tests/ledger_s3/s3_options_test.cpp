// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ledger_s3/s3_store.h"

namespace fiducia::ledger_s3 {
namespace {

S3Options good_options() {
  S3Options options;
  options.endpoint = "https://s3.example.org:8443";
  options.bucket = "hospital-a";
  options.prefix = "ledger";
  return options;
}

TEST(S3Options, that_cannot_work_are_refused_before_any_request) {
  struct Row {
    const char* name;
    void (*change)(S3Options&);
  };
  for (const Row& row :
       {Row{"no scheme", [](S3Options& o) { o.endpoint = "s3.example.org"; }},
        Row{"another scheme", [](S3Options& o) { o.endpoint = "ftp://s3.example.org"; }},
        Row{"no host", [](S3Options& o) { o.endpoint = "https://"; }},
        Row{"empty", [](S3Options& o) { o.endpoint = ""; }},
        Row{"a path", [](S3Options& o) { o.endpoint = "https://s3.example.org/x"; }},
        Row{"a user", [](S3Options& o) { o.endpoint = "https://u@s3.example.org"; }},
        Row{"a line break", [](S3Options& o) { o.endpoint = "https://s3\r\nx"; }},
        Row{"no bucket", [](S3Options& o) { o.bucket = ""; }},
        Row{"a bucket that climbs", [](S3Options& o) { o.bucket = "../x"; }},
        Row{"a bucket of dots", [](S3Options& o) { o.bucket = "..."; }},
        Row{"a long bucket", [](S3Options& o) { o.bucket = std::string(64, 'a'); }},
        Row{"no region", [](S3Options& o) { o.region = ""; }},
        Row{"a region with a slash", [](S3Options& o) { o.region = "a/b"; }},
        Row{"a prefix that climbs", [](S3Options& o) { o.prefix = "a/../b"; }},
        Row{"a prefix of one dot", [](S3Options& o) { o.prefix = "."; }},
        Row{"a prefix with an empty part", [](S3Options& o) { o.prefix = "a//b"; }},
        Row{"a prefix from the root", [](S3Options& o) { o.prefix = "/a"; }},
        Row{"a long prefix",
            [](S3Options& o) { o.prefix = std::string(limits::s3_prefix_bytes_max + 1, 'a'); }},
        Row{"a lock for ever", [](S3Options& o) { o.lock_days = limits::s3_lock_days_max + 1; }},
        Row{"no attempt", [](S3Options& o) { o.attempts_max = 0; }},
        Row{"no request at a time", [](S3Options& o) { o.parallel_max = 0; }},
        Row{"too many at a time",
            [](S3Options& o) { o.parallel_max = limits::s3_parallel_max + 1; }}}) {
    SCOPED_TRACE(row.name);
    S3Options options = good_options();
    row.change(options);
    const auto store = S3Store::open(options, S3Credentials{"AK", "SK"});
    ASSERT_FALSE(store.has_value());
    EXPECT_EQ(store.error().code, ErrorCode::config_invalid);
    EXPECT_FALSE(store.error().remedy.empty());
  }
}

TEST(S3Options, that_can_work_are_taken) {
  for (const char* endpoint :
       {"https://s3.example.org", "http://127.0.0.1:7480", "http://[::1]:80"})
    for (const char* prefix : {"", "a", "a/", "a/b.c/..d"}) {
      S3Options options = good_options();
      options.endpoint = endpoint;
      options.prefix = prefix;
      const auto store = S3Store::open(options, S3Credentials{"AK", "SK"});
      ASSERT_TRUE(store.has_value()) << to_sentence(store.error());
      EXPECT_EQ((*store)->name_of("checkpoint"),
                std::string{"s3://hospital-a/"} + prefix +
                    (*prefix == 0 || std::string{prefix}.ends_with('/') ? "" : "/") + "checkpoint");
    }
}

TEST(S3Options, at_their_limits_are_taken) {
  S3Options options = good_options();
  options.prefix = std::string(limits::s3_prefix_bytes_max, 'a');
  options.lock_days = limits::s3_lock_days_max;
  options.parallel_max = limits::s3_parallel_max;
  const auto store = S3Store::open(options, S3Credentials{"AK", "SK"});
  EXPECT_TRUE(store.has_value()) << to_sentence(store.error());
}

}  // namespace
}  // namespace fiducia::ledger_s3
