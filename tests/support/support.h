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

/// Whether tests take every case and not a sample: FIDUCIA_WHOLE is set (scripts/test --whole,
/// scripts/nightly).
[[nodiscard]] bool whole();

/// How often a random test draws: `usual`, and a fifth of it where a sanitizer makes each draw five
/// times as long, unless whole().
[[nodiscard]] int draws(int usual);

/// The cases of a long loop that a run takes: the very first one, and first, first + step, ...
/// `first` follows from a seed that is printed, so that each case has its turn and the same ones
/// can be taken again.
struct Sample {
  std::size_t first = 0;
  std::size_t step = 1;
  /// One in `step`, at least 1, as `seed` has it.
  [[nodiscard]] static Sample drawn(std::size_t step, std::uint64_t seed) {
    return {.first = static_cast<std::size_t>(seed % step), .step = step};
  }
  [[nodiscard]] bool takes(std::size_t index) const { return index == 0 || index % step == first; }
  /// The same, and the last one of `count`.
  [[nodiscard]] bool takes(std::size_t index, std::size_t count) const {
    return takes(index) || index + 1 == count;
  }
};
/// One case in `one_in`, and one in `one_in_sanitized` where a sanitizer makes each ten times as
/// long; every case when whole(). A test with a seed of its own gives that one.
[[nodiscard]] Sample sample(std::size_t one_in, std::size_t one_in_sanitized,
                            std::uint64_t chosen = seed());

/// Puts scratch folders into memory, for tests that make thousands of files: into
/// FIDUCIA_TEST_MEMORY (scripts/test), else TMPDIR where that is set, else /dev/shm where that is
/// to be had.
bool scratch_into_memory();

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
