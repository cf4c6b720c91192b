// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fiducia {

/// What callers branch on: each code stands for what the caller would do next. The words are
/// the JSON contract (docs/codes.md): append, never rename.
enum class ErrorCode : std::uint16_t {
  io_unreadable,     // "io.unreadable": give a readable path
  io_unwritable,     // "io.unwritable": make room or give a writable path
  usage_invalid,     // "usage.invalid": call again with other arguments
  config_missing,    // "config.missing": run `fiducia init`, or name a home
  config_invalid,    // "config.invalid": fix the file named
  truncated,         // "malformed.truncated": fetch the file again
  malformed,         // "malformed.<kind>": the bytes are not what the format allows
  over_limit,        // "limit.reached": merely big; raise the limit or split the input
  unsupported,       // "unsupported.<kind>": well formed, but not something this build can do
  codec_missing,     // "codec.missing": install the codec
  codec_failed,      // "codec.failed": the decoder refused, died or ran out of time
  crypto_failed,     // "crypto.failed": the crypto library refused; report it
  signature_bad,     // "signature.bad": a signature or proof does not verify
  conflict,          // "identity.conflict": the same identity exists with other content
  busy,              // "busy": somebody else holds the lock; retry
  internal,          // "internal": a bug of ours; report it
  clock_invalid,     // "clock.invalid": set the clock of this machine
  signer_untrusted,  // "signer.untrusted": seal with a certificate that the trust file accepts
  signer_expired,    // "signer.expired": make a new certificate
  signer_revoked,    // "signer.revoked": seal with another device
  ledger_revoked,    // "ledger.revoked": make a new ledger
  store_damaged,     // "store.damaged": restore the evidence store
  exists,            // "exists": it is there already; name another one
  home_mismatch,     // "home.mismatch": parts of a home are not of one age or house; restore them
  ledger_conflict,   // "ledger.conflict": a ledger contradicts what it said before; append nothing
};
inline constexpr ErrorCode last_error_code = ErrorCode::ledger_conflict;

/// Where it happened. Holds paths and positions only, never a value from a data set, so a
/// Location may be logged (PS3.15 Annex E lists what must not be).
struct Location {
  std::string file = {};                     // as the caller named it
  std::string element = {};                  // "(5200,9230)[3].(0020,9113)"
  std::optional<std::uint64_t> offset = {};  // bytes from the start of the file
};

/// Why no result could be reached. A tampered image is no Error: it is a verdict.
struct [[nodiscard]] Error {
  ErrorCode code;
  std::string what;         // one sentence: what was expected, what was found
  std::string remedy = {};  // one sentence: what the reader can do next
  Location where = {};
  std::string kind = {};  // refines malformed and unsupported: "nesting" gives "malformed.nesting"
};

template <class T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

/// The word of a code, without the kind of `malformed` and `unsupported`: spelt here and nowhere
/// else.
[[nodiscard]] constexpr std::string_view word(ErrorCode code) {
  switch (code) {
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
      return "malformed";
    case ErrorCode::over_limit:
      return "limit.reached";
    case ErrorCode::unsupported:
      return "unsupported";
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
    case ErrorCode::exists:
      return "exists";
    case ErrorCode::home_mismatch:
      return "home.mismatch";
    case ErrorCode::ledger_conflict:
      return "ledger.conflict";
  }
  std::unreachable();
}

/// The JSON word of an error: "io.unreadable", "malformed.nesting".
[[nodiscard]] std::string code_word(const Error& error);

/// One line for people: `file: element at byte offset: what remedy`, empty parts left out.
[[nodiscard]] std::string to_sentence(const Error& error);

/// Makes an Error to return: `return fail(ErrorCode::io_unreadable, "cannot open", "Check ...")`.
[[nodiscard]] std::unexpected<Error> fail(ErrorCode code, std::string what, std::string remedy = {},
                                          Location where = {});

/// The same for malformed bytes; `kind` is one lower-case word, `offset` counts from the start.
[[nodiscard]] std::unexpected<Error> fail_malformed(std::string kind, std::string what,
                                                    std::optional<std::uint64_t> offset = {});

/// Ends the program when our own code broke its word; no input may reach it.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace fiducia

/// States what *our* code guarantees; on in release.
#define FIDUCIA_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::fiducia::assertion_failed(#condition, __FILE__, __LINE__))

/// Unwraps a Result into `var` or returns its error (gcc 12 has std::expected, not and_then).
#define FIDUCIA_TRY(var, expr)                                        \
  auto var##_or = (expr);                                             \
  if (!var##_or) return std::unexpected(std::move(var##_or).error()); \
  auto& var = *var##_or

/// Returns the error of a Status, if there is one.
#define FIDUCIA_CHECK(expr)                                                                        \
  do {                                                                                             \
    if (auto status_or = (expr); !status_or) return std::unexpected(std::move(status_or).error()); \
  } while (false)
