// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <utility>

#include "commands.h"
#include "home/scratch_home.h"

namespace fiducia::test {

/// A scratch home with options that name it.
class CommandHome : public ScratchHome {
 public:
  [[nodiscard]] cli::CommonOptions common(bool json = true) const {
    return {.home = home().string(), .json = json, .quiet = false};
  }
  /// Options that seal `image` into this home's store.
  [[nodiscard]] cli::SealOptions sealing(const std::filesystem::path& image) const {
    return {.common = common(),
            .paths = {image.string()},
            .device = "",
            .out = "",
            .in_place = false,
            .sidecar = false};
  }
};

/// Exit code and standard output of a call.
template <class Options>
[[nodiscard]] std::pair<int, std::string> run_captured(const Options& options);

}  // namespace fiducia::test
