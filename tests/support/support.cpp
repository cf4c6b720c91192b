// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace fiducia::test {

Bytes bytes(std::string_view hex) {
  auto result = from_hex(hex);
  FIDUCIA_ASSERT(result.has_value());
  return *result;
}

std::uint64_t seed() {
  if (const char* text = std::getenv("FIDUCIA_SEED")) return std::strtoull(text, nullptr, 0);
  return std::random_device{}();
}

namespace {

#if defined(FIDUCIA_SANITIZED)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

}  // namespace

bool whole() {
  const char* text = std::getenv("FIDUCIA_WHOLE");
  return text != nullptr && *text != '\0' && std::string_view{text} != "0";
}

int draws(int usual) { return sanitized && !whole() ? std::max(1, usual / 5) : usual; }

Sample sample(std::size_t one_in, std::size_t one_in_sanitized, std::uint64_t chosen) {
  const std::size_t step = sanitized ? one_in_sanitized : one_in;
  if (whole() || step <= 1) return {};
  std::printf("FIDUCIA_SEED=%llu takes this one in %zu of the cases; FIDUCIA_WHOLE=1 takes all\n",
              static_cast<unsigned long long>(chosen), step);
  std::fflush(stdout);  // before a test forks
  return Sample::drawn(step, chosen);
}

Bytes random_bytes(std::mt19937_64& prng, std::size_t count) {
  Bytes out(count);
  for (std::byte& b : out) b = static_cast<std::byte>(prng());
  return out;
}

std::uint64_t edge_biased(std::mt19937_64& prng, std::uint64_t edge) {
  switch (prng() % 8) {
    case 0:
      return 0;
    case 1:
      return 1;
    case 2:
      return edge;
    case 3:
      return edge + 1;
    case 4:
      return edge - 1;
    case 5:
      return std::uint64_t{1} << (prng() % 64);
    case 6:
      return ~std::uint64_t{0} - prng() % 4;
    default:
      return edge == 0 ? prng() % 16 : prng() % edge;
  }
}

std::filesystem::path data(std::string_view name) { return source("tests/data") / name; }

// Paths are compiled into this one file, so that a compiler cache serves the others in any
// checkout.
std::filesystem::path source(std::string_view name) {
  return std::filesystem::path(FIDUCIA_SOURCE) / name;
}

std::filesystem::path program(std::string_view name) {
  return std::filesystem::path(FIDUCIA_BIN) / name;
}

bool scratch_into_memory() {
  const char* given = std::getenv("FIDUCIA_TEST_MEMORY");
  if (given != nullptr) return ::setenv("TMPDIR", given, /*overwrite=*/1) == 0;
  return ::access("/dev/shm", W_OK) == 0 && ::setenv("TMPDIR", "/dev/shm", /*overwrite=*/0) == 0;
}

ScratchFolder::ScratchFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "fiducia-test-XXXXXX").string();
  FIDUCIA_ASSERT(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace fiducia::test
