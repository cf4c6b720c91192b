// SPDX-License-Identifier: Apache-2.0
// A log's tiles in a real S3 server.
#include "ledger_s3/s3_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "s3_support.h"

namespace fiducia::ledger_s3::test {
namespace {

using ledger::Existing;
using ledger::NewObject;
using ::testing::HasSubstr;
using ::testing::Not;

Status create(ledger::ObjectStore& store, const std::string& path, std::string_view text,
              Existing existing = Existing::refuse) {
  const NewObject object{.path = path, .content = bytes_of(text)};
  return store.create(std::span{&object, 1}, existing);
}

TEST(S3Store, keeps_what_it_is_given_under_its_prefix) {
  const std::string bucket = new_bucket();
  const auto store = open_store(options_for(bucket));
  EXPECT_EQ(read_text(*store, "tile/0/000"), "(none)");
  EXPECT_TRUE(create(*store, "tile/0/000", "zero").has_value());
  EXPECT_TRUE(create(*store, "tile/0/001.p/44", "partial").has_value());
  EXPECT_TRUE(create(*store, "tile/entries/x001/x234/067", "").has_value());
  EXPECT_TRUE(store->replace("checkpoint", as_bytes("size 1")).has_value());
  EXPECT_TRUE(store->sync().has_value());
  EXPECT_EQ(read_text(*store, "tile/0/000"), "zero");
  EXPECT_EQ(read_text(*store, "tile/0/001.p/44"), "partial");
  EXPECT_EQ(read_text(*store, "tile/entries/x001/x234/067"), "");
  EXPECT_EQ(read_text(*store, "checkpoint"), "size 1");
  EXPECT_EQ(ask("GET", "/" + bucket + "/log/tile/0/000").body, "zero");
  EXPECT_EQ(store->name_of("checkpoint"), "s3://" + bucket + "/log/checkpoint");

  const std::vector<std::string> gone{"tile/0/001.p/44", "tile/0/none"};
  EXPECT_TRUE(store->remove(gone).has_value());
  EXPECT_EQ(read_text(*store, "tile/0/001.p/44"), "(none)");
  EXPECT_EQ(read_text(*store, "tile/0/000"), "zero");
}

TEST(S3Store, removes_the_partial_forms_of_one_tile_and_nothing_else) {
  S3Options options = options_for(new_bucket());
  options.prefix = "a & b";
  const auto store = open_store(options);
  std::vector<NewObject> objects;
  for (const char* path : {"tile/0/000", "tile/0/000.p/1", "tile/0/000.p/99", "tile/0/000.p/255",
                           "tile/0/001.p/7", "tile/1/000.p/1", "tile/entries/000.p/99"})
    objects.push_back({.path = path, .content = bytes_of(path)});
  ASSERT_EQ(sentence(store->create(objects, Existing::refuse)), "");
  ASSERT_EQ(sentence(store->remove_partials("tile/0/000")), "");
  for (const NewObject& object : objects)
    EXPECT_EQ(read_text(*store, object.path),
              object.path.starts_with("tile/0/000.p/") ? "(none)" : object.path);
  EXPECT_EQ(sentence(store->remove_partials("tile/0/000")), "");  // nothing left
}

TEST(S3Store, tells_browsers_and_caches_what_an_object_is) {
  const std::string bucket = new_bucket();
  const auto store = open_store(options_for(bucket));
  ASSERT_TRUE(create(*store, "tile/0/000", "zero").has_value());
  ASSERT_TRUE(store->replace("checkpoint", as_bytes("note")).has_value());
  ASSERT_TRUE(store->replace("signed-root.cbor", as_bytes("cbor")).has_value());
  const auto tile = ask("GET", "/" + bucket + "/log/tile/0/000");
  EXPECT_EQ(tile.header("content-type"), "application/octet-stream");
  EXPECT_EQ(tile.header("cache-control"), "public, max-age=31536000, immutable");
  const auto checkpoint = ask("GET", "/" + bucket + "/log/checkpoint");
  EXPECT_EQ(checkpoint.header("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(checkpoint.header("cache-control"), "no-store");
  EXPECT_EQ(ask("GET", "/" + bucket + "/log/signed-root.cbor").header("cache-control"), "no-store");
}

TEST(S3Store, takes_any_prefix_and_the_top_of_the_bucket) {
  for (const std::string prefix : {"", "a b+c/\xC3\xA4%2F=&/", "x"}) {
    SCOPED_TRACE(prefix);
    S3Options options = options_for(new_bucket());
    options.prefix = prefix;
    const auto store = open_store(options);
    EXPECT_EQ(sentence(create(*store, "tile/0/000", "zero")), "");
    EXPECT_EQ(read_text(*store, "tile/0/000"), "zero");
    const std::vector<std::string> paths{"tile/0/000"};
    EXPECT_EQ(sentence(store->remove(paths)), "");
    EXPECT_EQ(read_text(*store, "tile/0/000"), "(none)");
  }
}

TEST(S3Store, finds_a_bucket_by_its_host_name_too) {
  const std::string bucket = new_bucket();
  S3Options options = options_for(bucket);
  // Names below localhost are loopback to the client; the server is told to expect them.
  options.endpoint = "http://localhost" + options.endpoint.substr(options.endpoint.rfind(':'));
  options.path_style = false;
  const auto store = open_store(options);
  EXPECT_EQ(sentence(create(*store, "tile/0/000", "zero")), "");
  EXPECT_EQ(ask("GET", "/" + bucket + "/log/tile/0/000").body, "zero");
}

/// With and without versions: Ceph 16 does not keep `If-None-Match: *` in the former.
class S3Buckets : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Kinds, S3Buckets, ::testing::Bool(),
                         [](const auto& row) { return row.param ? "with_lock" : "plain"; });

TEST_P(S3Buckets, keep_the_first_content_of_a_tile) {
  const std::string bucket = new_bucket(GetParam());
  for (int process = 0; process < 2; ++process) {  // the second one finds all of it there
    const auto store = open_store(options_for(bucket));
    EXPECT_EQ(sentence(create(*store, "tile/0/000", "zero")), "");
    for (int again = 0; again < 2; ++again)
      EXPECT_EQ(sentence(create(*store, "tile/0/000", "zero")), "");
    for (const char* text : {"zerO", "", "zero and more"}) {
      const auto refused = create(*store, "tile/0/000", text);
      ASSERT_FALSE(refused.has_value()) << text;
      EXPECT_EQ(refused.error().code, ErrorCode::ledger_conflict);
      EXPECT_EQ(refused.error().where.file, "s3://" + bucket + "/log/tile/0/000");
    }
    EXPECT_EQ(read_text(*store, "tile/0/000"), "zero");
    EXPECT_EQ(sentence(create(*store, "tile/0/001", "one")), "");
  }
  // Also where the first object that a process writes is in conflict.
  const auto store = open_store(options_for(bucket));
  EXPECT_FALSE(create(*store, "tile/0/000", "other").has_value());
  EXPECT_EQ(read_text(*store, "tile/0/000"), "zero");
  EXPECT_EQ(sentence(create(*store, "tile/0/000", "fixed", Existing::replace)), "");
  EXPECT_EQ(read_text(*store, "tile/0/000"), "fixed");
}

TEST_P(S3Buckets, have_the_last_content_of_a_checkpoint_whoever_writes_it) {
  const std::string bucket = new_bucket(GetParam());
  const auto one = open_store(options_for(bucket));
  const auto two = open_store(options_for(bucket));
  for (int round = 0; round < 5; ++round)
    for (const auto& store : {one.get(), two.get(), two.get(), one.get()}) {
      const std::string text = "size " + std::to_string(round);
      ASSERT_EQ(sentence(store->replace("checkpoint", as_bytes(text))), "");
      ASSERT_EQ(read_text(*one, "checkpoint"), text);
    }
}

TEST_P(S3Buckets, take_many_tiles_at_a_time) {
  const auto store = open_store(options_for(new_bucket(GetParam())));
  std::vector<NewObject> objects;
  for (unsigned i = 0; i < 100; ++i)
    objects.push_back({.path = ledger_format::tile_path({.level = 0, .index = i}),
                       .content = bytes_of("tile " + std::to_string(i))});
  ASSERT_EQ(sentence(store->create(objects, Existing::refuse)), "");
  objects[70].content = bytes_of("other");
  const auto refused = store->create(objects, Existing::refuse);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().where.file, store->name_of(objects[70].path));
  for (unsigned i = 0; i < 100; ++i)
    ASSERT_EQ(read_text(*store, objects[i].path), "tile " + std::to_string(i));
}

TEST(S3Store, reads_no_more_than_it_was_told) {
  const auto store = open_store(options_for(new_bucket()));
  const std::string text(100'000, 'x');
  ASSERT_EQ(sentence(create(*store, "tile/0/000", text)), "");
  EXPECT_TRUE(store->read("tile/0/000", text.size()).has_value());
  for (const std::uint64_t max : {text.size() - 1, std::size_t{10}, std::size_t{0}}) {
    const auto refused = store->read("tile/0/000", max);
    ASSERT_FALSE(refused.has_value()) << max;
    EXPECT_EQ(refused.error().code, ErrorCode::over_limit);
    EXPECT_EQ(refused.error().where.file, store->name_of("tile/0/000"));
  }
}

TEST(S3Store, gives_out_what_lies_there_though_it_is_damaged) {
  const std::string bucket = new_bucket();
  const auto store = open_store(options_for(bucket));
  ASSERT_EQ(sentence(create(*store, "tile/0/000", "zero")), "");
  const auto headers = ask("GET", "/" + bucket + "/log/tile/0/000");
  const std::string hash = headers.header("x-amz-meta-fiducia-sha256");
  EXPECT_EQ(hash, to_hex(crypto::sha256(as_bytes("zero")).view()));
  ASSERT_EQ(ask("PUT", "/" + bucket + "/log/tile/0/000", "", {{"x-amz-meta-fiducia-sha256", hash}},
                "ZERO")
                .status,
            200U);
  EXPECT_EQ(read_text(*store, "tile/0/000"), "ZERO");  // for `ledger check` to name the tile
  const auto refused = create(*store, "tile/0/000", "zero");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::ledger_conflict);
}

// --- what an operator may get wrong -------------------------------------------------------------

struct Wrong {
  const char* name;
  std::function<void(S3Options&)> change;
  std::function<S3Credentials()> credentials;
  const char* says;
};

TEST(S3Store, says_what_is_wrong_with_keys_clock_and_bucket) {
  const std::string bucket = new_bucket();
  ASSERT_EQ(sentence(create(*open_store(options_for(bucket)), "tile/0/000", "zero")), "");
  const auto nothing = [](S3Options&) {};
  for (const Wrong& row :
       {Wrong{"secret", nothing, [] { return S3Credentials{gateway().key, "open sesame"}; },
              "403 SignatureDoesNotMatch to"},
        Wrong{"access key", nothing, [] { return S3Credentials{"SESAME", gateway().secret}; },
              "403 InvalidAccessKeyId to"},
        Wrong{"clock behind",
              [](S3Options& o) { o.clock = [] { return UnixTime{system_now().seconds - 3600}; }; },
              writer, "Set the clock of this machine"},
        Wrong{"clock ahead",
              [](S3Options& o) { o.clock = [] { return UnixTime{system_now().seconds + 3600}; }; },
              writer, "Set the clock of this machine"},
        Wrong{"bucket", [](S3Options& o) { o.bucket = "there-is-none"; }, writer,
              "Create the bucket"},
        Wrong{"rights", nothing, other, "the right to read, write and delete"},
        Wrong{"nobody listens", [](S3Options& o) { o.endpoint = "http://127.0.0.1:1"; }, writer,
              "tried 7 times"}}) {
    SCOPED_TRACE(row.name);
    S3Options options = options_for(bucket);
    row.change(options);
    const auto store = S3Store::open(options, row.credentials()).value();
    // A log that cannot be read is never an empty log.
    const auto read = store->read("tile/0/000", 100);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, ErrorCode::io_unreadable);
    EXPECT_FALSE(store->read("tile/0/none", 100).has_value());
    const std::vector<std::string> paths{"tile/0/000"};
    for (const Status& refused :
         {create(*store, "tile/0/001", "one"), create(*store, "tile/0/000", "zero"),
          store->replace("checkpoint", as_bytes("note")), store->remove(paths)}) {
      ASSERT_FALSE(refused.has_value());
      EXPECT_EQ(refused.error().code, ErrorCode::io_unwritable);
      EXPECT_THAT(sentence(refused), HasSubstr(row.says));
      EXPECT_THAT(sentence(refused), Not(HasSubstr("esame")));
      EXPECT_THAT(sentence(refused), Not(HasSubstr(gateway().secret)));
    }
  }
  const auto right = open_store(options_for(bucket));
  EXPECT_EQ(read_text(*right, "tile/0/000"), "zero");
  EXPECT_EQ(read_text(*right, "tile/0/001"), "(none)");
  EXPECT_EQ(read_text(*right, "checkpoint"), "(none)");
}

TEST(S3Store, goes_on_reading_where_it_may_not_write) {
  const std::string bucket = new_bucket();
  ASSERT_EQ(sentence(create(*open_store(options_for(bucket)), "tile/0/000", "zero")), "");
  const std::string policy = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)"
                             R"("Principal":{"AWS":["arn:aws:iam:::user/other"]},)"
                             R"("Action":["s3:GetObject","s3:ListBucket"],)"
                             R"("Resource":["arn:aws:s3:::)" +
                             bucket + R"(","arn:aws:s3:::)" + bucket + R"(/*"]}]})";
  ASSERT_LT(ask("PUT", "/" + bucket, "policy=", {}, policy).status, 300U);
  const auto store = S3Store::open(options_for(bucket), other()).value();
  EXPECT_EQ(read_text(*store, "tile/0/000"), "zero");
  EXPECT_EQ(read_text(*store, "tile/0/none"), "(none)");
  const std::vector<std::string> paths{"tile/0/000"};
  for (const Status& refused :
       {create(*store, "tile/0/001", "one"), store->replace("checkpoint", as_bytes("note")),
        store->remove(paths), create(*store, "tile/0/000", "other", Existing::replace)}) {
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::io_unwritable);
    EXPECT_THAT(sentence(refused), HasSubstr("403 AccessDenied"));
  }
  EXPECT_EQ(sentence(create(*store, "tile/0/000", "zero")), "");  // it is there: nothing to write
  EXPECT_EQ(read_text(*store, "tile/0/000"), "zero");
}

// --- Object Lock --------------------------------------------------------------------------------

TEST(S3Lock, keeps_full_tiles_from_being_deleted_and_their_first_version_from_being_lost) {
  const std::string bucket = new_bucket(true);
  S3Options options = options_for(bucket);
  options.lock_days = 10;
  const UnixTime now = system_now();
  options.clock = [now] { return now; };
  const auto store = open_store(options);
  for (const char* path : {"tile/0/000", "tile/entries/000", "tile/0/001.p/3"})
    ASSERT_EQ(sentence(create(*store, path, "first")), "");
  ASSERT_EQ(sentence(store->replace("checkpoint", as_bytes("note"))), "");
  for (const char* path : {"tile/0/000", "tile/entries/000"}) {
    SCOPED_TRACE(path);
    const std::string target = "/" + bucket + "/log/" + path;
    const auto there = ask("GET", target);
    EXPECT_EQ(there.header("x-amz-object-lock-mode"), "COMPLIANCE");
    const std::string until = there.header("x-amz-object-lock-retain-until-date");
    EXPECT_EQ(until.substr(0, 19), to_rfc3339({now.seconds + 864'000}).substr(0, 19));
    const std::string version = "versionId=" + s3_encode(there.header("x-amz-version-id"), true);
    // The owner himself, and with the right to bypass softer locks.
    for (const S3Headers& headers :
         {S3Headers{}, S3Headers{{"x-amz-bypass-governance-retention", "true"}}}) {
      const auto refused = ask("DELETE", target, version, headers);
      EXPECT_EQ(refused.status, 403U) << refused.body;
    }
    // An overwrite makes a new version; the locked one stays, and so does the next one's refusal.
    EXPECT_EQ(ask("PUT", target, "", {}, "forged").status, 200U);
    EXPECT_EQ(ask("GET", target, version).body, "first");
    EXPECT_EQ(ask("DELETE", target, version).status, 403U);
    const auto conflict = create(*store, path, "first");
    ASSERT_FALSE(conflict.has_value());
    EXPECT_EQ(conflict.error().code, ErrorCode::ledger_conflict);
  }
  // What the log removes or replaces by itself is not locked.
  for (const char* path : {"tile/0/001.p/3", "checkpoint"}) {
    SCOPED_TRACE(path);
    const std::string target = "/" + bucket + "/log/" + path;
    const auto there = ask("GET", target);
    EXPECT_EQ(there.header("x-amz-object-lock-mode"), "");
    const std::string version = "versionId=" + s3_encode(there.header("x-amz-version-id"), true);
    EXPECT_EQ(ask("DELETE", target, version).status, 204U);
  }
}

TEST(S3Lock, in_a_bucket_without_it_is_refused_with_the_reason) {
  S3Options options = options_for(new_bucket(false));
  options.lock_days = 1;
  const auto store = open_store(options);
  const auto refused = create(*store, "tile/0/000", "first");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::io_unwritable);
  EXPECT_THAT(sentence(refused), HasSubstr("Set lock_days to 0"));
  EXPECT_EQ(read_text(*store, "tile/0/000"), "(none)");
}

}  // namespace
}  // namespace fiducia::ledger_s3::test
