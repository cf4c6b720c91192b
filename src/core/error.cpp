// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"

#include <cstdio>
#include <cstdlib>

namespace fiducia {

std::string code_word(const Error& error) {
  switch (error.code) {
    case ErrorCode::io_unreadable:
      return "io.unreadable";
    case ErrorCode::io_unwritable:
      return "io.unwritable";
    case ErrorCode::usage_invalid:
      return "usage.invalid";
    case ErrorCode::config_missing:
      return "config.missing";
    case ErrorCode::config_invalid:
      return "config.invalid";
    case ErrorCode::truncated:
      return "malformed.truncated";
    case ErrorCode::malformed:
      return "malformed." + (error.kind.empty() ? "structure" : error.kind);
    case ErrorCode::over_limit:
      return "limit.reached";
    case ErrorCode::unsupported:
      return "unsupported." + (error.kind.empty() ? "feature" : error.kind);
    case ErrorCode::codec_missing:
      return "codec.missing";
    case ErrorCode::codec_failed:
      return "codec.failed";
    case ErrorCode::crypto_failed:
      return "crypto.failed";
    case ErrorCode::signature_bad:
      return "signature.bad";
    case ErrorCode::conflict:
      return "identity.conflict";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::internal:
      return "internal";
    case ErrorCode::clock_invalid:
      return "clock.invalid";
    case ErrorCode::signer_untrusted:
      return "signer.untrusted";
    case ErrorCode::signer_expired:
      return "signer.expired";
    case ErrorCode::signer_revoked:
      return "signer.revoked";
    case ErrorCode::ledger_revoked:
      return "ledger.revoked";
    case ErrorCode::store_damaged:
      return "store.damaged";
  }
  std::unreachable();
}

std::string to_sentence(const Error& error) {
  std::string text;
  if (!error.where.file.empty()) text += error.where.file + ": ";
  if (!error.where.element.empty()) text += error.where.element;
  if (error.where.offset) {
    if (!error.where.element.empty()) text += " ";
    text += "at byte " + std::to_string(*error.where.offset);
  }
  if (!error.where.element.empty() || error.where.offset) text += ": ";
  text += error.what;
  if (!error.remedy.empty()) text += " " + error.remedy;
  return text;
}

std::unexpected<Error> fail(ErrorCode code, std::string what, std::string remedy, Location where) {
  return std::unexpected(Error{.code = code,
                               .what = std::move(what),
                               .remedy = std::move(remedy),
                               .where = std::move(where),
                               .kind = {}});
}

std::unexpected<Error> fail_malformed(std::string kind, std::string what,
                                      std::optional<std::uint64_t> offset) {
  return std::unexpected(Error{.code = ErrorCode::malformed,
                               .what = std::move(what),
                               .remedy = {},
                               .where = Location{.file = {}, .element = {}, .offset = offset},
                               .kind = std::move(kind)});
}

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "fiducia: internal error: %s does not hold (%s:%d). Please report it.\n",
               condition, file, line);
  std::abort();
}

}  // namespace fiducia
