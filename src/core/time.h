// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace fiducia {

/// Seconds since 1970-01-01T00:00:00Z (POSIX time, no leap seconds).
struct UnixTime {
  std::int64_t seconds = 0;
  auto operator<=>(const UnixTime&) const = default;
};

/// Where time comes from; tests inject their own.
using Clock = std::function<UnixTime()>;
[[nodiscard]] UnixTime system_now();

/// RFC 3339 in UTC to the second: "2026-11-24T10:00:00Z".
[[nodiscard]] std::string to_rfc3339(UnixTime time);

/// Reads RFC 3339 with "Z" or a numeric offset, or a bare date ("2026-11-24", its first second
/// in UTC). Fractions of a second are cut off. Errors: malformed (kind "time").
[[nodiscard]] Result<UnixTime> read_rfc3339(std::string_view text);

}  // namespace fiducia
