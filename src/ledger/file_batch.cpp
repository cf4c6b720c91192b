// SPDX-License-Identifier: Apache-2.0
#include "ledger/file_batch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <vector>

namespace fiducia::ledger {
namespace {

namespace fs = std::filesystem;

/// Files kept open between writing and syncing; far below the usual limit of 1,024 descriptors.
constexpr std::size_t open_files_max = 128;

std::unexpected<Error> unwritable(const fs::path& path, int error_number) {
  return fail(
      ErrorCode::io_unwritable,
      "cannot be written: " + std::error_code(error_number, std::generic_category()).message() +
          ".",
      "Check free space and the permissions of the folder.", Location{.file = path.string()});
}

/// Owns the descriptors of one group.
class OpenFiles {
 public:
  OpenFiles() = default;
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;
  ~OpenFiles() {
    for (const int fd : fds_) ::close(fd);
  }
  void add(int fd) { fds_.push_back(fd); }
  /// The index of the first that could not be synced, with errno set.
  [[nodiscard]] std::optional<std::size_t> sync() const {
    for (std::size_t i = 0; i < fds_.size(); ++i)
      if (fsync(fds_[i]) != 0) return i;
    return std::nullopt;
  }

 private:
  std::vector<int> fds_;
};

/// Makes `path` and its parents below `root`; notes every folder that gains a name.
Status make_folders(const fs::path& root, const fs::path& path, std::set<fs::path>& touched) {
  if (path == root || touched.contains(path)) return {};
  std::vector<fs::path> missing;
  for (fs::path at = path; at != root; at = at.parent_path()) {
    struct stat info = {};
    if (stat(at.c_str(), &info) == 0) break;
    missing.push_back(at);
  }
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    if (::mkdir(it->c_str(), 0777) != 0 && errno != EEXIST) return unwritable(*it, errno);
    touched.insert(it->parent_path());
  }
  return {};
}

Status write_all(int fd, ByteView bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unwritable(path, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

/// Writes one file and gives it its name, not yet durable. The temporary name is fixed: there is
/// one writer, and what a crash left behind is overwritten.
Status write_one(const fs::path& path, ByteView content, OpenFiles& open) {
  const fs::path temporary = path.parent_path() / ("." + path.filename().string() + ".new");
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return unwritable(path, errno);
  open.add(fd);
  Status written = write_all(fd, content, path);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) written = unwritable(path, errno);
  if (!written) ::unlink(temporary.c_str());
  return written;
}

Status write_group(const fs::path& folder, std::span<const NewFile> group,
                   std::set<fs::path>& touched) {
  OpenFiles open;
  for (const NewFile& file : group) {
    const fs::path path = folder / file.path;
    FIDUCIA_CHECK(make_folders(folder, path.parent_path(), touched));
    FIDUCIA_CHECK(write_one(path, file.content, open));
    touched.insert(path.parent_path());
  }
  if (const auto failed = open.sync()) return unwritable(folder / group[*failed].path, errno);
  return {};
}

}  // namespace

Status write_files(const fs::path& folder, std::span<const NewFile> files) {
  std::set<fs::path> touched;
  Status written;
  for (std::size_t at = 0; at < files.size() && written; at += open_files_max)
    written = write_group(folder, files.subspan(at, std::min(open_files_max, files.size() - at)),
                          touched);
  for (auto it = touched.begin(); it != touched.end() && written; ++it) written = sync_folder(*it);
  if (!written)
    for (const NewFile& file : files) ::unlink((folder / file.path).c_str());
  return written;
}

}  // namespace fiducia::ledger
