// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/tile_server.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ledger_net/gzip.h"
#include "paper_log.h"
#include "support/support.h"

namespace fiducia::ledger_net {
namespace {

using namespace test;

/// 600 entries: two full tiles and one of 88, one of width 2 above.
struct TileWorld {
  crypto::PrivateKey key = new_key();
  PaperLog log{key};
  std::shared_ptr<PaperSource> source;
  TileWorld() {
    log.grow_to(70);  // so that a partial tile of an earlier size is there
    log.grow_to(600);
    source = std::make_shared<PaperSource>(log.objects);
  }
};

http::Response ask(const TileServer& server, const std::string& path,
                   const http::Headers& headers = {}, const std::string& method = "GET") {
  return server.answer(
      {.method = method, .path = path, .query = {}, .headers = headers, .body = {}, .peer = {}});
}

std::string field(const http::Response& response, std::string_view name) {
  return std::string{http::find_header(response.headers, name).value_or("(none)")};
}

TEST(TileServer, serves_every_object_of_the_log_as_it_is) {
  const TileWorld world;
  const TileServer server{world.source};
  for (const auto& [path, content] : world.log.objects) {
    const http::Response response = ask(server, "/" + path);
    EXPECT_EQ(response.status, 200U) << path;
    EXPECT_EQ(response.body, content) << path;
    const bool note = path == "checkpoint";
    EXPECT_EQ(field(response, "content-type"),
              note ? "text/plain; charset=utf-8" : "application/octet-stream");
    EXPECT_EQ(field(response, "cache-control"),
              note ? "no-store" : "public, max-age=604800, immutable");
    EXPECT_EQ(field(response, "vary"),
              path.starts_with("tile/entries/") ? "Accept-Encoding" : "(none)");
  }
}

TEST(TileServer, serves_nothing_else) {
  TileWorld world;
  for (const char* path : {"signed-root.cbor",
                           "lock",
                           ".journal/0",
                           "journal",
                           "alarms/a",
                           "tile/0/.000.AbCdEf",
                           "tile/0/000.p",
                           "tile/0/000.p/0",
                           "tile/0/000.p/256",
                           "tile/0/000.p/070",
                           "tile/00/000",
                           "tile/64/000",
                           "tile/0/0",
                           "tile/0/x000/000",
                           "tile/data/000",
                           "tile/0/000/",
                           "checkpoint/",
                           "",
                           "tile",
                           "tile/",
                           "tile/0/../0/000",
                           "./checkpoint",
                           "checkpoint.bak",
                           "Checkpoint",
                           "tile/entries/000.P/70",
                           "tile/0/000.p/70.p/70",
                           "../checkpoint",
                           "tile/0/%30%30%30"})
    world.source->objects()[path] = {std::byte{1}};
  const TileServer server{world.source};
  for (const auto& [path, content] : world.source->objects()) {
    if (world.log.objects.contains(path)) continue;
    const http::Response response = ask(server, "/" + path);
    EXPECT_EQ(response.status, 404U) << path;
    EXPECT_EQ(field(response, "cache-control"), "no-store");
  }
  for (const char* path : {"//checkpoint", "/%63heckpoint", "/checkpoint%00", "/tile/0/999"})
    EXPECT_EQ(ask(server, path).status, 404U) << path;
}

TEST(TileServer, cuts_a_partial_tile_from_the_full_one) {
  TileWorld world;
  const TileServer server{world.source};
  for (const char* kind : {"tile/0/000", "tile/entries/000"}) {
    const std::string partial = std::string{kind} + ".p/70";
    world.source->objects().erase(partial);
    const http::Response response = ask(server, "/" + partial);
    EXPECT_EQ(response.status, 200U) << partial;
    EXPECT_EQ(response.body, world.log.objects.at(partial)) << partial;
  }
}

TEST(TileServer, cuts_a_partial_tile_from_the_wider_one_that_is_published) {
  TileWorld world;
  const TileServer server{world.source};
  for (const char* kind : {"tile/0/002", "tile/entries/002"}) {
    const Bytes wider = world.log.objects.at(std::string{kind} + ".p/88");
    const http::Response response = ask(server, "/" + std::string{kind} + ".p/87");
    EXPECT_EQ(response.status, 200U) << kind;
    ASSERT_LT(response.body.size(), wider.size()) << kind;
    EXPECT_TRUE(same_bytes(response.body, ByteView{wider}.first(response.body.size()))) << kind;
    EXPECT_EQ(ask(server, "/" + std::string{kind} + ".p/89").status, 404U) << kind;
  }
  const Bytes tile = ask(server, "/tile/0/002.p/87").body;
  EXPECT_EQ(tile.size(), 87 * sizeof(Digest));
}

TEST(TileServer, serves_a_tile_only_once_the_checkpoint_calls_for_it) {
  TileWorld world;
  const Objects before = world.log.objects;
  world.log.grow_to(601);
  for (const auto& [path, content] : world.log.objects)
    if (path != "checkpoint") world.source->objects()[path] = content;
  const TileServer server{world.source};
  EXPECT_EQ(ask(server, "/tile/0/002.p/89").status, 404U);
  EXPECT_EQ(ask(server, "/tile/0/002").status, 404U);
  EXPECT_EQ(ask(server, "/tile/0/002.p/88").status, 200U);
  world.source->objects()["checkpoint"] = world.log.objects.at("checkpoint");
  EXPECT_EQ(ask(server, "/tile/0/002.p/89").status, 200U);
  EXPECT_EQ(ask(server, "/tile/entries/002.p/89").status, 200U);
}

TEST(TileServer, lets_nobody_cache_what_is_damaged_or_cannot_be_read) {
  TileWorld world;
  auto& objects = world.source->objects();
  objects["tile/0/001"].pop_back();
  objects["tile/entries/001"].pop_back();
  objects["tile/0/000"].clear();
  objects["tile/1/000.p/2"].resize(10'000);
  const TileServer server{world.source};
  for (const char* path : {"/tile/0/001", "/tile/entries/001", "/tile/0/000", "/tile/1/000.p/2"}) {
    const http::Response response = ask(server, path);
    EXPECT_EQ(response.status, 500U) << path;
    EXPECT_EQ(field(response, "cache-control"), "no-store");
  }
  world.source->before_read = [](int) { return false; };
  for (const char* path : {"/checkpoint", "/tile/0/001"}) {
    const http::Response response = ask(server, path);
    EXPECT_EQ(response.status, 503U) << path;
    EXPECT_EQ(field(response, "cache-control"), "no-store");
    EXPECT_EQ(field(response, "retry-after"), "5");
  }
}

TEST(TileServer, packs_bundles_for_clients_that_take_gzip) {
  const TileWorld world;
  const TileServer server{world.source};
  const http::Headers takes{{"accept-encoding", "gzip, identity"}};
  const Bytes& plain = world.log.objects.at("tile/entries/000");
  const http::Response packed = ask(server, "/tile/entries/000", takes);
  EXPECT_EQ(field(packed, "content-encoding"), "gzip");
  EXPECT_EQ(field(packed, "vary"), "Accept-Encoding");
  EXPECT_LT(packed.body.size(), plain.size());
  EXPECT_EQ(gunzip(packed.body, plain.size()).value(), plain);
  const http::Response unpacked =
      ask(server, "/tile/entries/000", {{"accept-encoding", "gzip;q=0"}});
  EXPECT_EQ(field(unpacked, "content-encoding"), "(none)");
  EXPECT_EQ(unpacked.body, plain);
  EXPECT_NE(field(packed, "etag"), field(unpacked, "etag"));
  EXPECT_EQ(field(ask(server, "/tile/0/000", takes), "content-encoding"), "(none)") << "hashes";
  EXPECT_EQ(field(ask(server, "/checkpoint", takes), "content-encoding"), "(none)");
}

TEST(TileServer, packs_nothing_that_does_not_get_smaller) {
  const TileWorld world;
  std::mt19937_64 prng{1};
  Bytes random;
  append_be<std::uint16_t>(random, 2'000);
  append(random, fiducia::test::random_bytes(prng, 2'000));
  PaperLog small{world.key};
  small.grow_to(1);
  small.objects["tile/entries/000.p/1"] = random;
  const TileServer server{std::make_shared<PaperSource>(small.objects)};
  const http::Response response =
      ask(server, "/tile/entries/000.p/1", {{"accept-encoding", "gzip"}});
  EXPECT_EQ(response.body, random);
  EXPECT_EQ(field(response, "content-encoding"), "(none)");
  EXPECT_EQ(field(response, "vary"), "Accept-Encoding");
}

TEST(TileServer, tells_a_client_that_it_has_the_object) {
  TileWorld world;
  const TileServer server{world.source};
  for (const char* path : {"/checkpoint", "/tile/0/000", "/tile/entries/000"}) {
    const http::Response first = ask(server, path);
    const std::string tag = field(first, "etag");
    for (const std::string& known : {tag, "W/" + tag, "\"x\", " + tag, std::string{"*"}}) {
      const http::Response again = ask(server, path, {{"if-none-match", known}});
      EXPECT_EQ(again.status, 304U) << known;
      EXPECT_TRUE(again.body.empty());
      EXPECT_EQ(field(again, "etag"), tag);
      EXPECT_EQ(field(again, "cache-control"), field(first, "cache-control"));
    }
    EXPECT_EQ(ask(server, path, {{"if-none-match", "\"x\""}}).status, 200U);
  }
  const std::string tag = field(ask(server, "/checkpoint"), "etag");
  world.log.grow_to(601);
  world.source->objects() = world.log.objects;
  EXPECT_EQ(ask(server, "/checkpoint", {{"if-none-match", tag}}).status, 200U);
}

TEST(TileServer, reads_only) {
  const TileWorld world;
  const TileServer server{world.source};
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", "PROPFIND"}) {
    const http::Response response = ask(server, "/checkpoint", {}, method);
    EXPECT_EQ(response.status, 405U) << method;
    EXPECT_EQ(field(response, "allow"), "GET, HEAD");
  }
  EXPECT_EQ(ask(server, "/checkpoint", {}, "HEAD").status, 200U);
}

TEST(TileServer, of_an_empty_store_has_nothing) {
  const TileServer server{std::make_shared<PaperSource>(Objects{})};
  EXPECT_EQ(ask(server, "/checkpoint").status, 404U);
  EXPECT_EQ(ask(server, "/tile/0/000").status, 404U);
}

}  // namespace
}  // namespace fiducia::ledger_net
