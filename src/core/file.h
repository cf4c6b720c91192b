// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/bytes.h"

namespace fiducia {

/// Where large temporary files go: TMPDIR, else /var/tmp, as /tmp is often kept in memory.
[[nodiscard]] std::filesystem::path spool_folder();

/// A regular file mapped read-only. Movable, not copyable.
///
/// A file that somebody truncates while it is mapped would raise SIGBUS: `open` therefore copies
/// files up to `copy_bytes_max` into memory, and `install_truncation_guard` turns SIGBUS inside
/// a mapping of ours into zero bytes plus `was_truncated()`, so that a verdict fails closed.
class MappedFile {
 public:
  /// Errors: io_unreadable (missing, no permission, a folder, a device).
  [[nodiscard]] static Result<MappedFile> open(const std::filesystem::path& path);
  /// Reads `fd` to its end, up to `bytes_max`, into a file without a name in `folder`, and maps
  /// that: a stream of any length costs memory for one block. `name` stands for it in errors.
  /// Errors: io_unreadable, over_limit, io_unwritable (`folder` is full).
  [[nodiscard]] static Result<MappedFile> spool(
      int fd, std::uint64_t bytes_max, const std::filesystem::path& name,
      const std::filesystem::path& folder = spool_folder());
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  ~MappedFile();
  /// Owned by this object.
  [[nodiscard]] ByteView bytes() const { return bytes_; }
  /// Lets the kernel take back the pages of `used`, a part of bytes(), so that reading a file of
  /// 2 GiB does not keep 2 GiB resident. The bytes stay readable.
  void release(ByteView used) const;
  /// Whether the file shrank while it was mapped; what was read is then not to be trusted.
  [[nodiscard]] bool was_truncated() const;

 private:
  MappedFile() = default;
  [[nodiscard]] static Result<MappedFile> map(int fd, std::uint64_t size,
                                              const std::filesystem::path& path);
  ByteView bytes_;
  Bytes copy_;  // holds small files; empty when mapped
  void* mapping_ = nullptr;
  std::uint64_t slot_ = 0;  // in the guard's table
};

/// Reads a whole file. Errors: io_unreadable, over_limit.
[[nodiscard]] Result<Bytes> read_file(const std::filesystem::path& path, std::uint64_t bytes_max);

/// The same, or nothing where there is no such file.
[[nodiscard]] Result<std::optional<Bytes>> find_file(const std::filesystem::path& path,
                                                     std::uint64_t bytes_max);

struct WriteOptions {
  unsigned mode = 0644;      // permissions of a new file
  bool keep_mode = false;    // take owner and permissions of the file that is replaced
  bool create_only = false;  // refuse if the target exists
  /// Told of each piece once it is written, so that a mapping can give its pages back.
  std::function<void(ByteView piece)> after_piece = {};
  /// Looks at the temporary file before it takes the target's place; what it refuses is not put
  /// there. Empty: not asked.
  std::function<Status(const std::filesystem::path& written)> check = {};
};

/// Writes `parts` one after the other so that after a crash at any step the target holds the
/// whole old or the whole new content: temporary file beside it, write, fsync, rename, fsync of
/// the folder. Nothing is left behind on failure. Errors: io_unwritable, those of `check`.
[[nodiscard]] Status durable_write(const std::filesystem::path& path,
                                   std::span<const ByteView> parts,
                                   const WriteOptions& options = {});
[[nodiscard]] Status durable_write(const std::filesystem::path& path, ByteView bytes,
                                   const WriteOptions& options = {});

/// Fsyncs a folder, so that names created in it survive a crash. Errors: io_unwritable.
[[nodiscard]] Status sync_folder(const std::filesystem::path& folder);

/// An exclusive advisory lock (flock) on a file, held until destruction; the kernel drops it
/// when the process dies. Movable.
class FileLock {
 public:
  /// Waits up to `timeout_ms`. Errors: busy, io_unwritable.
  [[nodiscard]] static Result<FileLock> acquire(const std::filesystem::path& path,
                                                std::uint32_t timeout_ms);
  FileLock(FileLock&&) noexcept;
  FileLock& operator=(FileLock&&) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

/// Something below a folder that is neither listed nor entered.
struct LeftOut {
  std::filesystem::path path;
  std::string why;          // "is a linked folder"
  bool unreadable = false;  // a folder that this user may not enter
};

/// The regular files below `path` (itself, if it is one), sorted by name. Links to folders are not
/// followed, for they can lead in circles: they, folders that cannot be entered, links to nothing
/// and what is no file are named in `left_out`. Errors: io_unreadable.
[[nodiscard]] Result<std::vector<std::filesystem::path>> list_files(
    const std::filesystem::path& path, std::vector<LeftOut>* left_out = nullptr);

}  // namespace fiducia
