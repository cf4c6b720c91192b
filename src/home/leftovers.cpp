// SPDX-License-Identifier: Apache-2.0
#include "home/leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <set>

#include "core/descriptor.h"
#include "core/temporary.h"

namespace fiducia::home {
namespace {

constexpr std::uint64_t note_bytes_max = 64ULL << 20;

constexpr std::string_view note_name = "writing";

/// The first note is `writing`, those beside it `writing-1`, `writing-2`, ...
std::filesystem::path note_path(const std::filesystem::path& home, unsigned number) {
  std::string name{note_name};
  if (number > 0) name += "-" + std::to_string(number);
  return home / name;
}

bool is_note(std::string_view name) {
  if (!name.starts_with(note_name)) return false;
  name.remove_prefix(note_name.size());
  if (name.empty()) return true;
  return name.size() > 1 && name.front() == '-' &&
         std::ranges::all_of(name.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_not_older(const struct stat& a, const struct stat& b) {
  return a.st_mtim.tv_sec != b.st_mtim.tv_sec ? a.st_mtim.tv_sec > b.st_mtim.tv_sec
                                              : a.st_mtim.tv_nsec >= b.st_mtim.tv_nsec;
}

std::size_t clean_folder(const std::filesystem::path& folder, const std::set<std::string>& targets,
                         const struct stat& noted) {
  std::size_t removed = 0;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing{opendir(folder.c_str()), closedir};
  if (!listing) return 0;
  while (const dirent* entry = readdir(listing.get())) {
    const std::string name = entry->d_name;
    if (!targets.contains(std::string{target_of_temporary(name)})) continue;
    const std::filesystem::path path = folder / name;
    struct stat info = {};
    if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (info.st_uid != geteuid() || !is_not_older(info, noted)) continue;
    if (unlink(path.c_str()) == 0) ++removed;
  }
  return removed;
}

/// Removes what one note names and was left, and the note.
std::size_t use_up(const std::filesystem::path& path) {
  struct stat noted = {};
  if (stat(path.c_str(), &noted) != 0) return 0;
  const auto note = read_file(path, note_bytes_max);
  std::map<std::filesystem::path, std::set<std::string>> folders;
  if (note) {
    std::string_view rest = as_text(*note);
    while (!rest.empty()) {
      const std::filesystem::path target{rest.substr(0, rest.find('\0'))};
      folders[target.parent_path()].insert(target.filename().string());
      rest.remove_prefix(std::min(rest.size(), rest.find('\0') + 1));
    }
  }
  std::size_t removed = 0;
  for (const auto& [folder, targets] : folders) removed += clean_folder(folder, targets, noted);
  ::unlink(path.c_str());
  return removed;
}

}  // namespace

Result<WritingNote> WritingNote::make(const std::filesystem::path& home,
                                      std::span<const std::filesystem::path> targets) {
  if (targets.empty()) return WritingNote{{}};
  Bytes note;
  for (const std::filesystem::path& target : targets) {
    std::error_code error;
    append(note, as_bytes(std::filesystem::absolute(target, error).native()));
    note.push_back(std::byte{0});  // the one byte that no path holds
  }
  for (unsigned number = 0;; ++number) {
    const std::filesystem::path path = note_path(home, number);
    // Ours from here on; empty, it names nothing.
    const Descriptor taken{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!taken.valid() && errno == EEXIST) continue;
    WritingNote made{path};
    FIDUCIA_CHECK(durable_write(path, note, {.mode = 0600, .keep_mode = false}));
    return made;
  }
}

WritingNote::~WritingNote() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

std::size_t remove_leftovers(const std::filesystem::path& home) {
  std::vector<std::filesystem::path> notes;
  std::error_code error;
  for (std::filesystem::directory_iterator entry{home, error}, end; !error && entry != end;
       entry.increment(error))
    if (is_note(entry->path().filename().native())) notes.push_back(entry->path());
  std::size_t removed = 0;
  for (const std::filesystem::path& note : notes) removed += use_up(note);
  return removed;
}

}  // namespace fiducia::home
