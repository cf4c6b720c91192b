// SPDX-License-Identifier: Apache-2.0
#include "ledger_s3/s3_signature.h"

#include <algorithm>
#include <cstdlib>

#include "crypto/crypto.h"

namespace fiducia::ledger_s3 {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

/// "20130524T000000Z" (ISO 8601 basic).
std::string amz_date(UnixTime now) {
  std::string text = to_rfc3339(now);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

Digest hmac(ByteView key, std::string_view text) {
  return crypto::hmac_sha256(key, as_bytes(text));
}

/// One key a day, region and service: HMAC over each in turn.
Digest signing_key(const S3Credentials& credentials, std::string_view day,
                   std::string_view region) {
  Bytes secret;
  append(secret, as_bytes("AWS4"));
  append(secret, credentials.secret_key());
  Digest key = hmac(secret, day);
  wipe(secret);
  for (const std::string_view part :
       {region, std::string_view{"s3"}, std::string_view{"aws4_request"}}) {
    Digest next = hmac(key.view(), part);
    wipe(key.bytes);
    key = next;
    wipe(next.bytes);
  }
  return key;
}

constexpr std::string_view blanks = " \t\r";

/// Keys go into headers: visible ASCII only.
bool is_key_text(std::string_view text) {
  return !text.empty() && text.size() <= limits::s3_key_bytes_max &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

Result<S3Credentials> checked_credentials(std::string_view access_key, std::string_view secret_key,
                                          std::string_view token) {
  if (access_key.empty() || secret_key.empty())
    return fail(ErrorCode::config_invalid,
                access_key.empty() ? "has no aws_access_key_id in section [default]."
                                   : "has no aws_secret_access_key in section [default].",
                "Write both keys there, a line `name = value` each.");
  if (!is_key_text(access_key) || !is_key_text(secret_key) ||
      (!token.empty() && !is_key_text(token)))
    return fail(ErrorCode::config_invalid,
                "has a key with blanks, other strange characters, or "
                "of more than 4096 bytes.",
                "Copy the keys anew from where they were made.");
  return S3Credentials{std::string{access_key}, secret_key, std::string{token}};
}

}  // namespace

Result<S3Credentials> read_s3_credentials(std::string_view text) {
  std::string_view access_key;
  std::string_view secret_key;
  std::string_view token;
  bool in_default = false;
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end), blanks);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      in_default = line == "[default]";
      continue;
    }
    if (!in_default) continue;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos)
      return fail(ErrorCode::config_invalid,
                  "line " + std::to_string(line_number) + " is not `name = value`.",
                  "Fix that line.");
    const std::string_view name = trimmed(line.substr(0, equals), blanks);
    const std::string_view value = trimmed(line.substr(equals + 1), blanks);
    if (name == "aws_access_key_id") access_key = value;
    if (name == "aws_secret_access_key") secret_key = value;
    if (name == "aws_session_token") token = value;
  }
  return checked_credentials(access_key, secret_key, token);
}

Result<S3Credentials> read_s3_credentials_file(const std::filesystem::path& path) {
  const auto placed = [&path](Error error) {
    error.where.file = path.string();
    return std::unexpected(std::move(error));
  };
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!code &&
      (status.permissions() & std::filesystem::perms::others_read) != std::filesystem::perms::none)
    return placed(
        {.code = ErrorCode::config_invalid,
         .what = "holds a secret that everybody on this machine may read.",
         .remedy = "Take the right away from others (chmod o-r), and think of new keys."});
  FIDUCIA_TRY(content, read_file(path, limits::s3_credentials_bytes_max));
  auto credentials = read_s3_credentials(as_text(content));
  wipe(content);
  if (!credentials) return placed(std::move(credentials).error());
  return credentials;
}

Result<S3Credentials> s3_credentials_of_environment() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string_view{value != nullptr ? value : ""};
  };
  const std::string_view access_key = variable("AWS_ACCESS_KEY_ID");
  const std::string_view secret_key = variable("AWS_SECRET_ACCESS_KEY");
  if (access_key.empty() || secret_key.empty())
    return fail(ErrorCode::config_missing,
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set.",
                "Set them, or name a file of credentials.");
  return checked_credentials(access_key, secret_key, variable("AWS_SESSION_TOKEN"));
}

std::string s3_encode(std::string_view text, bool encode_slash) {
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || (c == '/' && !encode_slash);
    if (plain) {
      encoded += c;
      continue;
    }
    encoded += '%';
    append_hex(encoded, static_cast<unsigned char>(c), 2, HexCase::upper);
  }
  return encoded;
}

S3Headers sign_s3_request(const S3Request& request, const S3Credentials& credentials,
                          std::string_view region, UnixTime now) {
  const std::string date = amz_date(now);
  const std::string_view day = std::string_view{date}.substr(0, 8);
  S3Headers headers = request.headers;
  headers.emplace_back("x-amz-date", date);
  headers.emplace_back("x-amz-content-sha256", to_hex(request.payload_hash.view()));
  if (!credentials.session_token().empty())
    headers.emplace_back("x-amz-security-token", credentials.session_token());

  S3Headers signed_headers = headers;
  signed_headers.emplace_back("host", request.host);
  std::ranges::sort(signed_headers);
  std::string names;
  std::string canonical = request.method + "\n" + request.path + "\n" + request.query + "\n";
  for (const auto& [name, value] : signed_headers) {
    canonical += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += "\n" + names + "\n" + to_hex(request.payload_hash.view());

  const std::string scope = std::string{day} + "/" + std::string{region} + "/s3/aws4_request";
  const std::string to_sign = std::string{algorithm} + "\n" + date + "\n" + scope + "\n" +
                              to_hex(crypto::sha256(as_bytes(canonical)).view());
  Digest key = signing_key(credentials, day, region);
  const Digest signature = hmac(key.view(), to_sign);
  wipe(key.bytes);
  headers.emplace_back("authorization", std::string{algorithm} +
                                            " Credential=" + credentials.access_key() + "/" +
                                            scope + ", SignedHeaders=" + names +
                                            ", Signature=" + to_hex(signature.view()));
  return headers;
}

}  // namespace fiducia::ledger_s3
