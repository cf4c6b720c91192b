// SPDX-License-Identifier: Apache-2.0
#include "http/request_head.h"

#include <gtest/gtest.h>

#include "http/chunks.h"
#include "support/support.h"

namespace fiducia::http {
namespace {

std::string request(const std::string& fields, const std::string& line = "GET /a HTTP/1.1") {
  return line + "\r\n" + fields + "\r\n";
}

/// 0 where the head is taken.
unsigned status_of_head(const std::string& text) {
  const auto head = read_request_head(text);
  return head ? 0 : head.error();
}

TEST(RequestHead, reads_line_and_fields) {
  const auto head = read_request_head(
      request("Host: h\r\nX-Empty:\r\nx-Spaces: \t a b \t\r\nX-Text: \xC3\xA4\r\n",
              "POST /a?b=c HTTP/1.1"));
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->target, "/a?b=c");
  EXPECT_EQ(head->minor_version, 1U);
  const Headers expected{
      {"host", "h"}, {"x-empty", ""}, {"x-spaces", "a b"}, {"x-text", "\xC3\xA4"}};
  EXPECT_EQ(head->headers, expected);
  EXPECT_TRUE(head->keep_alive);
  EXPECT_FALSE(head->expects_continue);
  EXPECT_FALSE(head->is_chunked);
  EXPECT_EQ(head->length_bytes, 0U);
}

TEST(RequestHead, reads_how_the_body_is_framed) {
  const auto length = read_request_head(request("Host: h\r\nContent-Length: 0012\r\n"));
  ASSERT_TRUE(length);
  EXPECT_EQ(length->length_bytes, 12U);
  const auto chunked = read_request_head(request("Host: h\r\nTransfer-Encoding: CHUNKED\r\n"));
  ASSERT_TRUE(chunked);
  EXPECT_TRUE(chunked->is_chunked);
  const auto largest =
      read_request_head(request("Host: h\r\nContent-Length: 999999999999999999\r\n"));
  ASSERT_TRUE(largest);
  EXPECT_EQ(largest->length_bytes, 999'999'999'999'999'999U);
}

TEST(RequestHead, reads_whether_the_connection_stays) {
  struct Row {
    const char* version;
    const char* fields;
    bool stays;
  };
  for (const Row& row : {Row{"1.1", "", true}, Row{"1.1", "Connection: close\r\n", false},
                         Row{"1.1", "Connection: a, CLOSE ,b\r\n", false},
                         Row{"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
                         Row{"1.1", "Connection: closed\r\n", true}, Row{"1.0", "", false},
                         Row{"1.0", "Connection: Keep-Alive\r\n", true}}) {
    const auto head = read_request_head(
        request(std::string{"Host: h\r\n"} + row.fields, std::string{"GET / HTTP/"} + row.version));
    ASSERT_TRUE(head) << row.fields;
    EXPECT_EQ(head->keep_alive, row.stays) << row.version << row.fields;
  }
}

TEST(RequestHead, refuses_what_two_readers_may_read_differently) {
  struct Row {
    const char* name;
    std::string text;
    unsigned status;
  };
  const std::string post = "POST / HTTP/1.1";
  for (const Row& row : {
           Row{"obs-fold", request("Host: h\r\nA: b\r\n c\r\n"), 400},
           Row{"a fold in front", request(" Host: h\r\n"), 400},
           Row{"space before the colon", request("Host : h\r\n"), 400},
           Row{"no colon", request("Host: h\r\nabc\r\n"), 400},
           Row{"no name", request("Host: h\r\n: b\r\n"), 400},
           Row{"a bare CR in a value", request("Host: h\r\nA: b\rc\r\n"), 400},
           Row{"a NUL in a value", request(std::string("Host: h\r\nA: b\0c\r\n", 16)), 400},
           Row{"two spaces in the line", request("Host: h\r\n", "GET  / HTTP/1.1"), 400},
           Row{"space in the target", request("Host: h\r\n", "GET /a b HTTP/1.1"), 400},
           Row{"a tab in the line", request("Host: h\r\n", "GET\t/ HTTP/1.1"), 400},
           Row{"no target", request("Host: h\r\n", "GET HTTP/1.1"), 400},
           Row{"a short version", request("Host: h\r\n", "GET / HTTP/1"), 400},
           Row{"a long version", request("Host: h\r\n", "GET / HTTP/1.10"), 400},
           Row{"a version in lower case", request("Host: h\r\n", "GET / http/1.1"), 400},
           Row{"HTTP/2", request("Host: h\r\n", "GET / HTTP/2.0"), 505},
           Row{"HTTP/0.9", request("Host: h\r\n", "GET / HTTP/0.9"), 505},
           Row{"no host", request(""), 400},
           Row{"two hosts", request("Host: a\r\nHost: a\r\n"), 400},
           Row{"two lengths",
               request("Host: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n", post), 400},
           Row{"a length twice",
               request("Host: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n", post), 400},
           Row{"a list of lengths", request("Host: h\r\nContent-Length: 1, 1\r\n", post), 400},
           Row{"a length with a sign", request("Host: h\r\nContent-Length: +1\r\n", post), 400},
           Row{"a negative length", request("Host: h\r\nContent-Length: -1\r\n", post), 400},
           Row{"a length in hexadecimal", request("Host: h\r\nContent-Length: 0x1\r\n", post), 400},
           Row{"an empty length", request("Host: h\r\nContent-Length:\r\n", post), 400},
           Row{"a length past the limit",
               request("Host: h\r\nContent-Length: 1000000000000000000\r\n", post), 400},
           Row{"length and chunks",
               request("Host: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", post),
               400},
           Row{"chunks and length",
               request("Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n", post),
               400},
           Row{"chunked twice",
               request("Host: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                       post),
               400},
           Row{"chunked, chunked",
               request("Host: h\r\nTransfer-Encoding: chunked, chunked\r\n", post), 501},
           Row{"another coding", request("Host: h\r\nTransfer-Encoding: gzip, chunked\r\n", post),
               501},
           Row{"identity", request("Host: h\r\nTransfer-Encoding: identity\r\n", post), 501},
           Row{"a mark before chunked",
               request("Host: h\r\nTransfer-Encoding: \x0B"
                       "chunked\r\n",
                       post),
               400},
           Row{"chunks in HTTP/1.0",
               request("Host: h\r\nTransfer-Encoding: chunked\r\n", "POST / HTTP/1.0"), 400},
           Row{"another expectation", request("Host: h\r\nExpect: 200-maybe\r\n", post), 417},
           Row{"something behind", request("Host: h\r\n") + "x", 400},
           Row{"cut", "GET / HTTP/1.1\r\nHost: h\r\n", 400},
       })
    EXPECT_EQ(status_of_head(row.text), row.status) << row.name;
  EXPECT_EQ(status_of_head(request("Host: h\r\nExpect: 100-Continue\r\n", post)), 0U);
}

TEST(HeadScan, finds_the_end_however_the_bytes_come) {
  const std::string head = request("Host: h\r\nA: b\r\n");
  for (const std::string& front : {std::string{}, std::string{"\r\n"}})
    for (std::size_t step = 1; step <= head.size() + 2; ++step) {
      const std::string all = front + head + "GET";
      HeadScan scan;
      std::size_t received = 0;
      HeadScan::Found found = HeadScan::Found::not_yet;
      while (found == HeadScan::Found::not_yet && received < all.size()) {
        received = std::min(all.size(), received + step);
        found = scan.scan(std::string_view{all}.substr(0, received));
      }
      ASSERT_EQ(found, HeadScan::Found::end) << step;
      EXPECT_EQ(all.substr(scan.begin(), scan.end() - scan.begin()), head);
    }
}

TEST(HeadScan, refuses_early_what_is_no_request) {
  for (const std::string_view text : {"\x16\x03\x01", "\r\n\r\n", "\r\r", "\n", " GET", "GET /\n",
                                      "GET / HTTP/1.1\r\nHost: h\n"}) {
    HeadScan scan;
    EXPECT_EQ(scan.scan(text), HeadScan::Found::malformed) << text;
  }
  for (const std::string_view text : {"", "\r", "\r\n", "G", "GET / HTTP/1.1\r\nHost: h\r\n\r"}) {
    HeadScan scan;
    EXPECT_EQ(scan.scan(text), HeadScan::Found::not_yet) << text;
  }
}

/// Content of a chunked body and how many bytes that has; nothing where it is refused.
struct Chunked {
  std::string content;
  std::size_t taken = 0;
  bool is_done = false;
};
std::optional<Chunked> read_chunks(std::string_view text, std::size_t step) {
  ChunkReader reader;
  Chunked all;
  while (all.taken < text.size() && !reader.is_done()) {
    const ByteView next = as_bytes(text.substr(all.taken, step));
    Bytes part{next.begin(), next.end()};
    const auto progress = reader.read(part);
    if (!progress) return std::nullopt;
    all.content += as_text(ByteView{part}.first(progress->payload));
    all.taken += progress->taken;
  }
  all.is_done = reader.is_done();
  return all;
}

TEST(ChunkReader, reads_chunks_however_they_are_cut) {
  const std::string body =
      "3\r\nabc\r\n0a;x=\"y\\\"\"\r\n0123456789\r\n000\r\nTrailer: a\r\nB:\r\n\r\n";
  for (std::size_t step = 1; step <= body.size() + 4; ++step) {
    const auto chunked = read_chunks(body + "GET", step);
    ASSERT_TRUE(chunked) << step;
    EXPECT_TRUE(chunked->is_done);
    EXPECT_EQ(chunked->content, "abc0123456789");
    EXPECT_EQ(chunked->taken, body.size());
  }
}

TEST(ChunkReader, refuses_what_is_no_chunk) {
  const std::string end = "\r\n\r\n";
  for (const std::string& text :
       std::vector<std::string>{"\r\n" + end,
                                "x\r\n" + end,
                                "-1\r\n" + end,
                                "+1\r\na" + end,
                                "0x1\r\na" + end,
                                " 1\r\na" + end,
                                "1 \r\na" + end,
                                "1\na\n0\n\n" + std::string{},
                                "1\r\nab\r\n" + end,
                                "1\r\na\n0" + end,
                                "1\r\na\r0" + end,
                                "4000000000000000\r\na" + end,
                                "10000000000000000\r\na" + end,
                                "1;a\rb\r\na" + end,
                                "1;a\nb\r\na" + end,
                                "1;a=\"\r\na\r\n0" + end,
                                "1;a=\"\\\"\r\na\r\n0" + end,
                                "0\r\n x: folded" + end,
                                "0\r\nno colon" + end,
                                "0\r\na : b" + end,
                                "0\r\na: b\n" + end,
                                "0\r\n\rx",
                                "1;" + std::string(300, 'x') + "\r\na" + end,
                                "0\r\nA: " + std::string(limits::http_header_bytes_max, 'x') + end})
    for (const std::size_t step : {std::size_t{1}, text.size()})
      EXPECT_FALSE(read_chunks(text, step)) << text;
  EXPECT_TRUE(read_chunks("3fffffffffffffff\r\na", 100)) << "the largest chunk";
}

TEST(ChunkReader, reads_what_was_written) {
  for (const std::size_t size : {1U, 15U, 16U, 255U, 65'536U}) {
    std::array<std::byte, chunk_prefix_bytes> room{};
    const std::size_t length = write_chunk_size(room, size);
    std::string text{as_text(ByteView{room}.last(length))};
    text += std::string(size, 'x') + "\r\n0\r\n\r\n";
    const auto chunked = read_chunks(text, 1'000);
    ASSERT_TRUE(chunked);
    EXPECT_EQ(chunked->content.size(), size);
    EXPECT_TRUE(chunked->is_done);
  }
}

}  // namespace
}  // namespace fiducia::http
