// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

/// What fuzz targets share. `FIDUCIA_FUZZ_TARGET(cbor) { ... }` defines the target `cbor` over
/// `data` and `size`: libFuzzer's entry where one program is one target (scripts/fuzz), else one
/// entry of the program that runs all corpora as tests (corpus_main.cpp).
namespace fiducia::fuzz {

/// Ends the program where a rule does not hold, so that the input is kept.
inline void require(bool condition, const char* rule = "(see the trace)") {
  if (condition) return;
  std::fprintf(stderr, "broken rule: %s\n", rule);
  std::abort();
}

using Target = int (*)(const std::uint8_t* data, std::size_t size);

/// Adds a target to the list of the corpus program, before its main starts.
struct Registration {
  Registration(const char* name, Target target);
};

}  // namespace fiducia::fuzz

#if defined(FIDUCIA_FUZZ_CORPUS)
#define FIDUCIA_FUZZ_TARGET(name)                                               \
  static int fuzz_##name(const std::uint8_t* data, std::size_t size);           \
  static const fiducia::fuzz::Registration register_##name{#name, fuzz_##name}; \
  static int fuzz_##name(const std::uint8_t* data, std::size_t size)
#else
#define FIDUCIA_FUZZ_TARGET(name) \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
#endif
