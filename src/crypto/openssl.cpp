// SPDX-License-Identifier: Apache-2.0
#include "crypto/openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <array>
#include <utility>

namespace fiducia::crypto {
namespace {

const EVP_MD* fetch(const char* name) {
  start_openssl();
  const EVP_MD* md = EVP_MD_fetch(nullptr, name, nullptr);
  FIDUCIA_ASSERT(md != nullptr);  // the default provider is part of libcrypto
  return md;
}

}  // namespace

void start_openssl() {
  static const int started = OPENSSL_init_crypto(
      OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, nullptr);
  FIDUCIA_ASSERT(started == 1);
}

// Kept for the life of the process: freeing them at exit would race with OpenSSL's own clean-up.
const EVP_MD* fetched_sha256() {
  static const EVP_MD* const md = fetch("SHA256");
  return md;
}
const EVP_MD* fetched_sha384() {
  static const EVP_MD* const md = fetch("SHA384");
  return md;
}

std::unexpected<Error> fail_crypto(std::string what) {
  std::array<char, 160> reason{};
  if (const unsigned long code = ERR_peek_last_error(); code != 0) {
    // Numbers and fixed strings of OpenSSL only; never data.
    ERR_error_string_n(code, reason.data(), reason.size());
    what.append(" (").append(reason.data()).append(")");
  }
  ERR_clear_error();
  return fail(ErrorCode::crypto_failed, std::move(what),
              "Report this together with the version of OpenSSL.");
}

void forget_openssl_errors() { ERR_clear_error(); }

}  // namespace fiducia::crypto
