// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/core.h"
#include "http/http.h"
#include "ledger/ledger.h"
#include "ledger_s3/s3_signature.h"

namespace fiducia::ledger_s3 {

struct S3Options {
  std::string endpoint;              // "https://s3.example.org" or "http://127.0.0.1:7480"
  std::string region = "us-east-1";  // Ceph takes any
  std::string bucket;
  std::string prefix = {};  // "hospital-a/ledger/"; empty: the log is at the top of the bucket
  bool path_style = true;   // https://host/bucket/key; else https://bucket.host/key
  /// Full tiles are locked for so many days (S3 Object Lock, mode COMPLIANCE): nobody can delete or
  /// replace such a version before. 0: not at all. The bucket must have been made for it.
  std::uint32_t lock_days = 0;
  std::string ca_file = {};  // PEM; empty: the system's certificate authorities
  std::uint32_t request_timeout_ms = 10'000;
  /// How often one request is tried, with growing pauses between (`pause`).
  unsigned attempts_max = 7;
  unsigned parallel_max = 8;  // requests at the same time
  Clock clock = system_now;
  /// Waits between two attempts; tests put their own here.
  std::function<void(std::chrono::milliseconds)> pause = {};
};

/// A log's tiles in an S3 bucket. What `create` wrote is never overwritten by it: `If-None-Match:
/// *` makes the server refuse that, and where the first write shows that a server does not keep
/// this rule (Ceph 16 in buckets with versions), each object is looked for before it is written. A
/// PUT is durable when it is answered, so `sync` has nothing to do.
///
/// Every request is tried again after failures of network and server, with exponential pauses and
/// jitter. All requests may be repeated without harm: a `create` that is refused because an earlier
/// try went through finds its own bytes, and `replace` names the version that it replaces
/// (`If-Match`), so that a request delayed in the network cannot undo a later one; only where a
/// server refuses every such PUT (Ceph 16 in buckets with versions) that is given up.
///
/// The bucket can be the public side of the log: content types are those of tlog-tiles, tiles are
/// marked immutable, `checkpoint` no-store. The SHA-256 of each object lies beside it as metadata,
/// by which a reply damaged on its way is told from an object that is damaged.
class S3Store final : public ledger::ObjectStore {
 public:
  /// Checks the options; makes no request. Errors: config_invalid.
  [[nodiscard]] static Result<std::unique_ptr<S3Store>> open(S3Options options,
                                                             S3Credentials credentials);

  [[nodiscard]] Result<std::optional<Bytes>> read(const std::string& path,
                                                  std::uint64_t bytes_max) const override;
  [[nodiscard]] std::string name_of(const std::string& path) const override;
  [[nodiscard]] Status create(std::span<const ledger::NewObject> objects,
                              ledger::Existing existing) override;
  [[nodiscard]] Status replace(const std::string& path, ByteView content) override;
  [[nodiscard]] Status remove(std::span<const std::string> paths) override;
  /// Asks for a list of them, which needs the right s3:ListBucket.
  [[nodiscard]] Status remove_partials(const std::string& full_path) override;
  [[nodiscard]] Status sync() override { return {}; }

 private:
  struct Call;
  struct Answer;
  /// Whether the server refuses a PUT with `If-None-Match: *` where an object is.
  enum class CreateOnly : std::uint8_t { unknown, kept, ignored };
  /// How the server wants to be told the version that a PUT may replace.
  enum class IfMatch : std::uint8_t { quoted, bare, ignored };

  S3Store(S3Options options, S3Credentials credentials, http::Client client);
  [[nodiscard]] Result<Answer> exchange(const Call& call) const;
  [[nodiscard]] Result<Answer> send_once(const Call& call) const;
  [[nodiscard]] Error failure(const Call& call, const Answer& answer) const;
  [[nodiscard]] Result<Answer> look(const std::string& path, std::uint64_t bytes_max,
                                    ErrorCode code) const;
  [[nodiscard]] Result<Answer> put(const std::string& path, ByteView content,
                                   S3Headers conditions) const;
  [[nodiscard]] Status create_one(const ledger::NewObject& object, ledger::Existing existing);
  [[nodiscard]] Status settle(const ledger::NewObject& object, const Answer& found,
                              ledger::Existing existing);
  [[nodiscard]] Status learn_rule(const ledger::NewObject& object, ledger::Existing existing);
  [[nodiscard]] static S3Headers only_in_place_of(const std::string& version, IfMatch form);
  [[nodiscard]] Status in_parallel(std::size_t count,
                                   const std::function<Status(std::size_t)>& work) const;

  S3Options options_;
  S3Credentials credentials_;
  http::Client client_;  // thread-safe
  std::string host_;     // as signed
  std::string root_;     // encoded path of the bucket: "/bucket/"
  std::string origin_;   // URL before the path
  std::atomic<CreateOnly> create_only_ = CreateOnly::unknown;
  std::atomic<IfMatch> if_match_ = IfMatch::quoted;
  Mutex mutex_;
  // ETag of what `replace` wrote last.
  std::map<std::string, std::string> versions_ FIDUCIA_GUARDED_BY(mutex_);
};

}  // namespace fiducia::ledger_s3
