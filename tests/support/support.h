// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <random>
#include <string>
#include <string_view>

#include "core/core.h"

/// What tests share: bytes from hex, seeds that are printed, scratch folders.
namespace fiducia::test {

/// Bytes of a hex literal; aborts on a typo.
[[nodiscard]] Bytes bytes(std::string_view hex);
/// FIDUCIA_SEED from the environment, else random. Put it into SCOPED_TRACE.
[[nodiscard]] std::uint64_t seed();
[[nodiscard]] Bytes random_bytes(std::mt19937_64& prng, std::size_t count);
/// Zero, one, `edge` and its neighbours, powers of two, the largest values, or uniform: where
/// off-by-one and wrap-around live.
[[nodiscard]] std::uint64_t edge_biased(std::mt19937_64& prng, std::uint64_t edge);
/// tests/data/NAME.
[[nodiscard]] std::filesystem::path data(std::string_view name);
/// NAME below the root of the source tree.
[[nodiscard]] std::filesystem::path source(std::string_view name);
/// A program that this build made.
[[nodiscard]] std::filesystem::path program(std::string_view name);

/// How often a random test draws: `usual`, and a fifth of it where a sanitizer makes each draw five
/// times as long, unless FIDUCIA_WHOLE is set (scripts/nightly). Other seeds come with each run.
[[nodiscard]] int draws(int usual);

/// Loops over every bit or place take each of them, and each seventh where a sanitizer makes a test
/// ten times as long (seven: all eight bits of a byte have their turn). The release build has no
/// such gaps.
#if defined(FIDUCIA_SANITIZED)
inline constexpr std::size_t exhaustive_step = 7;
#else
inline constexpr std::size_t exhaustive_step = 1;
#endif

/// A new empty folder, removed at the end of the test.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace fiducia::test
