// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <utility>

#include "commands.h"
#include "home.h"
#include "support/support.h"

namespace fiducia::test {

/// A home and a folder for files, both removed at the end of the test.
class ScratchHome {
 public:
  ScratchHome();
  [[nodiscard]] std::filesystem::path home() const { return folder_.path() / "home"; }
  [[nodiscard]] std::filesystem::path path(const std::string& name) const {
    return folder_.path() / name;
  }
  /// Options that name this home.
  [[nodiscard]] app::CommonOptions common(bool json = true) const {
    return {.home = home().string(), .json = json, .quiet = false};
  }
  /// Options that seal `image` into this home's store.
  [[nodiscard]] app::SealOptions sealing(const std::filesystem::path& image) const {
    return {.common = common(),
            .paths = {image.string()},
            .device = "",
            .out = "",
            .in_place = false,
            .sidecar = false};
  }
  /// Writes an 80 x 70 image of 16 bits; `seed` makes its pixels, `uid` and `name` its header.
  /// Returns its path.
  std::filesystem::path write_image(const std::string& file, const std::string& uid, unsigned seed,
                                    const std::string& patient = "Test^Patient") const;

 private:
  ScratchFolder folder_;
};

/// Exit code and standard output of a call.
template <class Options>
[[nodiscard]] std::pair<int, std::string> run_captured(const Options& options);

/// The content of a file, as text.
[[nodiscard]] std::string content(const std::filesystem::path& path);

}  // namespace fiducia::test
