// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <concepts>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/error.h"

namespace fiducia {

/// Arithmetic on values from input: absent when the result does not fit.
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checked_add(T a, T b) {
  T out;
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checked_mul(T a, T b) {
  T out;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

/// Narrows a value that our own code knows to fit.
template <std::integral To, std::integral From>
[[nodiscard]] constexpr To narrow(From value) {
  FIDUCIA_ASSERT(std::in_range<To>(value));
  return static_cast<To>(value);
}

}  // namespace fiducia
