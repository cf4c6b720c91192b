// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/core.h"

/// What goes to the terminal: results on stdout, progress and warnings on stderr.
namespace fiducia::cli {

/// One sentence to stderr, or `fiducia.error/1` on one line of stdout.
void print_error(const Error& error, bool json);

/// A line to stdout; the line feed is added. Returns false when stdout is closed or full.
bool print_line(std::string_view line);

/// A sentence to stderr, for warnings that stop nothing.
void print_warning(std::string_view sentence);

/// Names on stderr what was left out of a folder (core/file.h). Returns the exit code: 1 when a
/// folder could not be entered, for what lies in it is not known.
[[nodiscard]] int tell_left_out(const std::vector<LeftOut>& left_out, bool json);

/// Says on stderr how many files were left out because they are no images, if any were.
void tell_no_images(std::size_t count);

/// Whether stdout is a terminal that wants colours (NO_COLOR is respected).
[[nodiscard]] bool wants_colour();

/// `text` with control characters spelt out: file names can hold escape sequences.
[[nodiscard]] std::string printable(std::string_view text);

/// A progress bar on stderr, drawn when that is a terminal and at most ten times a second.
/// Thread-safe.
class Progress {
 public:
  Progress(std::string label, std::uint64_t total, bool quiet);
  ~Progress();  // wipes the bar
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::uint64_t by = 1);
  void set(std::uint64_t done, std::uint64_t total);
  /// Wipes the bar before something else is printed; the next advance draws it again.
  void hide();

 private:
  void draw() FIDUCIA_REQUIRES(mutex_);
  Mutex mutex_;
  const std::string label_;
  const bool enabled_;
  std::uint64_t total_ FIDUCIA_GUARDED_BY(mutex_);
  std::uint64_t done_ FIDUCIA_GUARDED_BY(mutex_) = 0;
  bool drawn_ FIDUCIA_GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::time_point last_ FIDUCIA_GUARDED_BY(mutex_);
};

}  // namespace fiducia::cli
