// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "crypto/crypto.h"
#include "http/http.h"
#include "ledger_s3/s3_signature.h"
#include "ledger_s3/s3_store.h"
#include "services/fault_proxy.h"
#include "services/radosgw.h"
#include "support/support.h"

namespace fiducia::ledger_s3::test {

/// The server of this test program.
[[nodiscard]] const fiducia::test::RadosGateway& gateway();
[[nodiscard]] S3Credentials writer();
[[nodiscard]] S3Credentials other();

/// One request past the store; `target` is "/bucket/key" (plain characters only).
struct Answer {
  unsigned status = 0;
  std::string code;  // of an error
  std::string body;
  http::Headers headers;
  /// Empty where there is none.
  [[nodiscard]] std::string header(std::string_view name) const {
    return std::string{http::find_header(headers, name).value_or("")};
  }
};
[[nodiscard]] Answer ask(const std::string& method, const std::string& target,
                         const std::string& query = "", const S3Headers& headers = {},
                         std::string_view body = "");

/// A new bucket of the writer's with a name that no other has.
[[nodiscard]] std::string new_bucket(bool with_lock = false);

/// Options for `bucket`, without pauses between tries. `endpoint` is empty for the server's own.
[[nodiscard]] S3Options options_for(const std::string& bucket, const std::string& endpoint = "");
[[nodiscard]] std::unique_ptr<S3Store> open_store(const S3Options& options);

[[nodiscard]] inline Bytes bytes_of(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}
/// What the store says is at `path`; "(none)" or the error's sentence.
[[nodiscard]] std::string read_text(const ledger::ObjectSource& store, const std::string& path);
[[nodiscard]] std::string sentence(const Status& status);

}  // namespace fiducia::ledger_s3::test
