// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cerrno>  // program_invocation_short_name
#include <cstdio>
#include <cstdlib>

#include "core/core.h"

/// A measurement that cannot go on says why and ends.
namespace fiducia::bench {

[[noreturn]] inline void stop(const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, why.c_str());
  std::exit(1);
}
template <class T>
T must(Result<T> result) {
  if (!result) stop(to_sentence(result.error()));
  return std::move(*result);
}
inline void must(Status status) {
  if (!status) stop(to_sentence(status.error()));
}

}  // namespace fiducia::bench
