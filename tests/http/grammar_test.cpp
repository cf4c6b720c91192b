// SPDX-License-Identifier: Apache-2.0
#include "http/grammar.h"

#include <gtest/gtest.h>

#include "http/http.h"
#include "http/rate_limit.h"

namespace fiducia::http {
namespace {

TEST(PrintableUrl, shows_neither_credentials_nor_query) {
  struct Row {
    const char* url;
    const char* shown;
  };
  for (const Row& row : {
           Row{"https://example.org/a/b", "https://example.org/a/b"},
           Row{"http://user:secret@example.org:81/a?token=secret#secret",
               "http://example.org:81/a"},
           Row{"http://user:se@cret@example.org/@x", "http://example.org/@x"},
           Row{"HTTP://u@h?secret", "HTTP://h"},
           Row{"http://u:secret@h\\x", "http://h\\x"},
           Row{"http://h/\x1B[2J", "http://h/?[2J"},
           Row{"file:///etc/passwd", "(not a URL)"},
           Row{"secret", "(not a URL)"},
           Row{"", "(not a URL)"},
       })
    EXPECT_EQ(printable_url(row.url), row.shown) << row.url;
}

TEST(Target, is_split_into_path_and_query) {
  struct Row {
    const char* target;
    const char* path;
    const char* query;
  };
  for (const Row& row : {
           Row{"/", "/", ""},
           Row{"/a/b?c=d?e", "/a/b", "c=d?e"},
           Row{"/%2e%2e/", "/%2e%2e/", ""},  // decoding is the handler's
           Row{"http://host:80/a?b", "/a", "b"},
           Row{"HTTPS://host/", "/", ""},
           Row{"//host/a", "//host/a", ""},
       }) {
    const auto parts = read_target(row.target);
    ASSERT_TRUE(parts) << row.target;
    EXPECT_EQ(parts->path, row.path);
    EXPECT_EQ(parts->query, row.query);
  }
}

TEST(Target, refuses_other_forms_and_characters) {
  for (const char* target : {"", "*", "host:443", "a", "ftp://h/", "http://h", "http://h?/a",
                             "/a b", "/a\x01", "/\x7F", "/\xC3\xA4", "/a#b", "?a"})
    EXPECT_FALSE(read_target(target)) << target;
}

TEST(Header, is_found_whatever_its_case) {
  const Headers headers{{"content-type", "a"}, {"Content-Type", "b"}};
  EXPECT_EQ(find_header(headers, "CONTENT-TYPE"), "a");
  EXPECT_FALSE(find_header(headers, "content-typ"));
}

TEST(RateLimit, grants_what_was_agreed_and_no_more) {
  using std::chrono::seconds;
  RateLimit limit{2, 100};
  const RateLimit::Time start{};
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(limit.take("a", start)) << i;
  EXPECT_FALSE(limit.take("a", start));
  EXPECT_TRUE(limit.take("b", start)) << "another client";
  EXPECT_TRUE(limit.take("a", start + seconds{1}));
  EXPECT_TRUE(limit.take("a", start + seconds{1}));
  EXPECT_FALSE(limit.take("a", start + seconds{1}));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(limit.take("a", start + seconds{1'000})) << i;
  EXPECT_FALSE(limit.take("a", start + seconds{1'000})) << "no more than ten seconds' worth";
}

TEST(RateLimit, remembers_a_bounded_number_of_clients) {
  RateLimit limit{1, 100};
  const RateLimit::Time start{};
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(limit.take(std::to_string(i), start));
    EXPECT_LE(limit.peers(), 100U);
  }
}

TEST(RateLimit, remembers_as_many_clients_as_the_program_lets_it) {
  RateLimit limit{1, limits::http_peers_max};
  const RateLimit::Time start{};
  for (std::size_t i = 0; i < limits::http_peers_max; ++i)
    EXPECT_TRUE(limit.take(std::to_string(i), start));
  EXPECT_EQ(limit.peers(), limits::http_peers_max);
  EXPECT_TRUE(limit.take("one more", start));
  EXPECT_LE(limit.peers(), limits::http_peers_max);
}

TEST(RateLimit, of_zero_is_none) {
  RateLimit limit{0, 100};
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(limit.take("a", {}));
  EXPECT_EQ(limit.peers(), 0U);
}

}  // namespace
}  // namespace fiducia::http
