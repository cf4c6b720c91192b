// SPDX-License-Identifier: Apache-2.0
// A disk that fails where a test wants it to. Test only, loaded with LD_PRELOAD.
//
// Counts the calls that change files below one folder: open to write, write, rename, link, unlink,
// mkdir, rmdir, truncate, allocate, and every sync. At the calls that FIDUCIA_FAULT_PLAN names
// something goes wrong. A plan is a list "KIND@FIRST[-[LAST]]", separated by commas, where FIRST
// counts from 1; "@7" is call 7 alone, "@7-" all from 7 on, "@7-12" six of them. Kinds:
//
//   eio      the call fails with EIO; a sync that fails has lost what it should have saved (as the
//            kernel marks the pages clean, a later sync that succeeds does not bring them back)
//   enospc   a call that needs space fails with ENOSPC: a new name, bytes past a file's end,
//            fallocate. Alone ("@7") whatever the call is, for fsync may say so as well
//   erofs    the call fails with EROFS
//   short    a write writes half of what it was given
//   kill     the process dies before the call          killed   ... after it
//   torn     the process dies in the middle of a write
//   cut      power is cut before the call               cutoff   ... after it
//
// Power cut: the process dies, and of what was not yet durable the disk keeps what a random
// choice (FIDUCIA_FAULT_SEED) leaves. Durable is what POSIX promises and no more: bytes and size
// of a file after fsync or fdatasync of it, names after fsync of their folder, everything after
// syncfs. Bytes not durable: old, new, zero or garbage for each sector of 512 bytes (garbage only
// where something was written: bytes beside it in a sector are safe on today's disks); a size
// not durable: old, new or between. Names not durable: each change is kept or undone, but never
// without the changes of the same name before it.
//
//   FIDUCIA_FAULT_FOLDER   absolute path; calls elsewhere pass
//   FIDUCIA_FAULT_GRAVES   a folder on the same file system, outside of that folder, for files
//                          that were unlinked or replaced and may have to come back
//   FIDUCIA_FAULT_BOOT     what the program reads as the machine's boot id, if set: after a power
//   cut
//                          the machine has another one
//   FIDUCIA_FAULT_REPORT   a file; gets a line for each fault that struck, "total N" at exit
//
// What it cannot see: writes through a shared mapping, io_uring, calls inside libc (fopen). The
// code under test uses none of these to write.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bitset>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::uint64_t sector_bytes = 512;
constexpr std::uint64_t page_sectors = 8;

// --- the kernel, without going through the names that this file replaces ---------------------
int sys_openat(int at, const char* path, int flags, mode_t mode = 0) {
  return static_cast<int>(syscall(SYS_openat, at, path, flags, mode));
}
void sys_close(int fd) { syscall(SYS_close, fd); }
int sys_unlinkat(int at, const char* path, int flags) {
  return static_cast<int>(syscall(SYS_unlinkat, at, path, flags));
}
int sys_linkat(int from, const char* old_name, int to, const char* new_name, int flags = 0) {
  return static_cast<int>(syscall(SYS_linkat, from, old_name, to, new_name, flags));
}
int sys_renameat2(int from, const char* old_name, int to, const char* new_name,
                  unsigned flags = 0) {
  return static_cast<int>(syscall(SYS_renameat2, from, old_name, to, new_name, flags));
}
ssize_t sys_pwrite(int fd, const void* data, std::size_t count, std::uint64_t offset) {
  return syscall(SYS_pwrite64, fd, data, count, offset);
}
ssize_t sys_pread(int fd, void* data, std::size_t count, std::uint64_t offset) {
  return syscall(SYS_pread64, fd, data, count, offset);
}
int sys_ftruncate(int fd, std::uint64_t size) {
  return static_cast<int>(syscall(SYS_ftruncate, fd, size));
}

[[noreturn]] void die() {
  for (;;) syscall(SYS_kill, getpid(), SIGKILL);
}
/// The shim itself cannot go on: never mistaken for a fault of the code under test.
[[noreturn]] void give_up(const std::string& why) {
  const std::string line = "fault_shim: " + why + ": " + std::strerror(errno) + "\n";
  syscall(SYS_write, STDERR_FILENO, line.data(), line.size());
  syscall(SYS_exit_group, 99);
  die();
}

std::string text_of(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// --- what the disk holds ----------------------------------------------------------------------

using FileId = std::pair<dev_t, ino_t>;

struct Sector {
  std::array<unsigned char, sector_bytes> durable{};  // what the disk surely has
  std::bitset<sector_bytes> written;                  // bytes written since
  bool lost = false;  // a sync of it failed: later syncs do not save it
};

/// A file with bytes or a size that are not durable.
struct File {
  int reading = -1;
  int writing = -1;
  std::uint64_t durable_size = 0;
  std::map<std::uint64_t, Sector> sectors;
};

/// A name in a folder; the folder is held open, so that it is found wherever it was moved to.
struct Name {
  FileId folder;
  int folder_fd = -1;
  std::string text;
  auto key() const { return std::pair{folder, text}; }
};

/// A change of names that is not durable.
struct Change {
  enum Kind : std::uint8_t { created, removed, renamed, folder_made, folder_removed } kind;
  Name name;                        // renamed: the new one
  std::optional<Name> from = {};    // renamed: the old one
  std::string grave = {};           // what `name` was before, or ""
  std::optional<FileId> made = {};  // folder_made: which folder
  bool synced = false;              // one of the two folders of a rename is
  bool from_synced = false;
};

enum class Kind : std::uint8_t { eio, enospc, erofs, shortened, kill, killed, torn, cut, cutoff };
struct Fault {
  Kind kind;
  std::uint64_t first;
  std::uint64_t last;
  bool told = false;
};

enum class Need : std::uint8_t { none, space };  // whether a call takes space on the disk

struct Shim {
  std::mutex mutex;  // one changing call at a time; guards all that follows
  std::string folder;
  int graves = -1;
  std::string report;
  std::string boot;
  std::vector<Fault> plan;
  std::mt19937_64 prng;
  std::uint64_t calls = 0;
  std::uint64_t grave_count = 0;
  std::map<FileId, File> files;
  std::map<FileId, int> folders;  // held open
  std::vector<Change> changes;

  Shim();
  ~Shim();
  void tell(const std::string& line) const;
  bool contains(std::string_view path) const {
    return !folder.empty() && path.starts_with(folder) &&
           (path.size() == folder.size() || path[folder.size()] == '/');
  }
  [[noreturn]] void cut_power();
  std::vector<Change> choose_undone();
  void undo(const Change& change);
  void settle(File& file);
};

Shim& shim() {
  static Shim instance;
  return instance;
}

Kind read_kind(std::string_view word) {
  constexpr std::pair<std::string_view, Kind> words[] = {
      {"eio", Kind::eio},         {"enospc", Kind::enospc}, {"erofs", Kind::erofs},
      {"short", Kind::shortened}, {"kill", Kind::kill},     {"killed", Kind::killed},
      {"torn", Kind::torn},       {"cut", Kind::cut},       {"cutoff", Kind::cutoff}};
  for (const auto& [name, kind] : words)
    if (name == word) return kind;
  errno = EINVAL;
  give_up("no fault is called " + std::string{word});
}

Shim::Shim()
    : folder(text_of("FIDUCIA_FAULT_FOLDER")),
      report(text_of("FIDUCIA_FAULT_REPORT")),
      boot(text_of("FIDUCIA_FAULT_BOOT")),
      prng(std::strtoull(text_of("FIDUCIA_FAULT_SEED").c_str(), nullptr, 10)) {
  if (folder.empty()) return;
  const std::string graves_path = text_of("FIDUCIA_FAULT_GRAVES");
  graves = sys_openat(AT_FDCWD, graves_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (graves < 0) give_up("FIDUCIA_FAULT_GRAVES " + graves_path);
  std::string rest = text_of("FIDUCIA_FAULT_PLAN");
  while (!rest.empty()) {
    const std::string item = rest.substr(0, rest.find(','));
    rest.erase(0, std::min(rest.size(), item.size() + 1));
    const std::size_t at = item.find('@');
    if (at == std::string::npos) give_up("a fault without @: " + item);
    char* end = nullptr;
    Fault fault{.kind = read_kind(std::string_view{item}.substr(0, at)),
                .first = std::strtoull(item.c_str() + at + 1, &end, 10),
                .last = 0};
    fault.last = fault.first;
    if (*end == '-') fault.last = end[1] == 0 ? UINT64_MAX : std::strtoull(end + 1, nullptr, 10);
    plan.push_back(fault);
  }
  // Files and folders that are not durable are held open.
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

Shim::~Shim() {
  if (folder.empty()) return;
  for (const Change& change : changes)
    if (!change.grave.empty()) sys_unlinkat(graves, change.grave.c_str(), 0);
  tell("total " + std::to_string(calls));
}

void Shim::tell(const std::string& line) const {
  if (report.empty()) return;
  const int fd =
      sys_openat(AT_FDCWD, report.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) give_up("FIDUCIA_FAULT_REPORT " + report);
  const std::string whole = line + "\n";
  syscall(SYS_write, fd, whole.data(), whole.size());
  sys_close(fd);
}

std::optional<FileId> id_of(int fd) {
  struct stat info{};
  if (fstat(fd, &info) != 0) return std::nullopt;
  return FileId{info.st_dev, info.st_ino};
}

std::uint64_t size_of(int fd) {
  struct stat info{};
  if (fstat(fd, &info) != 0) give_up("fstat");
  return static_cast<std::uint64_t>(info.st_size);
}

std::string path_of(int fd) {
  char target[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = readlink(link.c_str(), target, sizeof target);
  if (length < 0) return "";
  return {target, static_cast<std::size_t>(length)};
}

// --- names ------------------------------------------------------------------------------------

/// The folder of `path` and its last part, when it lies below the watched folder.
std::optional<Name> watched_name(int at, const char* path) {
  std::string text = path;
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  const std::size_t slash = text.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : text.substr(0, slash + 1);
  if (slash != std::string::npos) text.erase(0, slash + 1);
  const int saved = errno;
  const int fd = sys_openat(at, parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  errno = saved;
  if (fd < 0) return std::nullopt;
  const auto id = id_of(fd);
  if (!id || (!shim().contains(path_of(fd)) && !shim().contains(path_of(fd) + "/" + text))) {
    sys_close(fd);
    return std::nullopt;
  }
  const auto [place, fresh] = shim().folders.emplace(*id, fd);
  if (!fresh) sys_close(fd);
  return Name{.folder = *id, .folder_fd = place->second, .text = text};
}

bool exists(const Name& name) {
  struct stat info{};
  return fstatat(name.folder_fd, name.text.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
}

bool is_folder(const Name& name) {
  struct stat info{};
  return fstatat(name.folder_fd, name.text.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(info.st_mode);
}

/// Keeps what `name` is now, if it is a file, so that it can come back.
std::string bury(const Name& name) {
  Shim& s = shim();
  if (!exists(name) || is_folder(name)) return "";
  std::string grave = std::to_string(getpid()) + "." + std::to_string(++s.grave_count);
  if (sys_linkat(name.folder_fd, name.text.c_str(), s.graves, grave.c_str()) != 0)
    give_up("cannot keep " + name.text);
  return grave;
}

void exhume(const std::string& grave) {
  if (!grave.empty()) sys_unlinkat(shim().graves, grave.c_str(), 0);
}

void remove_tree(int at, const std::string& name) {
  if (sys_unlinkat(at, name.c_str(), 0) == 0) return;
  const int fd = sys_openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) give_up("cannot remove " + name);
  DIR* const entries = fdopendir(fd);
  std::vector<std::string> inside;
  while (const dirent* const entry = readdir(entries))
    if (const std::string_view text = entry->d_name; text != "." && text != "..")
      inside.emplace_back(text);
  for (const std::string& text : inside) remove_tree(fd, text);
  closedir(entries);
  if (sys_unlinkat(at, name.c_str(), AT_REMOVEDIR) != 0) give_up("cannot remove " + name);
}

/// Takes `change` back. Later changes of the same names were taken back before.
void Shim::undo(const Change& change) {
  const Name& name = change.name;
  switch (change.kind) {
    case Change::created:
      sys_unlinkat(name.folder_fd, name.text.c_str(), 0);
      break;
    case Change::folder_made:
      remove_tree(name.folder_fd, name.text);  // whatever is still inside goes with it
      break;
    case Change::folder_removed:
      syscall(SYS_mkdirat, name.folder_fd, name.text.c_str(), 0755);
      break;
    case Change::renamed:
      sys_renameat2(name.folder_fd, name.text.c_str(), change.from->folder_fd,
                    change.from->text.c_str());
      break;
    case Change::removed:
      break;
  }
  if (!change.grave.empty())
    sys_linkat(graves, change.grave.c_str(), name.folder_fd, name.text.c_str());
}

std::vector<Change> Shim::choose_undone() {
  std::vector<Change> undone;
  std::set<std::pair<FileId, std::string>> names;
  std::set<FileId> folders_undone;
  const std::uint64_t style = prng() % 4;  // all, none, from a point on, each by itself
  const std::size_t point = changes.empty() ? 0 : prng() % (changes.size() + 1);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    bool lost = style == 0 || (style == 2 && i >= point) || (style == 3 && prng() % 2 == 0);
    const auto depends = [&](const Name& name) {
      return names.contains(name.key()) || folders_undone.contains(name.folder);
    };
    lost = lost || depends(change.name) || (change.from && depends(*change.from));
    if (!lost) continue;
    names.insert(change.name.key());
    if (change.from) names.insert(change.from->key());
    if (change.made) folders_undone.insert(*change.made);
    undone.push_back(change);
  }
  return undone;
}

// --- bytes ------------------------------------------------------------------------------------

/// The record of the file behind `fd`, made now if it was clean.
File& dirty(int fd) {
  const auto id = id_of(fd);
  if (!id) give_up("fstat");
  const auto [place, fresh] = shim().files.try_emplace(*id);
  File& file = place->second;
  if (fresh) {
    const std::string again = "/proc/self/fd/" + std::to_string(fd);
    file.reading = sys_openat(AT_FDCWD, again.c_str(), O_RDONLY | O_CLOEXEC);
    file.writing = sys_openat(AT_FDCWD, again.c_str(), O_WRONLY | O_CLOEXEC);
    if (file.writing < 0) file.writing = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (file.reading < 0 || file.writing < 0) give_up("cannot watch " + path_of(fd));
    file.durable_size = size_of(fd);
  }
  return file;
}

void forget(std::map<FileId, File>::iterator place) {
  sys_close(place->second.reading);
  sys_close(place->second.writing);
  shim().files.erase(place);
}

void about_to_write(int fd, std::uint64_t offset, std::uint64_t count) {
  File& file = dirty(fd);
  for (std::uint64_t at = offset; at < offset + count;) {
    const std::uint64_t index = at / sector_bytes;
    const std::uint64_t end = std::min(offset + count, (index + 1) * sector_bytes);
    const auto [place, fresh] = file.sectors.try_emplace(index);
    Sector& sector = place->second;
    if (fresh) {
      const ssize_t got =
          sys_pread(file.reading, sector.durable.data(), sector_bytes, index * sector_bytes);
      if (got < 0) give_up("pread");
    }
    for (; at < end; ++at) sector.written.set(at % sector_bytes);
    // Written again, the page is dirty again: the next sync saves all of it.
    const std::uint64_t page = index / page_sectors * page_sectors;
    for (auto it = file.sectors.lower_bound(page);
         it != file.sectors.end() && it->first < page + page_sectors; ++it)
      it->second.lost = false;
  }
}

void about_to_resize(int fd, std::uint64_t size) {
  dirty(fd);
  if (const std::uint64_t now = size_of(fd); size < now) about_to_write(fd, size, now - size);
}

void synced(std::map<FileId, File>::iterator place) {
  File& file = place->second;
  std::erase_if(file.sectors, [](const auto& sector) { return !sector.second.lost; });
  file.durable_size = size_of(file.reading);
  if (file.sectors.empty()) forget(place);
}

void synced_folder(const FileId& id) {
  std::erase_if(shim().changes, [&](Change& change) {
    if (change.name.folder == id) change.synced = true;
    if (!change.from || change.from->folder == id) change.from_synced = true;
    if (!change.synced || !change.from_synced) return false;
    exhume(change.grave);
    return true;
  });
}

void synced_everything() {
  Shim& s = shim();
  for (auto it = s.files.begin(); it != s.files.end();) synced(it++);
  for (const Change& change : s.changes) exhume(change.grave);
  s.changes.clear();
}

void sync_failed(File& file) {
  for (auto& [index, sector] : file.sectors) sector.lost = true;
}

/// Leaves in a file what the disk may have of it.
void Shim::settle(File& file) {
  const std::uint64_t size = size_of(file.reading);
  const auto [low, high] = std::minmax(size, file.durable_size);
  // How a sector ends: style 0 all old, 1 all new, 2 new up to a point, 3 each by itself,
  // 4 zero here and there, 5 garbage here and there.
  const std::uint64_t style = prng() % 6;
  std::uint64_t end = size;
  if (style == 0) end = file.durable_size;
  if (style >= 2) {
    const std::uint64_t draw = prng() % 3;
    end = draw == 0 ? low : draw == 1 ? high : low + prng() % (high - low + 1);
    if (draw == 2 && prng() % 2 == 0)
      end = std::clamp(end / sector_bytes * sector_bytes, low, high);
  }
  const std::size_t point = file.sectors.empty() ? 0 : prng() % (file.sectors.size() + 1);
  fcntl(file.writing, F_SETFL, 0);  // without O_APPEND, for that would move what is written
  std::size_t count = 0;
  for (const auto& [index, sector] : file.sectors) {
    std::array<unsigned char, sector_bytes> now{};
    if (sys_pread(file.reading, now.data(), sector_bytes, index * sector_bytes) < 0)
      give_up("pread");
    auto kept = now;
    const bool strikes = prng() % 2 == 0;
    if (style == 0 || (style == 2 && count >= point) || (style == 3 && strikes))
      kept = sector.durable;
    if (style >= 4 && strikes)
      for (std::size_t i = 0; i < sector_bytes; ++i)
        if (sector.written[i]) kept[i] = style == 4 ? 0 : static_cast<unsigned char>(prng());
    ++count;
    if (sys_pwrite(file.writing, kept.data(), sector_bytes, index * sector_bytes) < 0)
      give_up("pwrite");
  }
  if (sys_ftruncate(file.writing, end) != 0) give_up("ftruncate");
}

/// While the disk is being left as it was, another thread may still look at it: it must not tell.
std::atomic<bool> power_is_off = false;

void Shim::cut_power() {
  power_is_off = true;
  for (auto& [id, file] : files) settle(file);
  const std::vector<Change> undone = choose_undone();
  for (auto it = undone.rbegin(); it != undone.rend(); ++it) undo(*it);
  tell("power was cut: " + std::to_string(files.size()) + " files not durable, " +
       std::to_string(undone.size()) + " of " + std::to_string(changes.size()) +
       " changes of names undone");
  for (const Change& change : changes) exhume(change.grave);
  die();
}

// --- one call ---------------------------------------------------------------------------------

/// A counted call, from entry to exit; holds the shim's lock.
class Call {
 public:
  Call(const char* what, std::string path, Need need) : guard_(shim().mutex) {
    Shim& s = shim();
    const std::uint64_t number = ++s.calls;
    for (Fault& fault : s.plan) {
      if (number < fault.first || number > fault.last) continue;
      const bool range = fault.first != fault.last;
      if (fault.kind == Kind::enospc && range && need != Need::space) continue;
      fault_ = fault.kind;
      if (!std::exchange(fault.told, true))
        s.tell(std::to_string(number) + " " + what + " " +
               path.substr(std::min(path.size(), s.folder.size())));
    }
    if (fault_ == Kind::kill) die();
    if (fault_ == Kind::cut) s.cut_power();
  }
  ~Call() {
    const int saved = errno;
    if (fault_ == Kind::killed || fault_ == Kind::torn) die();
    if (fault_ == Kind::cutoff) shim().cut_power();
    errno = saved;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  /// The error that the call fails with, or 0.
  [[nodiscard]] int error() const {
    if (fault_ == Kind::eio) return EIO;
    if (fault_ == Kind::enospc) return ENOSPC;
    if (fault_ == Kind::erofs) return EROFS;
    return 0;
  }
  [[nodiscard]] bool shortened() const { return fault_ == Kind::shortened || fault_ == Kind::torn; }

 private:
  std::lock_guard<std::mutex> guard_;
  std::optional<Kind> fault_;
};

bool watched(int fd) {
  const Shim& s = shim();
  if (s.folder.empty()) return false;
  const int saved = errno;
  const bool inside = s.contains(path_of(fd));
  errno = saved;
  return inside;
}

void created(const Name& name) {
  Shim& s = shim();
  struct stat info{};
  if (fstatat(name.folder_fd, name.text.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
    if (const auto stale = s.files.find({info.st_dev, info.st_ino}); stale != s.files.end())
      forget(stale);  // the number of a file that is gone
  s.changes.push_back({.kind = Change::created, .name = name});
}

int failed(int error) {
  errno = error;
  return -1;
}

/// A file in memory with the boot id that this run is to see.
int open_boot_id() {
  const int fd = static_cast<int>(syscall(SYS_memfd_create, "boot_id", MFD_CLOEXEC));
  const std::string line = shim().boot + "\n";
  if (fd < 0 || sys_pwrite(fd, line.data(), line.size(), 0) < 0) give_up("memfd_create");
  // Opened anew, for what is returned is to be a plain file for reading.
  const std::string again = "/proc/self/fd/" + std::to_string(fd);
  const int reading = sys_openat(AT_FDCWD, again.c_str(), O_RDONLY | O_CLOEXEC);
  sys_close(fd);
  return reading;
}

int open_at(int at, const char* path, int flags, mode_t mode) {
  if (!shim().boot.empty() && std::strcmp(path, "/proc/sys/kernel/random/boot_id") == 0)
    return open_boot_id();
  const bool changes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
  if (shim().folder.empty() || !changes || (flags & O_PATH) != 0)
    return sys_openat(at, path, flags, mode);
  std::unique_lock lookup{shim().mutex};
  const auto name = watched_name(at, path);
  lookup.unlock();
  if (!name) return sys_openat(at, path, flags, mode);
  const bool fresh = !exists(*name);
  const Call call{"open", path_of(name->folder_fd) + "/" + name->text,
                  fresh ? Need::space : Need::none};
  if (call.error() != 0) return failed(call.error());
  if (!fresh && (flags & O_TRUNC) != 0 && !is_folder(*name)) {
    const int fd = sys_openat(name->folder_fd, name->text.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
      about_to_resize(fd, 0);
      sys_close(fd);
    }
  }
  const int fd = sys_openat(at, path, flags, mode);
  if (fd >= 0 && fresh && (flags & O_TMPFILE) != O_TMPFILE) created(*name);
  return fd;
}

template <class Write>
ssize_t write_at(int fd, std::optional<std::uint64_t> offset, std::size_t count, Write&& real) {
  const int flags = fcntl(fd, F_GETFL);
  std::uint64_t begin = 0;
  if (offset)
    begin = *offset;
  else if ((flags & O_APPEND) != 0)
    begin = size_of(fd);
  else
    begin = static_cast<std::uint64_t>(lseek(fd, 0, SEEK_CUR));
  const Need need = begin + count > size_of(fd) ? Need::space : Need::none;
  const Call call{"write", path_of(fd), need};
  if (call.error() != 0) return failed(call.error());
  if (call.shortened()) count = std::max<std::size_t>(1, count / 2);
  about_to_write(fd, begin, count);
  const ssize_t written = real(count);
  if (written > 0 && (flags & (O_DSYNC | O_SYNC)) != 0)
    if (const auto id = id_of(fd)) synced(shim().files.find(*id));
  return written;
}

int sync_file(int fd, long number, const char* what) {
  const Call call{what, path_of(fd), Need::none};
  Shim& s = shim();
  const auto id = id_of(fd);
  const auto place = id ? s.files.find(*id) : s.files.end();
  if (call.error() != 0) {
    if (place != s.files.end()) sync_failed(place->second);
    return failed(call.error());
  }
  if (syscall(number, fd) != 0) return -1;
  if (place != s.files.end()) synced(place);
  if (id && s.folders.contains(*id)) synced_folder(*id);
  return 0;
}

int remove_at(int at, const char* path, int flags) {
  std::unique_lock lookup{shim().mutex};
  const auto name = shim().folder.empty() ? std::nullopt : watched_name(at, path);
  lookup.unlock();
  if (!name) return sys_unlinkat(at, path, flags);
  const bool folder = (flags & AT_REMOVEDIR) != 0;
  const Call call{folder ? "rmdir" : "unlink", path_of(name->folder_fd) + "/" + name->text,
                  Need::none};
  if (call.error() != 0) return failed(call.error());
  std::string grave = folder ? "" : bury(*name);
  if (sys_unlinkat(at, path, flags) != 0) {
    const int saved = errno;
    exhume(grave);
    return failed(saved);
  }
  shim().changes.push_back({.kind = folder ? Change::folder_removed : Change::removed,
                            .name = *name,
                            .grave = std::move(grave)});
  return 0;
}

int rename_at(int from_at, const char* from, int to_at, const char* to, unsigned flags) {
  std::unique_lock lookup{shim().mutex};
  const bool on = !shim().folder.empty();
  const auto old_name = on ? watched_name(from_at, from) : std::nullopt;
  const auto new_name = on ? watched_name(to_at, to) : std::nullopt;
  lookup.unlock();
  if (!old_name || !new_name) return sys_renameat2(from_at, from, to_at, to, flags);
  const Call call{"rename", path_of(new_name->folder_fd) + "/" + new_name->text, Need::none};
  if (call.error() != 0) return failed(call.error());
  std::string grave = bury(*new_name);
  if (sys_renameat2(from_at, from, to_at, to, flags) != 0) {
    const int saved = errno;
    exhume(grave);
    return failed(saved);
  }
  shim().changes.push_back(
      {.kind = Change::renamed, .name = *new_name, .from = old_name, .grave = std::move(grave)});
  return 0;
}

int link_at(int from_at, const char* from, int to_at, const char* to, int flags) {
  std::unique_lock lookup{shim().mutex};
  const auto name = shim().folder.empty() ? std::nullopt : watched_name(to_at, to);
  lookup.unlock();
  if (!name) return sys_linkat(from_at, from, to_at, to, flags);
  const Call call{"link", path_of(name->folder_fd) + "/" + name->text, Need::space};
  if (call.error() != 0) return failed(call.error());
  const int result = sys_linkat(from_at, from, to_at, to, flags);
  if (result == 0) shim().changes.push_back({.kind = Change::created, .name = *name});
  return result;
}

int make_folder_at(int at, const char* path, mode_t mode) {
  std::unique_lock lookup{shim().mutex};
  const auto name = shim().folder.empty() ? std::nullopt : watched_name(at, path);
  lookup.unlock();
  if (!name) return static_cast<int>(syscall(SYS_mkdirat, at, path, mode));
  const Call call{"mkdir", path_of(name->folder_fd) + "/" + name->text, Need::space};
  if (call.error() != 0) return failed(call.error());
  const int result = static_cast<int>(syscall(SYS_mkdirat, at, path, mode));
  if (result != 0) return result;
  struct stat info{};
  if (fstatat(name->folder_fd, name->text.c_str(), &info, 0) != 0) give_up("fstatat");
  shim().changes.push_back(
      {.kind = Change::folder_made, .name = *name, .made = FileId{info.st_dev, info.st_ino}});
  return 0;
}

int resize(int fd, std::uint64_t size) {
  if (!watched(fd)) return sys_ftruncate(fd, size);
  const Call call{"ftruncate", path_of(fd), Need::none};
  if (call.error() != 0) return failed(call.error());
  about_to_resize(fd, size);
  return sys_ftruncate(fd, size);
}

int allocate(int fd, int mode, off_t offset, off_t count) {
  if (!watched(fd)) return static_cast<int>(syscall(SYS_fallocate, fd, mode, offset, count));
  const Call call{"fallocate", path_of(fd), Need::space};
  if (call.error() != 0) return failed(call.error());
  if ((mode & ~FALLOC_FL_KEEP_SIZE) == 0)
    dirty(fd);  // bytes stay as they are, only the size may grow
  else
    about_to_write(fd, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(count));
  return static_cast<int>(syscall(SYS_fallocate, fd, mode, offset, count));
}

/// mkostemp, mkdtemp: six random letters at the end of `pattern`.
template <class Make>
auto make_unique_name(char* pattern, std::size_t suffix, Make&& make) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  char* const end = pattern + std::strlen(pattern) - suffix;
  static std::mutex mutex;
  static std::mt19937_64 names{std::random_device{}()};
  for (int round = 0;; ++round) {
    {
      const std::lock_guard guard{mutex};
      for (char* c = end - 6; c != end; ++c) *c = letters[names() % letters.size()];
    }
    const int made = make(pattern);
    if (made >= 0 || errno != EEXIST || round == 100) return made;
  }
}

/// Copies the first `count` bytes that `parts` name.
std::vector<unsigned char> gather(const iovec* parts, int part_count) {
  std::vector<unsigned char> bytes;
  for (int i = 0; i < part_count; ++i) {
    const auto* const from = static_cast<const unsigned char*>(parts[i].iov_base);
    bytes.insert(bytes.end(), from, from + parts[i].iov_len);
  }
  return bytes;
}

/// Sees to it that the shim is there before and after everything of the program.
[[gnu::constructor]] void start() { shim(); }

}  // namespace

// --- the names that are replaced --------------------------------------------------------------
// NOLINTBEGIN(readability-identifier-naming, cert-dcl50-cpp): libc's names and signatures
#define FIDUCIA_SHIM extern "C" __attribute__((visibility("default")))
#define FIDUCIA_MODE(flags)                       \
  mode_t mode = 0;                                \
  if (((flags) & (O_CREAT | __O_TMPFILE)) != 0) { \
    va_list rest;                                 \
    va_start(rest, flags);                        \
    mode = va_arg(rest, mode_t);                  \
    va_end(rest);                                 \
  }

FIDUCIA_SHIM int open(const char* path, int flags, ...) {
  FIDUCIA_MODE(flags)
  return open_at(AT_FDCWD, path, flags, mode);
}
FIDUCIA_SHIM int open64(const char* path, int flags, ...) {
  FIDUCIA_MODE(flags)
  return open_at(AT_FDCWD, path, flags, mode);
}
FIDUCIA_SHIM int openat(int at, const char* path, int flags, ...) {
  FIDUCIA_MODE(flags)
  return open_at(at, path, flags, mode);
}
FIDUCIA_SHIM int openat64(int at, const char* path, int flags, ...) {
  FIDUCIA_MODE(flags)
  return open_at(at, path, flags, mode);
}
FIDUCIA_SHIM int creat(const char* path, mode_t mode) {
  return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
FIDUCIA_SHIM int mkostemp(char* pattern, int flags) {
  return make_unique_name(pattern, 0, [flags](const char* path) {
    return open_at(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | flags, 0600);
  });
}
FIDUCIA_SHIM int mkostemp64(char* pattern, int flags) { return mkostemp(pattern, flags); }
FIDUCIA_SHIM int mkstemp(char* pattern) { return mkostemp(pattern, 0); }
FIDUCIA_SHIM int mkstemp64(char* pattern) { return mkostemp(pattern, 0); }
FIDUCIA_SHIM char* mkdtemp(char* pattern) {
  const int made = make_unique_name(
      pattern, 0, [](const char* path) { return make_folder_at(AT_FDCWD, path, 0700); });
  return made < 0 ? nullptr : pattern;
}

FIDUCIA_SHIM ssize_t write(int fd, const void* data, size_t count) {
  while (power_is_off) syscall(SYS_pause);
  if (count == 0 || !watched(fd)) return syscall(SYS_write, fd, data, count);
  return write_at(fd, {}, count, [&](size_t n) { return syscall(SYS_write, fd, data, n); });
}
FIDUCIA_SHIM ssize_t pwrite(int fd, const void* data, size_t count, off_t offset) {
  if (count == 0 || !watched(fd)) return syscall(SYS_pwrite64, fd, data, count, offset);
  return write_at(fd, static_cast<std::uint64_t>(offset), count,
                  [&](size_t n) { return syscall(SYS_pwrite64, fd, data, n, offset); });
}
FIDUCIA_SHIM ssize_t pwrite64(int fd, const void* data, size_t count, off64_t offset) {
  return pwrite(fd, data, count, offset);
}
FIDUCIA_SHIM ssize_t writev(int fd, const iovec* parts, int part_count) {
  if (!watched(fd)) return syscall(SYS_writev, fd, parts, part_count);
  const auto bytes = gather(parts, part_count);
  return write(fd, bytes.data(), bytes.size());
}
FIDUCIA_SHIM ssize_t pwritev(int fd, const iovec* parts, int part_count, off_t offset) {
  if (!watched(fd)) return syscall(SYS_pwritev, fd, parts, part_count, offset, 0);
  const auto bytes = gather(parts, part_count);
  return pwrite(fd, bytes.data(), bytes.size(), offset);
}
FIDUCIA_SHIM ssize_t pwritev64(int fd, const iovec* parts, int part_count, off64_t offset) {
  return pwritev(fd, parts, part_count, offset);
}

FIDUCIA_SHIM int fsync(int fd) {
  if (!watched(fd)) return static_cast<int>(syscall(SYS_fsync, fd));
  return sync_file(fd, SYS_fsync, "fsync");
}
FIDUCIA_SHIM int fdatasync(int fd) {
  if (!watched(fd)) return static_cast<int>(syscall(SYS_fdatasync, fd));
  return sync_file(fd, SYS_fdatasync, "fdatasync");
}
FIDUCIA_SHIM int syncfs(int fd) {
  if (!watched(fd)) return static_cast<int>(syscall(SYS_syncfs, fd));
  const Call call{"syncfs", path_of(fd), Need::none};
  if (call.error() != 0) {
    for (auto& [id, file] : shim().files) sync_failed(file);
    return failed(call.error());
  }
  const int result = static_cast<int>(syscall(SYS_syncfs, fd));
  if (result == 0) synced_everything();
  return result;
}
FIDUCIA_SHIM int sync_file_range(int fd, off64_t offset, off64_t count, unsigned flags) {
  if (!watched(fd)) return static_cast<int>(syscall(SYS_sync_file_range, fd, offset, count, flags));
  // Starts or awaits the writing of pages; promises nothing about the disk's cache or the size.
  const Call call{"sync_file_range", path_of(fd), Need::none};
  if (call.error() != 0) return failed(call.error());
  return static_cast<int>(syscall(SYS_sync_file_range, fd, offset, count, flags));
}

FIDUCIA_SHIM int ftruncate(int fd, off_t size) {
  return resize(fd, static_cast<std::uint64_t>(size));
}
FIDUCIA_SHIM int ftruncate64(int fd, off64_t size) {
  return resize(fd, static_cast<std::uint64_t>(size));
}
FIDUCIA_SHIM int fallocate(int fd, int mode, off_t offset, off_t count) {
  return allocate(fd, mode, offset, count);
}
FIDUCIA_SHIM int fallocate64(int fd, int mode, off64_t offset, off64_t count) {
  return allocate(fd, mode, offset, count);
}
FIDUCIA_SHIM int posix_fallocate(int fd, off_t offset, off_t count) {
  return allocate(fd, 0, offset, count) == 0 ? 0 : errno;
}
FIDUCIA_SHIM int posix_fallocate64(int fd, off64_t offset, off64_t count) {
  return posix_fallocate(fd, offset, count);
}

FIDUCIA_SHIM int unlink(const char* path) noexcept { return remove_at(AT_FDCWD, path, 0); }
FIDUCIA_SHIM int unlinkat(int at, const char* path, int flags) noexcept {
  return remove_at(at, path, flags);
}
FIDUCIA_SHIM int rmdir(const char* path) noexcept {
  return remove_at(AT_FDCWD, path, AT_REMOVEDIR);
}
FIDUCIA_SHIM int remove(const char* path) noexcept {
  struct stat info{};
  if (lstat(path, &info) != 0) return -1;
  return remove_at(AT_FDCWD, path, S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0);
}
FIDUCIA_SHIM int rename(const char* from, const char* to) noexcept {
  return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}
FIDUCIA_SHIM int renameat(int from_at, const char* from, int to_at, const char* to) noexcept {
  return rename_at(from_at, from, to_at, to, 0);
}
FIDUCIA_SHIM int renameat2(int from_at, const char* from, int to_at, const char* to,
                           unsigned flags) noexcept {
  return rename_at(from_at, from, to_at, to, flags);
}
FIDUCIA_SHIM int link(const char* from, const char* to) noexcept {
  return link_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}
FIDUCIA_SHIM int linkat(int from_at, const char* from, int to_at, const char* to,
                        int flags) noexcept {
  return link_at(from_at, from, to_at, to, flags);
}
FIDUCIA_SHIM int mkdir(const char* path, mode_t mode) noexcept {
  return make_folder_at(AT_FDCWD, path, mode);
}
FIDUCIA_SHIM int mkdirat(int at, const char* path, mode_t mode) noexcept {
  return make_folder_at(at, path, mode);
}
// NOLINTEND(readability-identifier-naming, cert-dcl50-cpp)
