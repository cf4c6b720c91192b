// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/core.h"

namespace fiducia::ledger_s3 {

/// Who asks an S3 server. The secret is wiped at the end and never part of a message.
class S3Credentials {
 public:
  /// `session_token` is empty unless the keys are temporary ones.
  S3Credentials(std::string access_key, std::string_view secret_key, std::string session_token = {})
      : access_key_(std::move(access_key)), session_token_(std::move(session_token)) {
    append(secret_key_, as_bytes(secret_key));
  }
  S3Credentials(S3Credentials&&) noexcept = default;
  S3Credentials& operator=(S3Credentials&&) noexcept = default;
  S3Credentials(const S3Credentials&) = delete;
  S3Credentials& operator=(const S3Credentials&) = delete;
  ~S3Credentials() { wipe(secret_key_); }

  [[nodiscard]] const std::string& access_key() const { return access_key_; }
  [[nodiscard]] ByteView secret_key() const { return secret_key_; }
  [[nodiscard]] const std::string& session_token() const { return session_token_; }

 private:
  std::string access_key_;
  Bytes secret_key_;
  std::string session_token_;
};

/// Credentials as the tools of AWS keep them, section [default]: aws_access_key_id,
/// aws_secret_access_key and, for temporary keys, aws_session_token; `key = value` a line.
/// Errors: config_invalid; its text says which line or key, never a value.
[[nodiscard]] Result<S3Credentials> read_s3_credentials(std::string_view text);
/// The same from a file that others may not read. Errors: io_unreadable, config_invalid.
[[nodiscard]] Result<S3Credentials> read_s3_credentials_file(const std::filesystem::path& path);
/// From AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of the environment.
/// Errors: config_missing.
[[nodiscard]] Result<S3Credentials> s3_credentials_of_environment();

using S3Headers = std::vector<std::pair<std::string, std::string>>;

/// What is signed of a request, as it goes over the wire.
struct S3Request {
  std::string method;
  std::string host;     // with the port, where the URL has one
  std::string path;     // percent-encoded by `s3_encode`, begins with '/'
  std::string query;    // "a=b&c=", sorted by name, encoded; empty: none
  S3Headers headers;    // names in lower case, values without outer spaces; all of them are signed
  Digest payload_hash;  // SHA-256 of the body
};

/// The headers to send with `request`: its own, host left out (the transport writes it), and
/// x-amz-date, x-amz-content-sha256, x-amz-security-token, authorization.
///
/// AWS Signature Version 4 for service "s3", whole payload signed. Not by libcurl: what it was
/// found to do wrong for these requests stands in docs/operations.md (Tiles in S3).
[[nodiscard]] S3Headers sign_s3_request(const S3Request& request, const S3Credentials& credentials,
                                        std::string_view region, UnixTime now);

/// Percent-encodes all but A-Z a-z 0-9 - . _ ~ (SigV4's UriEncode), and '/' where told.
[[nodiscard]] std::string s3_encode(std::string_view text, bool encode_slash);

}  // namespace fiducia::ledger_s3
