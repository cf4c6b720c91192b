// SPDX-License-Identifier: Apache-2.0
#include "core/temporary.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "core/file.h"

namespace fiducia {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t random_characters = 6;  // that mkostemp and mkdtemp put in

bool ends_at_random(std::string_view name) {
  return name.size() > random_characters &&
         std::ranges::all_of(name.substr(name.size() - random_characters), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
         });
}

/// The paths in `folder` whose names `is_meant` is true for; none where it cannot be listed.
template <class IsMeant>
std::vector<fs::path> find_names(const fs::path& folder, IsMeant is_meant) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (is_meant(at->path().filename().string())) found.push_back(at->path());
  return found;
}

bool is_at(const Descriptor& fd, const fs::path& path) {
  struct stat open = {};
  struct stat named = {};
  return ::fstat(fd.value(), &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

Descriptor open_folder(const fs::path& path) {
  return Descriptor{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
}

/// Removes the folder of a process that is gone, if it is one.
void remove_if_left(const fs::path& path) {
  const Descriptor fd = open_folder(path);
  struct stat info = {};
  if (!fd.valid() || ::fstat(fd.value(), &info) != 0 || info.st_uid != ::geteuid()) return;
  // Whoever fills it holds the lock; with it held here nobody begins.
  if (::flock(fd.value(), LOCK_EX | LOCK_NB) != 0 || !is_at(fd, path)) return;
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace

std::string_view target_of_temporary(std::string_view name) {
  if (name.size() <= random_characters + 2 || name.front() != '.' || !ends_at_random(name) ||
      name[name.size() - random_characters - 1] != '.')
    return {};
  return name.substr(1, name.size() - random_characters - 2);
}

std::size_t remove_temporaries(const fs::path& folder,
                               const std::function<bool(std::string_view target)>& is_target) {
  std::size_t removed = 0;
  for (const fs::path& path : find_names(folder, [&](const std::string& name) {
         const std::string_view target = target_of_temporary(name);
         return !target.empty() && is_target(target);
       })) {
    struct stat info = {};
    if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != ::geteuid())
      continue;
    if (::unlink(path.c_str()) == 0) ++removed;
  }
  return removed;
}

Result<BuildFolder> BuildFolder::make(const fs::path& target) {
  const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path{"."};
  const std::string prefix = "." + target.filename().string() + ".building-";
  for (const fs::path& path : find_names(parent, [&](const std::string& name) {
         return name.size() == prefix.size() + random_characters && name.starts_with(prefix) &&
                ends_at_random(name);
       }))
    remove_if_left(path);
  for (;;) {
    std::string path = (parent / (prefix + "XXXXXX")).string();
    if (::mkdtemp(path.data()) == nullptr) return fail_unwritable(parent, errno);
    Descriptor lock = open_folder(path);
    // Where a file system has no such locks, nobody else gets one either, and what is left stays.
    const bool taken =
        lock.valid() && ::flock(lock.value(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    // Another one may have taken it for left in the moment before the lock.
    if (!taken && lock.valid() && is_at(lock, path))
      return BuildFolder{target, std::move(path), std::move(lock)};
  }
}

BuildFolder::BuildFolder(BuildFolder&& other) noexcept
    : target_(std::move(other.target_)),
      path_(std::exchange(other.path_, fs::path{})),
      lock_(std::move(other.lock_)) {}

BuildFolder::~BuildFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

int BuildFolder::move_to_place() {
  if (::rename(path_.c_str(), target_.c_str()) != 0) return errno;
  path_.clear();
  return 0;
}

}  // namespace fiducia
