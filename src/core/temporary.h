// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <string_view>

#include "core/descriptor.h"
#include "core/error.h"

/// What is made beside its place and moved there whole, and what a killed process leaves of it.
namespace fiducia {

/// FILE where `name` is one that durable_write gives to what becomes FILE (`.FILE.XXXXXX`); empty
/// otherwise. The name alone does not tell it from a user's `.FILE.backup`.
[[nodiscard]] std::string_view target_of_temporary(std::string_view name);

/// Removes from `folder` this user's temporary files of the targets that `is_target` is true for.
/// The caller holds the lock under which they are written, so that none of them is in use. Returns
/// how many it were; a folder that is not there has none.
std::size_t remove_temporaries(const std::filesystem::path& folder,
                               const std::function<bool(std::string_view target)>& is_target);

/// A folder that is filled beside its place, as `.NAME.building-XXXXXX`, and moved there whole. It
/// is locked (flock) while it is being filled: one that a killed process left is not, and is
/// removed by the next one that builds for the same place. Movable.
class BuildFolder {
 public:
  /// Makes an empty one, of mode 0700, in the folder that `target` is to be in. Errors:
  /// io_unwritable, which names that folder.
  [[nodiscard]] static Result<BuildFolder> make(const std::filesystem::path& target);
  BuildFolder(BuildFolder&& other) noexcept;
  BuildFolder& operator=(BuildFolder&&) = delete;
  ~BuildFolder();  // removes it, unless it has its place

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Gives it its place. Returns an errno: EEXIST, ENOTEMPTY or ENOTDIR where something is there.
  [[nodiscard]] int move_to_place();

 private:
  BuildFolder(std::filesystem::path target, std::filesystem::path path, Descriptor lock)
      : target_(std::move(target)), path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path target_;
  std::filesystem::path path_;  // empty: moved away
  Descriptor lock_;
};

}  // namespace fiducia
