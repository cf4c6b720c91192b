// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>

#include "home/home.h"
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
  /// Writes an 80 x 70 image of 16 bits; `seed` makes its pixels, `uid` and `name` its header.
  /// Returns its path.
  std::filesystem::path write_image(const std::string& file, const std::string& uid, unsigned seed,
                                    const std::string& patient = "Test^Patient") const;

 private:
  ScratchFolder folder_;
};

/// The content of a file, as text.
[[nodiscard]] std::string content(const std::filesystem::path& path);

}  // namespace fiducia::test
