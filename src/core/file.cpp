// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "core/descriptor.h"
#include "core/limits.h"
#include "core/mutex.h"

namespace fiducia {
namespace {

/// Files up to this size are copied: one read costs less than a mapping and its page faults.
constexpr std::uint64_t copy_bytes_max = 64 << 10;

/// A stream is read in blocks of this size; one that ends within the first needs no file.
constexpr std::size_t spool_block_bytes = 1 << 20;

/// What is written at once of something that may be a mapping of gigabytes.
constexpr std::size_t piece_bytes = 8 << 20;

std::string reason(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

std::unexpected<Error> unreadable(const std::filesystem::path& path, const std::string& why) {
  return fail(ErrorCode::io_unreadable, "cannot be read: " + why + ".",
              "Check the path and its permissions.", Location{.file = path.string()});
}

// --- truncation guard -----------------------------------------------------------------------
// Reading a mapped page past the end of a file that shrank raises SIGBUS. The handler looks the
// address up in a fixed table of our mappings (async-signal-safe: atomics only), puts a page of
// zeroes there, and marks the mapping, so that the reader goes on and the verdict fails closed.
struct GuardSlot {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
  std::atomic<bool> truncated{false};
};
constexpr std::size_t guard_slots = 1024;
GuardSlot guard_table[guard_slots + 1];  // slot 0 stays unused: "not guarded"
struct sigaction previous_sigbus;

void on_sigbus(int number, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (GuardSlot& slot : guard_table) {
    const std::uintptr_t begin = slot.begin.load(std::memory_order_acquire);
    if (begin == 0 || address < begin || address >= slot.end.load(std::memory_order_acquire))
      continue;
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    void* const at = reinterpret_cast<void*>(address / page * page);
    if (mmap(at, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
      slot.truncated.store(true, std::memory_order_release);
      return;
    }
  }
  if ((previous_sigbus.sa_flags & SA_SIGINFO) != 0 && previous_sigbus.sa_sigaction != nullptr) {
    previous_sigbus.sa_sigaction(number, info, context);
    return;
  }
  sigaction(SIGBUS, &previous_sigbus, nullptr);  // not ours: let it strike again
}

std::size_t guard_mapping(const void* mapping, std::size_t length) {
  static std::once_flag installed;
  std::call_once(installed, [] {
    struct sigaction action = {};
    action.sa_sigaction = on_sigbus;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous_sigbus);
  });
  const auto begin = reinterpret_cast<std::uintptr_t>(mapping);
  for (std::size_t i = 1; i <= guard_slots; ++i) {
    std::uintptr_t expected = 0;
    GuardSlot& slot = guard_table[i];
    if (!slot.begin.compare_exchange_strong(expected, begin)) continue;
    slot.truncated.store(false);
    slot.end.store(begin + length, std::memory_order_release);
    return i;
  }
  return 0;
}

void unguard_mapping(std::size_t index) {
  if (index == 0) return;
  guard_table[index].end.store(0);
  guard_table[index].begin.store(0, std::memory_order_release);
}

std::unexpected<Error> too_large(const std::filesystem::path& path, std::uint64_t bytes_max) {
  return fail(ErrorCode::over_limit, "is larger than " + std::to_string(bytes_max) + " bytes.",
              "Split it, or give a smaller file.", Location{.file = path.string()});
}

/// What ::read says, past interruptions.
ssize_t read_some(int fd, std::span<std::byte> room) {
  ssize_t n = 0;
  do n = ::read(fd, room.data(), room.size());
  while (n < 0 && errno == EINTR);
  return n;
}

Result<Bytes> read_descriptor(int fd, std::uint64_t bytes_max, std::uint64_t expected,
                              const std::filesystem::path& path) {
  // A file that says it is too large costs no memory: a sparse one of terabytes is a few bytes.
  if (expected > bytes_max) return too_large(path, bytes_max);
  Bytes bytes;
  bytes.resize(static_cast<std::size_t>(std::min(expected + 1, bytes_max + 1)));
  std::size_t used = 0;
  for (;;) {
    if (used == bytes.size()) {
      if (used > bytes_max) return too_large(path, bytes_max);
      bytes.resize(static_cast<std::size_t>(
          std::min<std::uint64_t>(std::max<std::uint64_t>(used * 2, 64 << 10), bytes_max + 1)));
    }
    const ssize_t n = read_some(fd, std::span{bytes}.subspan(used));
    if (n < 0) return unreadable(path, reason(errno));
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  bytes.resize(used);
  if (used > bytes_max) return too_large(path, bytes_max);
  return bytes;
}

}  // namespace

// --- descriptors ----------------------------------------------------------------------------

int write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return 0;
}

std::unexpected<Error> fail_unwritable(const std::filesystem::path& path, int error_number) {
  return fail(ErrorCode::io_unwritable, "cannot be written: " + reason(error_number) + ".",
              "Check free space and the permissions of the folder.",
              Location{.file = path.string()});
}

// --- spooling -------------------------------------------------------------------------------

namespace {

/// A file in `folder` that nobody else can open, gone with its descriptor; invalid: see errno.
Descriptor open_unnamed(const std::filesystem::path& folder) {
  Descriptor fd{::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
  // Some file systems have no files without a name, old kernels do not know them.
  if (fd.valid() || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
  std::string name = (folder / "fiducia.XXXXXX").string();
  fd = Descriptor{mkostemp(name.data(), O_CLOEXEC)};
  if (fd.valid()) ::unlink(name.c_str());
  return fd;
}

std::unexpected<Error> unspoolable(const std::filesystem::path& folder, int error_number) {
  auto error = fail_unwritable(folder, error_number);
  error.error().remedy = "Let TMPDIR name a folder with room for what is read from a pipe.";
  return error;
}

}  // namespace

std::filesystem::path spool_folder() {
  if (const char* named = std::getenv("TMPDIR"); named != nullptr && *named != '\0') return named;
  return ::access("/var/tmp", W_OK | X_OK) == 0 ? "/var/tmp" : "/tmp";
}

// --- MappedFile -----------------------------------------------------------------------------

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const Descriptor fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!fd.valid()) return unreadable(path, reason(errno));
  struct stat info = {};
  if (fstat(fd.value(), &info) != 0) return unreadable(path, reason(errno));
  if (S_ISDIR(info.st_mode)) return unreadable(path, "it is a folder");
  if (!S_ISREG(info.st_mode)) return unreadable(path, "it is not a regular file");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size <= copy_bytes_max) {
    MappedFile file;
    FIDUCIA_TRY(bytes, read_descriptor(fd.value(), copy_bytes_max * 2, size, path));
    file.copy_ = std::move(bytes);
    file.bytes_ = file.copy_;
    return file;
  }
  return map(fd.value(), size, path);
}

Result<MappedFile> MappedFile::map(int fd, std::uint64_t size, const std::filesystem::path& path) {
  MappedFile file;
  // Populating up front saves a page fault every 64 KiB; past some size it would only keep
  // memory resident that release() gives back anyway.
  const int populate = size <= (16U << 20) ? MAP_POPULATE : 0;
  void* const mapping = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | populate, fd, 0);
  if (mapping == MAP_FAILED) return unreadable(path, reason(errno));
  file.mapping_ = mapping;
  file.bytes_ = {static_cast<const std::byte*>(mapping), static_cast<std::size_t>(size)};
  file.slot_ = guard_mapping(mapping, file.bytes_.size());
  return file;
}

Result<MappedFile> MappedFile::spool(int fd, std::uint64_t bytes_max,
                                     const std::filesystem::path& name,
                                     const std::filesystem::path& folder) {
  Bytes block(spool_block_bytes);
  Descriptor spooled;
  std::uint64_t size = 0;
  for (std::size_t used = 0;;) {
    const ssize_t n = read_some(fd, std::span{block}.subspan(used));
    if (n < 0) return unreadable(name, reason(errno));
    used += static_cast<std::size_t>(n);
    size += static_cast<std::uint64_t>(n);
    if (size > bytes_max) return too_large(name, bytes_max);
    if (n == 0 && size == used) {  // all of it is in the first block
      MappedFile file;
      block.resize(used);
      file.copy_ = std::move(block);
      file.bytes_ = file.copy_;
      return file;
    }
    if (n != 0 && used < block.size()) continue;
    if (!spooled.valid()) spooled = open_unnamed(folder);
    if (!spooled.valid()) return unspoolable(folder, errno);
    if (const int failed = write_all(spooled.value(), ByteView{block}.first(used)); failed != 0)
      return unspoolable(folder, failed);
    used = 0;
    if (n == 0) return map(spooled.value(), size, name);
  }
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(copy_, other.copy_);  // a vector's buffer does not move, so bytes_ stays valid
  std::swap(bytes_, other.bytes_);
  std::swap(mapping_, other.mapping_);
  std::swap(slot_, other.slot_);
  return *this;
}

MappedFile::~MappedFile() {
  unguard_mapping(slot_);
  if (mapping_ != nullptr) munmap(mapping_, bytes_.size());
}

void MappedFile::release(ByteView used) const {
  if (mapping_ == nullptr || used.empty()) return;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto base = reinterpret_cast<std::uintptr_t>(mapping_);
  const auto begin = (reinterpret_cast<std::uintptr_t>(used.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(used.data() + used.size()) / page * page;
  if (begin < base || end <= begin || end > base + bytes_.size()) return;
  if (was_truncated()) return;  // a page of zeroes must not turn back into a fault
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

bool MappedFile::was_truncated() const {
  return slot_ != 0 && guard_table[slot_].truncated.load(std::memory_order_acquire);
}

// --- whole files ----------------------------------------------------------------------------

Result<std::optional<Bytes>> find_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
  const Descriptor fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  // ENOTDIR: a part of the path above is a file, so there is nothing below it.
  if (!fd.valid() && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (!fd.valid()) return unreadable(path, reason(errno));
  struct stat info = {};
  if (fstat(fd.value(), &info) != 0) return unreadable(path, reason(errno));
  if (!S_ISREG(info.st_mode)) return unreadable(path, "it is not a regular file");
  return read_descriptor(fd.value(), bytes_max, static_cast<std::uint64_t>(info.st_size), path);
}

Result<Bytes> read_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
  FIDUCIA_TRY(found, find_file(path, bytes_max));
  if (!found) return unreadable(path, reason(ENOENT));
  return std::move(*found);
}

Status durable_write(const std::filesystem::path& path, ByteView bytes,
                     const WriteOptions& options) {
  return durable_write(path, std::span{&bytes, 1}, options);
}

Status durable_write(const std::filesystem::path& path, std::span<const ByteView> parts,
                     const WriteOptions& options) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::string temporary = (folder / ("." + path.filename().string() + ".XXXXXX")).string();
  Descriptor fd{mkostemp(temporary.data(), O_CLOEXEC)};
  if (!fd.valid()) return fail_unwritable(path, errno);
  const auto give_up = [&](Error error) -> Status {
    ::unlink(temporary.c_str());
    return std::unexpected(std::move(error));
  };
  mode_t mode = options.mode;
  struct stat old = {};
  if (options.keep_mode && stat(path.c_str(), &old) == 0) {
    mode = old.st_mode & 07777;
    // Only root can give a file away; for everybody else the new owner is right already.
    if (fchown(fd.value(), old.st_uid, old.st_gid) != 0) errno = 0;
  }
  if (fchmod(fd.value(), mode) != 0) return give_up(fail_unwritable(path, errno).error());
  for (ByteView part : parts)
    while (!part.empty()) {
      const ByteView piece = part.first(std::min(part.size(), piece_bytes));
      if (const int failed = write_all(fd.value(), piece); failed != 0)
        return give_up(fail_unwritable(path, failed).error());
      if (options.after_piece) options.after_piece(piece);
      part = part.subspan(piece.size());
    }
  if (fsync(fd.value()) != 0) return give_up(fail_unwritable(path, errno).error());
  if (!fd.close()) return give_up(fail_unwritable(path, errno).error());
  if (options.check)
    if (Status checked = options.check(temporary); !checked)
      return give_up(std::move(checked).error());
  if (options.create_only) {
    if (::link(temporary.c_str(), path.c_str()) != 0)
      return give_up(fail_unwritable(path, errno).error());
    ::unlink(temporary.c_str());
  } else if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return give_up(fail_unwritable(path, errno).error());
  }
  return sync_folder(folder);
}

Status sync_folder(const std::filesystem::path& folder) {
  const Descriptor fd{
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd.valid() || fsync(fd.value()) != 0) return fail_unwritable(folder, errno);
  return {};
}

// --- FileLock -------------------------------------------------------------------------------

Result<FileLock> FileLock::acquire(const std::filesystem::path& path, std::uint32_t timeout_ms) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail_unwritable(path, errno);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds{timeout_ms};
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      ::close(fd);
      return fail(ErrorCode::busy, "is locked by another process.",
                  "Wait until it has finished, then try again.", Location{.file = path.string()});
    }
    pause_between_tries(std::chrono::milliseconds{5});  // the kernel tells nobody
  }
  return FileLock{fd};
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

// --- folders --------------------------------------------------------------------------------

namespace {

/// Why an entry of a folder is neither a file to list nor a folder to enter; "" when it is one.
LeftOut left_out_entry(const std::filesystem::directory_entry& entry) {
  std::error_code error;
  const auto type = entry.status(error).type();
  const bool is_link = entry.is_symlink(error);
  LeftOut out{.path = entry.path(), .why = {}};
  switch (type) {
    case std::filesystem::file_type::regular:
      break;
    case std::filesystem::file_type::directory:
      if (is_link)
        out.why = "is a linked folder";
      else if (::access(entry.path().c_str(), R_OK | X_OK) != 0)
        out = {.path = entry.path(), .why = "cannot be entered", .unreadable = true};
      break;
    case std::filesystem::file_type::not_found:
      out.why = is_link ? "is a link that leads nowhere" : "is gone";
      break;
    default:
      out.why = "is not a regular file";
  }
  return out;
}

}  // namespace

Result<std::vector<std::filesystem::path>> list_files(const std::filesystem::path& path,
                                                      std::vector<LeftOut>* left_out) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error || status.type() == std::filesystem::file_type::not_found)
    return unreadable(path, error ? error.message() : "no such file or folder");
  std::vector<std::filesystem::path> files;
  if (status.type() != std::filesystem::file_type::directory) {
    files.push_back(path);
    return files;
  }
  auto it = std::filesystem::recursive_directory_iterator(
      path, std::filesystem::directory_options::skip_permission_denied, error);
  if (error) return unreadable(path, error.message());
  for (const auto end = std::filesystem::recursive_directory_iterator(); it != end;
       it.increment(error)) {
    if (error) return unreadable(path, error.message());
    std::error_code ignored;
    if (it->is_regular_file(ignored)) files.push_back(it->path());
    if (left_out == nullptr) continue;
    if (LeftOut entry = left_out_entry(*it); !entry.why.empty())
      left_out->push_back(std::move(entry));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace fiducia
