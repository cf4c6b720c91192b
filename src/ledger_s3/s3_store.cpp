// SPDX-License-Identifier: Apache-2.0
#include "ledger_s3/s3_store.h"

#include <algorithm>
#include <limits>
#include <random>

#include "crypto/crypto.h"
#include "ledger_s3/s3_reply.h"

namespace fiducia::ledger_s3 {

using ledger::Existing;
using ledger::NewObject;

/// One request, whatever number of times it is sent.
struct S3Store::Call {
  std::string method;
  std::string path;        // in the log
  std::string query = {};  // of the bucket; empty: the object at `path`
  S3Headers headers = {};
  ByteView body = {};
  std::uint64_t reply_bytes_max = 0;
  ErrorCode code = ErrorCode::io_unreadable;  // of its failure
};

struct S3Store::Answer {
  S3Outcome outcome = S3Outcome::failed;
  unsigned status = 0;
  std::string code = {};  // the server's word
  std::string etag = {};
  std::string sha256 = {};  // of the object, as written beside it
  Bytes body = {};
};

namespace {

/// How often a conditional PUT is made anew after the object was found changed or gone; learning
/// how a server reads If-Match takes three.
constexpr unsigned conditional_tries = 5;
constexpr const char* hash_header = "x-amz-meta-fiducia-sha256";

bool is_full_tile(const std::string& path) {
  const auto address = ledger_format::read_tile_path(path);
  return address && address->width == 256;
}

/// What a web browser or a cache is told about an object (C2SP tlog-tiles, "APIs").
void describe(S3Headers& headers, const std::string& path) {
  const bool is_tile = path.starts_with("tile/");
  headers.emplace_back("content-type", path == "checkpoint" ? "text/plain; charset=utf-8"
                                                            : "application/octet-stream");
  headers.emplace_back("cache-control",
                       is_tile ? "public, max-age=31536000, immutable" : "no-store");
}

/// Full jitter: anything up to a bound that doubles, so that clients that failed together do not
/// come back together.
std::chrono::milliseconds backoff(unsigned attempt) {
  thread_local std::minstd_rand prng{std::random_device{}()};
  const auto bound = std::min<std::int64_t>(limits::s3_backoff_first_ms << std::min(attempt, 16U),
                                            limits::s3_backoff_ms_max);
  return std::chrono::milliseconds{std::uniform_int_distribution<std::int64_t>{1, bound}(prng)};
}

std::string times(unsigned count) { return count == 1 ? "once" : std::to_string(count) + " times"; }

std::unexpected<Error> fail_option(const std::string& what, const std::string& remedy) {
  return fail(ErrorCode::config_invalid, what + ".", remedy);
}

bool consists_of(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [others](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

Status check_options(const S3Options& options) {
  const auto scheme_end = options.endpoint.find("://");
  const std::string_view scheme = std::string_view{options.endpoint}.substr(
      0, scheme_end == std::string::npos ? 0 : scheme_end);
  if ((scheme != "https" && scheme != "http") || options.endpoint.size() <= scheme_end + 3 ||
      !consists_of(std::string_view{options.endpoint}.substr(scheme_end + 3), ".-_:[]"))
    return fail_option("the endpoint is not of the form https://host or https://host:port",
                       "Give scheme, host and port only; the bucket is named apart.");
  if (options.bucket.size() < 3 || options.bucket.size() > 63 || options.bucket.front() == '.' ||
      !consists_of(options.bucket, ".-_"))
    return fail_option("the bucket's name is not one", "Give 3 to 63 letters, digits, '.', '-'.");
  if (options.region.empty() || !consists_of(options.region, "-_"))
    return fail_option("the region is not a word like us-east-1",
                       "Give the region of the bucket; where a server has none, any word.");
  // An HTTP client takes dot segments out of a URL; the signature would then not fit.
  const std::string slashed = "/" + options.prefix + (options.prefix.ends_with('/') ? "" : "/");
  if (options.prefix.size() > limits::s3_prefix_bytes_max || options.prefix.starts_with('/') ||
      (!options.prefix.empty() && slashed.find("//") != std::string::npos) ||
      slashed.find("/./") != std::string::npos || slashed.find("/../") != std::string::npos)
    return fail_option("the prefix has an empty part, a part of dots, or a '/' at its start",
                       "Give something like hospital-a/ledger/.");
  if (options.lock_days > limits::s3_lock_days_max)
    return fail_option("lock_days is above " + std::to_string(limits::s3_lock_days_max),
                       "Give days, as many as a tile must stay.");
  if (options.attempts_max == 0 || options.parallel_max == 0 ||
      options.parallel_max > limits::s3_parallel_max)
    return fail_option("attempts_max and parallel_max are at least 1, parallel_max at most " +
                           std::to_string(limits::s3_parallel_max),
                       "Fix these numbers.");
  return {};
}

}  // namespace

S3Store::S3Store(S3Options options, S3Credentials credentials, http::Client client)
    : options_(std::move(options)),
      credentials_(std::move(credentials)),
      client_(std::move(client)) {
  if (!options_.prefix.empty() && !options_.prefix.ends_with('/')) options_.prefix += '/';
  const auto host_at = options_.endpoint.find("://") + 3;
  const std::string host = options_.endpoint.substr(host_at);
  host_ = options_.path_style ? host : options_.bucket + "." + host;
  origin_ = options_.endpoint.substr(0, host_at) + host_;
  root_ = options_.path_style ? "/" + options_.bucket + "/" : "/";
  if (!options_.pause)
    options_.pause = [](std::chrono::milliseconds time) { pause_between_tries(time); };
}

Result<std::unique_ptr<S3Store>> S3Store::open(S3Options options, S3Credentials credentials) {
  FIDUCIA_CHECK(check_options(options));
  http::Client client{{.connect_timeout_ms = options.request_timeout_ms,
                       .user_agent = "fiducia",
                       .ca_file = options.ca_file}};
  return std::unique_ptr<S3Store>{
      new S3Store{std::move(options), std::move(credentials), std::move(client)}};
}

std::string S3Store::name_of(const std::string& path) const {
  return "s3://" + options_.bucket + "/" + options_.prefix + path;
}

Result<S3Store::Answer> S3Store::send_once(const Call& call) const {
  const S3Request request{
      .method = call.method,
      .host = host_,
      .path = call.query.empty() ? root_ + s3_encode(options_.prefix + call.path, false) : root_,
      .query = call.query,
      .headers = call.headers,
      .payload_hash = crypto::sha256(call.body)};
  http::ClientRequest message;
  message.method = call.method;
  message.url = origin_ + request.path + (call.query.empty() ? "" : "?" + call.query);
  message.headers = sign_s3_request(request, credentials_, options_.region, options_.clock());
  message.body.assign(call.body.begin(), call.body.end());
  // An error document must fit, whatever the object may have.
  message.response_bytes_max = std::max(call.reply_bytes_max, limits::s3_error_bytes_max);
  message.total_timeout_ms = options_.request_timeout_ms;
  FIDUCIA_TRY(reply, client_.send(message));
  Answer answer{.status = reply.status};
  if (reply.status < 200 || reply.status >= 300) answer.code = read_s3_error_code(reply.body);
  answer.outcome = judge_s3_reply(reply.status, answer.code);
  if (const auto etag = http::find_header(reply.headers, "etag");
      etag && etag->size() <= limits::s3_etag_bytes_max)
    answer.etag = *etag;
  if (const auto hash = http::find_header(reply.headers, hash_header)) answer.sha256 = *hash;
  answer.body = std::move(reply.body);
  return answer;
}

Error S3Store::failure(const Call& call, const Answer& answer) const {
  std::string what = "the S3 server answered " + std::to_string(answer.status);
  if (!answer.code.empty()) what += " " + answer.code;
  what += " to " + call.method + ".";
  std::string remedy = s3_remedy(answer.status, answer.code);
  if (answer.status == 400 && answer.code == "InvalidRequest" && options_.lock_days > 0)
    remedy = "Set lock_days to 0, or make the bucket anew with Object Lock.";
  return {.code = call.code,
          .what = std::move(what),
          .remedy = std::move(remedy),
          .where = {.file = name_of(call.path)}};
}

/// Sends until there is an answer that stands. Errors: call.code, over_limit.
Result<S3Store::Answer> S3Store::exchange(const Call& call) const {
  Bytes damaged;
  Error last{.code = ErrorCode::internal, .what = {}};
  for (unsigned attempt = 0; attempt < options_.attempts_max; ++attempt) {
    if (attempt > 0) options_.pause(backoff(attempt - 1));
    auto answer = send_once(call);
    if (!answer) {
      last = std::move(answer).error();
      last.where.file = name_of(call.path);
      if (last.code == ErrorCode::over_limit) return std::unexpected(std::move(last));
      last.code = call.code;
      continue;
    }
    if (answer->outcome == S3Outcome::transient) {
      last = failure(call, *answer);
      continue;
    }
    if (answer->outcome == S3Outcome::failed) return std::unexpected(failure(call, *answer));
    if (answer->outcome == S3Outcome::done && !answer->sha256.empty() &&
        answer->sha256 != to_hex(crypto::sha256(answer->body).view())) {
      // Damaged on its way, or where it lies? The same bytes twice are what lies there; what they
      // are worth is for the log to say.
      if (!damaged.empty() && same_bytes(damaged, answer->body)) return answer;
      damaged = std::move(answer->body);
      last = {.code = call.code,
              .what = "the S3 server's replies are damaged on their way.",
              .remedy = "Check the network; use https.",
              .where = {.file = name_of(call.path)}};
      continue;
    }
    if (answer->outcome == S3Outcome::done && answer->body.size() > call.reply_bytes_max)
      return fail(ErrorCode::over_limit,
                  "has " + std::to_string(answer->body.size()) + " bytes, at most " +
                      std::to_string(call.reply_bytes_max) + " are expected.",
                  "Somebody else wrote this object; look into the bucket.",
                  {.file = name_of(call.path)});
    return answer;
  }
  if (last.what.ends_with('.')) last.what.pop_back();
  last.what += "; tried " + times(options_.attempts_max) + ".";
  return std::unexpected(std::move(last));
}

/// GET. Outcomes: done, absent.
Result<S3Store::Answer> S3Store::look(const std::string& path, std::uint64_t bytes_max,
                                      ErrorCode code) const {
  return exchange({.method = "GET", .path = path, .reply_bytes_max = bytes_max, .code = code});
}

/// PUT. Outcomes: done; refused and absent where a condition was given.
Result<S3Store::Answer> S3Store::put(const std::string& path, ByteView content,
                                     S3Headers conditions) const {
  S3Headers headers = std::move(conditions);
  describe(headers, path);
  const Digest hash = crypto::sha256(content);
  headers.emplace_back(hash_header, to_hex(hash.view()));
  if (options_.lock_days > 0 && is_full_tile(path)) {
    const std::int64_t seconds = std::int64_t{options_.lock_days} * 86'400;
    headers.emplace_back("x-amz-object-lock-mode", "COMPLIANCE");
    headers.emplace_back("x-amz-object-lock-retain-until-date",
                         to_rfc3339({options_.clock().seconds + seconds}));
    // AWS wants a checksum with every lock; Content-MD5 would do, but MD5 is nothing to add.
    headers.emplace_back("x-amz-checksum-sha256", to_base64(hash.view()));
  }
  return exchange({.method = "PUT",
                   .path = path,
                   .headers = std::move(headers),
                   .body = content,
                   .reply_bytes_max = limits::s3_error_bytes_max,
                   .code = ErrorCode::io_unwritable});
}

Result<std::optional<Bytes>> S3Store::read(const std::string& path, std::uint64_t bytes_max) const {
  FIDUCIA_TRY(answer, look(path, bytes_max, ErrorCode::io_unreadable));
  if (answer.outcome == S3Outcome::absent) return std::optional<Bytes>{};
  return std::optional{std::move(answer.body)};
}

/// An object is there already: the same, or other content.
Status S3Store::settle(const NewObject& object, const Answer& found, Existing existing) {
  if (same_bytes(found.body, object.content)) return {};
  if (existing == Existing::refuse)
    return fail(ErrorCode::ledger_conflict, "is there already with other content.",
                "Somebody else wrote to this bucket, or this log's own folder is older than the "
                "bucket. Do not append; compare both with a copy of the checkpoint.",
                {.file = name_of(object.path)});
  FIDUCIA_TRY(answer, put(object.path, object.content, {}));
  if (answer.outcome != S3Outcome::done)
    return std::unexpected(
        failure({.method = "PUT", .path = object.path, .code = ErrorCode::io_unwritable}, answer));
  return {};
}

Status S3Store::create_one(const NewObject& object, Existing existing) {
  // What is there may have any length, and longer is other content.
  const std::uint64_t bytes_max =
      std::max<std::uint64_t>(object.content.size(), limits::s3_object_bytes_max);
  for (unsigned attempt = 0; attempt < conditional_tries; ++attempt) {
    const bool look_first = create_only_ == CreateOnly::ignored;
    if (look_first) {
      FIDUCIA_TRY(found, look(object.path, bytes_max, ErrorCode::io_unwritable));
      if (found.outcome == S3Outcome::done) return settle(object, found, existing);
    }
    FIDUCIA_TRY(answer, put(object.path, object.content,
                            look_first ? S3Headers{} : S3Headers{{"if-none-match", "*"}}));
    if (answer.outcome == S3Outcome::done) return {};
    FIDUCIA_TRY(found, look(object.path, bytes_max, ErrorCode::io_unwritable));
    if (found.outcome == S3Outcome::done) return settle(object, found, existing);
    // Refused because of an object that is gone now: somebody removed it in between.
    options_.pause(backoff(attempt));
  }
  return fail(
      ErrorCode::io_unwritable, "the S3 server refuses this object as existing, and has none.",
      "Look for another program that writes to this bucket.", {.file = name_of(object.path)});
}

/// Writes the first object, and once more: a server that keeps `If-None-Match: *` refuses that. The
/// second time the bytes are the same, so one that ignores it does no harm.
Status S3Store::learn_rule(const NewObject& object, Existing existing) {
  const std::uint64_t bytes_max =
      std::max<std::uint64_t>(object.content.size(), limits::s3_object_bytes_max);
  FIDUCIA_TRY(found, look(object.path, bytes_max, ErrorCode::io_unwritable));
  if (found.outcome == S3Outcome::done) return settle(object, found, existing);
  const S3Headers only_new{{"if-none-match", "*"}};
  FIDUCIA_TRY(first, put(object.path, object.content, only_new));
  if (first.outcome != S3Outcome::done) {
    // Written in between: by a try of ours whose reply was lost, or by somebody else.
    create_only_ = CreateOnly::kept;
    return create_one(object, existing);
  }
  FIDUCIA_TRY(again, put(object.path, object.content, only_new));
  create_only_ = again.outcome == S3Outcome::done ? CreateOnly::ignored : CreateOnly::kept;
  return {};
}

/// Runs `work` for each index, at most `parallel_max` at the same time; none is begun after an
/// error. Returns the error of the lowest index that has one.
Status S3Store::in_parallel(std::size_t count,
                            const std::function<Status(std::size_t)>& work) const {
  std::vector<Status> results(count);
  std::atomic<bool> failed = false;
  parallel_for(count, static_cast<unsigned>(std::min<std::size_t>(count, options_.parallel_max)),
               [&](std::size_t index, unsigned) {
                 if (failed) return;
                 results[index] = work(index);
                 if (!results[index]) failed = true;
               });
  for (Status& result : results)
    if (!result) return std::move(result);
  return {};
}

Status S3Store::create(std::span<const NewObject> objects, Existing existing) {
  while (!objects.empty() && create_only_ == CreateOnly::unknown) {
    FIDUCIA_CHECK(learn_rule(objects.front(), existing));
    objects = objects.subspan(1);
  }
  return in_parallel(objects.size(),
                     [&](std::size_t index) { return create_one(objects[index], existing); });
}

S3Headers S3Store::only_in_place_of(const std::string& version, IfMatch form) {
  if (version.empty() || form == IfMatch::ignored) return {};
  if (form == IfMatch::quoted) return {{"if-match", version}};
  std::string bare = version;
  std::erase(bare, '"');
  return {{"if-match", std::move(bare)}};
}

Status S3Store::replace(const std::string& path, ByteView content) {
  // What is there as far as is known: nothing known, no object, or a version.
  std::optional<std::string> version;
  bool is_there = true;
  {
    const MutexLock lock{mutex_};
    if (const auto known = versions_.find(path); known != versions_.end()) version = known->second;
  }
  const auto remember = [&](std::string etag) {
    // What the server did not name is looked for before it is replaced.
    const MutexLock lock{mutex_};
    if (etag.empty())
      versions_.erase(path);
    else
      versions_[path] = std::move(etag);
  };
  for (unsigned attempt = 0; attempt < conditional_tries; ++attempt) {
    const IfMatch form = if_match_;
    if (version) {
      FIDUCIA_TRY(answer, put(path, content,
                              is_there ? only_in_place_of(*version, form)
                                       : S3Headers{{"if-none-match", "*"}}));
      if (answer.outcome == S3Outcome::done) {
        remember(std::move(answer.etag));
        return {};
      }
    }
    FIDUCIA_TRY(found, look(path, limits::s3_object_bytes_max, ErrorCode::io_unwritable));
    // After a try whose reply was lost this is where the content is found.
    if (found.outcome == S3Outcome::done && same_bytes(found.body, content)) {
      remember(std::move(found.etag));
      return {};
    }
    // Refused, although the version is there that was named: a server that reads If-Match otherwise
    // (Ceph 16 wants it without quotes, and in buckets with versions refuses every one).
    if (version && is_there && found.outcome == S3Outcome::done && found.etag == *version)
      if_match_ = form == IfMatch::quoted ? IfMatch::bare : IfMatch::ignored;
    is_there = found.outcome == S3Outcome::done;
    version = std::move(found.etag);
  }
  return fail(ErrorCode::io_unwritable, "changes each time that it is about to be replaced.",
              "Look for another program that writes to this bucket.", {.file = name_of(path)});
}

Status S3Store::remove(std::span<const std::string> paths) {
  return in_parallel(paths.size(), [&](std::size_t index) -> Status {
    FIDUCIA_TRY(answer, exchange({.method = "DELETE",
                                  .path = paths[index],
                                  .reply_bytes_max = limits::s3_error_bytes_max,
                                  .code = ErrorCode::io_unwritable}));
    (void)answer;
    return {};
  });
}

Status S3Store::remove_partials(const std::string& full_path) {
  const std::string folder = full_path + ".p/";
  FIDUCIA_TRY(list,
              exchange({.method = "GET",
                        .path = folder,
                        .query = "list-type=2&prefix=" + s3_encode(options_.prefix + folder, true),
                        .reply_bytes_max = limits::s3_list_bytes_max,
                        .code = ErrorCode::io_unwritable}));
  std::vector<std::string> paths;
  for (const unsigned width : read_s3_partial_widths(list.body))
    paths.push_back(folder + std::to_string(width));
  return remove(paths);
}

}  // namespace fiducia::ledger_s3
