// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/error.h"

namespace fiducia {

/// What a file that a person names as output must not replace. Whoever types `--report *.dcm` must
/// not lose an image.
struct OutputRules {
  std::string kind;  // what is written, in words: "report of Fiducia"
  /// Whether an existing file is of that kind, so that it may be replaced; empty files may always.
  std::function<bool(ByteView content)> is_kind;
  std::vector<std::filesystem::path> inputs = {};   // files that are read; folders do no harm
  std::vector<std::filesystem::path> folders = {};  // nothing is written into these: the home
};

/// Whether `inner` is `outer` or lies below it, links resolved as far as the paths exist.
[[nodiscard]] bool is_inside(const std::filesystem::path& inner,
                             const std::filesystem::path& outer);

/// Whether the rules allow `path` as output, links followed to what they point to. Asked before the
/// work, so that nothing is done in vain. Errors: usage_invalid, io_unreadable.
[[nodiscard]] Status check_output(const std::filesystem::path& path, const OutputRules& rules);

/// Asks again, then writes: a regular file is replaced as a whole or not at all (a link stays and
/// its target is replaced), a character device, a pipe, or the file that is already standard output
/// is written through. `mode`: permissions of a new file; those of an old one stay.
/// Errors: those of check_output; io_unwritable.
[[nodiscard]] Status write_output(const std::filesystem::path& path, ByteView bytes,
                                  const OutputRules& rules, unsigned mode = 0644);

}  // namespace fiducia
