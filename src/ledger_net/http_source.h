// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "core/core.h"
#include "http/http.h"
#include "ledger/ledger.h"

namespace fiducia::ledger_net {

struct HttpSourceOptions {
  unsigned attempts = 5;  // of one read; waits of 0.25, 0.5, 1, 2 seconds lie between them
  std::uint32_t timeout_ms = 60'000;  // of one attempt
  std::stop_token stop = {};          // ends waiting and reading early, with an error
  /// Waits; returns early when `stop` is requested. Tests put their own in.
  std::function<void(std::chrono::milliseconds)> wait = {};
};

/// A log behind a URL (C2SP tlog-tiles): object PATH is at `prefix`/PATH. Takes gzip. Tries again
/// after 429, 5xx and lost connections, as Retry-After says but not more than 30 seconds later.
/// Nothing that comes from there is verified here.
class HttpSource final : public ledger::ObjectSource {
 public:
  /// `prefix` with or without a slash at its end; `client` is shared.
  /// Errors: usage_invalid (no http or https URL, or one with a query or fragment).
  [[nodiscard]] static Result<std::shared_ptr<HttpSource>> make(
      std::string_view prefix, std::shared_ptr<const http::Client> client,
      HttpSourceOptions options = {});

  /// 404 and 410 mean that there is no such object.
  [[nodiscard]] Result<std::optional<Bytes>> read(const std::string& path,
                                                  std::uint64_t bytes_max) const override;
  /// Without credentials.
  [[nodiscard]] std::string name_of(const std::string& path) const override;

 private:
  HttpSource(std::string prefix, std::shared_ptr<const http::Client> client,
             HttpSourceOptions options)
      : prefix_(std::move(prefix)), client_(std::move(client)), options_(std::move(options)) {}
  [[nodiscard]] Result<http::ClientResponse> ask(const std::string& path,
                                                 std::uint64_t bytes_max) const;
  void wait(std::chrono::milliseconds time) const;

  std::string prefix_;  // ends in '/'
  std::shared_ptr<const http::Client> client_;
  HttpSourceOptions options_;
};

}  // namespace fiducia::ledger_net
