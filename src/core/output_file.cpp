// SPDX-License-Identifier: Apache-2.0
#include "core/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/descriptor.h"
#include "core/file.h"

namespace fiducia {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> refuse(const fs::path& path, std::string what, std::string remedy) {
  return fail(ErrorCode::usage_invalid, std::move(what), std::move(remedy),
              Location{.file = path.string()});
}

/// Where writing to `path` ends up: links are followed one by one, so that one whose target does
/// not exist yet is followed too.
Result<fs::path> resolve(const fs::path& path) {
  constexpr int links_max = 40;  // as the kernel has it
  fs::path target = path;
  std::error_code error;
  for (int links = 0; fs::is_symlink(target, error); ++links) {
    if (links == links_max)
      return refuse(path, "is a link that leads to itself.", "Name another file.");
    const fs::path next = fs::read_symlink(target, error);
    if (error) break;
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path{"."};
  const fs::path whole = fs::weakly_canonical(folder, error);
  return error ? target : whole / target.filename();
}

bool is_dicom(ByteView content) {
  constexpr std::size_t preamble_bytes = 128;  // PS3.10 7.1
  return content.size() >= preamble_bytes + 4 &&
         as_text(content.subspan(preamble_bytes, 4)) == "DICM";
}

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

Status check_existing(const fs::path& path, const fs::path& target, const struct stat& info,
                      const OutputRules& rules) {
  for (const fs::path& input : rules.inputs) {
    struct stat other = {};
    if (::stat(input.c_str(), &other) == 0 && is_same(info, other))
      return refuse(path, "is one of the files to be read; it would be replaced.",
                    "Name another file for the output.");
  }
  if (info.st_size == 0) return {};
  FIDUCIA_TRY(file, MappedFile::open(target));
  if (is_dicom(file.bytes()))
    return refuse(path, "is a DICOM file; it would be replaced.",
                  "Name another file for the output.");
  if (!rules.is_kind(file.bytes()))
    return refuse(path, "exists and is no " + rules.kind + "; it would be replaced.",
                  "Name another file for the output, or remove this one.");
  return {};
}

/// What is to be done with the output.
struct Plan {
  fs::path replaced;  // a regular file, there or not; empty: written through
  int standard = -1;  // the standard stream that is the same file
};

Result<Plan> plan(const fs::path& path, const OutputRules& rules) {
  if (path.empty()) return refuse(path, "The name of the output is empty.", "Name a file.");
  struct stat info = {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) return refuse(path, "is a folder.", "Name a file.");
  if (exists && (S_ISCHR(info.st_mode) || S_ISFIFO(info.st_mode))) return Plan{};
  if (exists && !S_ISREG(info.st_mode))
    return refuse(path, "is neither a file, a pipe nor a character device.", "Name a file.");
  FIDUCIA_TRY(target, resolve(path));
  for (const fs::path& folder : rules.folders)
    if (is_inside(target, folder))
      return refuse(path, "lies in " + folder.string() + ", where only Fiducia itself writes.",
                    "Name a file outside of it.");
  if (!exists) return Plan{.replaced = std::move(target)};
  FIDUCIA_CHECK(check_existing(path, target, info, rules));
  // `--report /dev/stdout > page.html`: the shell has made the file, and holds it open.
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat open = {};
    if (::fstat(fd, &open) == 0 && is_same(info, open)) return Plan{.replaced = {}, .standard = fd};
  }
  return Plan{.replaced = std::move(target)};
}

}  // namespace

bool is_inside(const fs::path& inner, const fs::path& outer) {
  std::error_code error;
  const fs::path a = fs::weakly_canonical(inner, error);
  const fs::path b = fs::weakly_canonical(outer, error);
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).second == b.end();
}

Status check_output(const fs::path& path, const OutputRules& rules) {
  FIDUCIA_TRY(planned, plan(path, rules));
  static_cast<void>(planned);
  return {};
}

Status write_output(const fs::path& path, ByteView bytes, const OutputRules& rules, unsigned mode) {
  FIDUCIA_TRY(planned, plan(path, rules));
  if (!planned.replaced.empty())
    return durable_write(planned.replaced, bytes,
                         {.mode = mode, .keep_mode = true, .create_only = false});
  if (planned.standard >= 0) {
    if (const int failed = write_all(planned.standard, bytes); failed != 0)
      return fail_unwritable(path, failed);
    return {};
  }
  // Never created, never cut: what is there is a device or a pipe.
  Descriptor fd{::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY)};
  if (!fd.valid()) return fail_unwritable(path, errno);
  struct stat info = {};
  if (::fstat(fd.value(), &info) != 0) return fail_unwritable(path, errno);
  if (S_ISREG(info.st_mode))  // it was exchanged in between
    return refuse(path, "is no longer a device or a pipe.", "Call again.");
  if (const int failed = write_all(fd.value(), bytes); failed != 0)
    return fail_unwritable(path, failed);
  return {};
}

}  // namespace fiducia
