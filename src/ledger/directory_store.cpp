// SPDX-License-Identifier: Apache-2.0
#include "ledger/object_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/descriptor.h"
#include "ledger_format/tree.h"

namespace fiducia::ledger {
namespace {

namespace fs = std::filesystem;

constexpr mode_t tile_mode = 0444;          // written once
constexpr mode_t replaced_mode = 0644;      // the checkpoint
constexpr std::uint64_t compare_slack = 1;  // one byte more tells a longer file

/// Makes `folder` and its parents. Returns an errno.
int make_folders(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0777) == 0 || errno == EEXIST) return 0;
  if (errno != ENOENT || !folder.has_parent_path()) return errno;
  if (const int failed = make_folders(folder.parent_path()); failed != 0) return failed;
  return ::mkdir(folder.c_str(), 0777) == 0 || errno == EEXIST ? 0 : errno;
}

/// A file with its whole content under a name nobody looks for. Returns an errno.
int write_beside(const fs::path& target, ByteView content, mode_t mode, std::string& temporary) {
  temporary = (target.parent_path() / ("." + target.filename().string() + ".XXXXXX")).string();
  const Descriptor fd{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (!fd.valid()) return errno;
  int failed = write_all(fd.value(), content);
  if (failed == 0 && ::fchmod(fd.value(), mode) != 0) failed = errno;
  if (failed != 0) ::unlink(temporary.c_str());
  return failed;
}

/// Gives a new file its name only once it is whole, and never in place of another. Returns an
/// errno: EEXIST when the name is taken.
int link_new(const fs::path& target, ByteView content) {
  // Without a name until then: a killed process leaves nothing behind.
  const Descriptor fd{
      ::open(target.parent_path().c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, tile_mode)};
  if (fd.valid()) {
    if (const int failed = write_all(fd.value(), content); failed != 0) return failed;
    const std::string self = "/proc/self/fd/" + std::to_string(fd.value());
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, target.c_str(), AT_SYMLINK_FOLLOW) == 0)
      return 0;
    if (errno != ENOENT && errno != EOPNOTSUPP) return errno;  // ENOENT: no /proc here
  } else if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
    return errno;
  }
  std::string temporary;
  if (const int failed = write_beside(target, content, tile_mode, temporary); failed != 0)
    return failed;
  const int failed = ::link(temporary.c_str(), target.c_str()) == 0 ? 0 : errno;
  ::unlink(temporary.c_str());
  return failed;
}

int replace_file(const fs::path& target, ByteView content, mode_t mode) {
  std::string temporary;
  if (const int failed = write_beside(target, content, mode, temporary); failed != 0) return failed;
  if (::rename(temporary.c_str(), target.c_str()) == 0) return 0;
  const int failed = errno;
  ::unlink(temporary.c_str());
  return failed;
}

}  // namespace

Status ObjectStore::remove_partials(const std::string& full_path) {
  std::vector<std::string> paths;
  for (std::size_t width = 1; width < ledger_format::tile_width; ++width)
    paths.push_back(full_path + ".p/" + std::to_string(width));
  return remove(paths);
}

Result<std::optional<Bytes>> DirectoryStore::read(const std::string& path,
                                                  std::uint64_t bytes_max) const {
  auto found = find_file(folder_ / path, bytes_max);
  if (!found) found.error().where.file = path;
  return found;
}

std::string DirectoryStore::name_of(const std::string& path) const {
  return (folder_ / path).string();
}

Status DirectoryStore::create(std::span<const NewObject> objects, Existing existing) {
  for (const NewObject& object : objects) {
    const fs::path target = folder_ / object.path;
    int failed = link_new(target, object.content);
    if (failed == ENOENT) {
      failed = make_folders(target.parent_path());
      if (failed == 0) failed = link_new(target, object.content);
    }
    if (failed == 0) continue;
    if (failed != EEXIST) return fail_unwritable(object.path, failed);
    const auto present = read(object.path, object.content.size() + compare_slack);
    if (present && *present && same_bytes(**present, object.content)) continue;
    if (existing == Existing::refuse)
      return fail(
          ErrorCode::ledger_conflict, "is there already with other content.",
          "Somebody else writes to this ledger, or the file was tampered with: run `fiducia "
          "ledger check`.",
          Location{.file = object.path});
    failed = replace_file(target, object.content, tile_mode);
    if (failed != 0) return fail_unwritable(object.path, failed);
  }
  return {};
}

Status DirectoryStore::replace(const std::string& path, ByteView content) {
  const int failed = replace_file(folder_ / path, content, replaced_mode);
  return failed == 0 ? Status{} : Status{fail_unwritable(path, failed)};
}

Status DirectoryStore::remove(std::span<const std::string> paths) {
  for (const std::string& path : paths) {
    const fs::path target = folder_ / path;
    if (::unlink(target.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR)
      return fail_unwritable(path, errno);
  }
  return {};
}

Status DirectoryStore::remove_partials(const std::string& full_path) {
  std::error_code error;
  fs::remove_all(folder_ / (full_path + ".p"), error);
  return error ? Status{fail_unwritable(full_path + ".p", error.value())} : Status{};
}

Status DirectoryStore::sync() {
  const Descriptor fd{::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd.valid() || ::syncfs(fd.value()) != 0) return fail_unwritable(".", errno);
  return {};
}

}  // namespace fiducia::ledger
