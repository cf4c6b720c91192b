// SPDX-License-Identifier: Apache-2.0
#include "ledger_s3/s3_reply.h"

#include <algorithm>
#include <array>

namespace fiducia::ledger_s3 {

std::string read_s3_error_code(ByteView body) {
  constexpr std::string_view start = "<Code>";
  // Honest error documents have some 300 bytes, the code at their start.
  const std::string_view text = as_text(body.first(std::min(body.size(), std::size_t{4096})));
  const auto at = text.find(start);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + start.size());
  const std::string_view code = rest.substr(0, rest.find('<'));
  if (code.size() == rest.size() || code.size() > 64) return {};
  const bool is_word = std::ranges::all_of(code, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
  return is_word ? std::string{code} : std::string{};
}

std::vector<unsigned> read_s3_partial_widths(ByteView body) {
  constexpr std::string_view start = ".p/";
  constexpr std::string_view end = "</Key>";
  std::array<bool, 256> seen{};
  std::string_view text = as_text(body);
  for (auto at = text.find(start); at != std::string_view::npos; at = text.find(start)) {
    text.remove_prefix(at + start.size());
    unsigned width = 0;
    std::size_t digits = 0;
    while (digits < 3 && digits < text.size() && text[digits] >= '0' && text[digits] <= '9')
      width = width * 10 + static_cast<unsigned>(text[digits++] - '0');
    const bool is_width = digits > 0 && text.front() != '0' && width < seen.size();
    if (is_width && text.substr(digits).starts_with(end)) seen[width] = true;
  }
  std::vector<unsigned> widths;
  for (unsigned width = 1; width < seen.size(); ++width)
    if (seen[width]) widths.push_back(width);
  return widths;
}

S3Outcome judge_s3_reply(unsigned status, std::string_view code) {
  if (status >= 200 && status < 300) return S3Outcome::done;
  if (status == 412) return S3Outcome::refused;
  // Only the server's own word counts: a bucket that is missing, or a proxy in between that answers
  // 404, must not look like an empty log.
  if (status == 404 && code == "NoSuchKey") return S3Outcome::absent;
  if (status == 404 && code == "NoSuchBucket") return S3Outcome::failed;
  if (status == 404) return S3Outcome::transient;  // it came from somebody else, or damaged
  if (status == 408 || status == 429 || (status >= 500 && status != 501))
    return S3Outcome::transient;
  // A request that was damaged or cut on its way, or met another one at the same object.
  constexpr std::array<std::string_view, 8> again{"BadDigest",      "ConditionalRequestConflict",
                                                  "IncompleteBody", "OperationAborted",
                                                  "RequestTimeout", "SlowDown",
                                                  "Throttling",     "XAmzContentSHA256Mismatch"};
  if (std::ranges::find(again, code) != again.end()) return S3Outcome::transient;
  return S3Outcome::failed;
}

std::string s3_remedy(unsigned status, std::string_view code) {
  if (code == "SignatureDoesNotMatch")
    return "Check the secret key in the credentials, and the region.";
  if (code == "InvalidAccessKeyId") return "Check the access key in the credentials.";
  if (code == "RequestTimeTooSkewed")
    return "Set the clock of this machine: it and the server's differ by more than 15 minutes.";
  if (code == "ExpiredToken" || code == "InvalidToken") return "Get new temporary credentials.";
  if (code == "NoSuchBucket") return "Create the bucket, or fix its name in the configuration.";
  if (code == "AccessDenied")
    return "Give the owner of the access key the right to read, write and delete objects there.";
  if (code == "QuotaExceeded" || status == 507) return "Make room: the quota is used up.";
  if (code == "AuthorizationHeaderMalformed" || status == 301 || status == 307)
    return "Check endpoint and region: the bucket is elsewhere.";
  if (status == 501)
    return "Use a server that knows conditional writes (If-None-Match and If-Match on PUT).";
  if (status == 429 || status >= 500) return "Try again later; the server is overloaded or broken.";
  return "Look into the server's log.";
}

}  // namespace fiducia::ledger_s3
