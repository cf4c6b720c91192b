// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "crypto/crypto.h"

/// Who has certificates in these tests, and when.
namespace fiducia::crypto {

inline constexpr UnixTime start{1'700'000'000};
inline constexpr UnixTime middle{1'750'000'000};
inline constexpr UnixTime end{1'800'000'000};

inline CertificateRequest request(std::string name, UnixTime from = start, UnixTime to = end) {
  return {.common_name = std::move(name),
          .organization = "St. Elsewhere",
          .not_before = from,
          .not_after = to};
}

struct Party {
  PrivateKey key;
  Certificate certificate;
};

}  // namespace fiducia::crypto
