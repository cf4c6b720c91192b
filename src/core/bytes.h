// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <bit>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace fiducia {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;  // borrowed; the owner is named where it is returned

/// Text as bytes and back, without copying.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline bool same_bytes(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}
inline void append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

/// A 32-byte hash value (SHA-256, FIPS 180-4).
struct Digest {
  std::array<std::byte, 32> bytes{};
  [[nodiscard]] ByteView view() const { return bytes; }
  auto operator<=>(const Digest&) const = default;
};

/// Absent unless `bytes` are 32.
[[nodiscard]] inline std::optional<Digest> digest_from_bytes(ByteView bytes) {
  Digest digest;
  if (bytes.size() != digest.bytes.size()) return std::nullopt;
  std::memcpy(digest.bytes.data(), bytes.data(), bytes.size());
  return digest;
}
/// Digests one behind the other; absent unless `bytes` are a multiple of 32.
[[nodiscard]] inline std::optional<std::vector<Digest>> digests_from_bytes(ByteView bytes) {
  static_assert(sizeof(Digest) == 32);
  if (bytes.size() % sizeof(Digest) != 0) return std::nullopt;
  std::vector<Digest> digests(bytes.size() / sizeof(Digest));
  if (!bytes.empty()) std::memcpy(digests.data(), bytes.data(), bytes.size());
  return digests;
}

/// Unsigned integers from and to bytes at `p`, which must hold sizeof(T) bytes.
template <std::unsigned_integral T>
[[nodiscard]] inline T load_le(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  return value;
}
template <std::unsigned_integral T>
[[nodiscard]] inline T load_be(const std::byte* p) {
  return std::byteswap(load_le<T>(p));
}
template <std::unsigned_integral T>
inline void store_le(std::byte* p, T value) {
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  std::memcpy(p, &value, sizeof value);
}
template <std::unsigned_integral T>
inline void store_be(std::byte* p, T value) {
  store_le(p, std::byteswap(value));
}
template <std::unsigned_integral T>
inline void append_be(Bytes& to, T value) {
  std::array<std::byte, sizeof(T)> b;
  store_be(b.data(), value);
  append(to, b);
}
template <std::unsigned_integral T>
inline void append_le(Bytes& to, T value) {
  std::array<std::byte, sizeof(T)> b;
  store_le(b.data(), value);
  append(to, b);
}

/// RFC 4648 section 4 with padding. `from_base64` refuses line breaks, missing padding and
/// stray bits, so that each value has exactly one spelling.
[[nodiscard]] std::string to_base64(ByteView bytes);
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);
/// Absent unless `text` is base64 of 32 bytes.
[[nodiscard]] std::optional<Digest> digest_from_base64(std::string_view text);

/// Overwrites secrets in a way the compiler keeps.
void wipe(std::span<std::byte> secret);

/// A read position in borrowed bytes that cannot leave them.
///
/// Invariant: a read succeeds and advances, or fails and leaves the position unchanged; so an
/// error's offset is where the bad field starts. Thread safety: one cursor, one thread.
class ByteCursor {
 public:
  /// `bytes` must outlive the cursor and every span taken from it. `origin` is the offset of
  /// bytes[0] from the start of the file, in bytes.
  explicit ByteCursor(ByteView bytes, std::uint64_t origin = 0) : rest_(bytes), origin_(origin) {}
  [[nodiscard]] std::uint64_t offset() const { return origin_; }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
  [[nodiscard]] ByteView rest() const { return rest_; }

  /// Takes the next `length_bytes`. Errors: truncated.
  [[nodiscard]] Result<ByteView> take(std::uint64_t length_bytes) {
    if (length_bytes > rest_.size()) return std::unexpected(truncated(length_bytes));
    const ByteView taken = rest_.first(static_cast<std::size_t>(length_bytes));
    rest_ = rest_.subspan(taken.size());
    origin_ += taken.size();
    return taken;
  }
  /// Reads an unsigned integer. Errors: truncated.
  template <std::unsigned_integral T>
  [[nodiscard]] Result<T> le() {
    FIDUCIA_TRY(bytes, take(sizeof(T)));
    return load_le<T>(bytes.data());
  }
  template <std::unsigned_integral T>
  [[nodiscard]] Result<T> be() {
    FIDUCIA_TRY(bytes, take(sizeof(T)));
    return load_be<T>(bytes.data());
  }

 private:
  [[nodiscard]] Error truncated(std::uint64_t length_bytes) const;
  ByteView rest_;
  std::uint64_t origin_;  // grows as rest_ shrinks
};

}  // namespace fiducia
