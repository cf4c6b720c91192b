// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "json/json.h"

namespace fiducia::cli {

std::string printable(std::string_view text) { return visible(text); }

void print_error(const Error& error, bool json) {
  if (json) {
    print_line(json::error_line(error));
    return;
  }
  const std::string line = "fiducia: " + printable(to_sentence(error)) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

bool print_line(std::string_view line) {
  return std::fwrite(line.data(), 1, line.size(), stdout) == line.size() &&
         std::fputc('\n', stdout) != EOF;
}

void print_warning(std::string_view sentence) {
  const std::string line = "fiducia: " + printable(sentence) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

int tell_left_out(const std::vector<LeftOut>& left_out, bool json) {
  int exit_code = 0;
  for (const LeftOut& entry : left_out) {
    if (entry.unreadable) {
      exit_code = 1;
      print_error(Error{.code = ErrorCode::io_unreadable,
                        .what = entry.why + "; what lies in it is not known.",
                        .remedy = "Check its permissions.",
                        .where = {.file = entry.path.string()}},
                  json);
    } else {
      print_warning("left out " + entry.path.string() + ", which " + entry.why +
                    (entry.why == "is a linked folder" ? "; name it to have it looked at" : ""));
    }
  }
  return exit_code;
}

void tell_no_images(std::size_t count) {
  if (count == 0) return;
  print_warning("left out " + std::to_string(count) +
                (count == 1 ? " file that is not an image" : " files that are not images"));
}

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) != 0 && (no_colour == nullptr || *no_colour == '\0');
}

// --- Progress -------------------------------------------------------------------------------

Progress::Progress(std::string label, std::uint64_t total, bool quiet)
    : label_(std::move(label)),
      enabled_(!quiet && total > 1 && isatty(STDERR_FILENO) != 0),
      total_(total) {}

Progress::~Progress() { hide(); }

void Progress::advance(std::uint64_t by) {
  if (!enabled_) return;
  const MutexLock lock{mutex_};
  done_ += by;
  draw();
}

void Progress::set(std::uint64_t done, std::uint64_t total) {
  if (!enabled_) return;
  const MutexLock lock{mutex_};
  done_ = done;
  total_ = total;
  draw();
}

void Progress::hide() {
  if (!enabled_) return;
  const MutexLock lock{mutex_};
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

void Progress::draw() {
  const auto now = std::chrono::steady_clock::now();
  if (drawn_ && now - last_ < std::chrono::milliseconds{100}) return;
  last_ = now;
  drawn_ = true;
  constexpr std::uint64_t width = 30;
  const std::uint64_t done = std::min(done_, total_);
  const auto filled = static_cast<std::size_t>(total_ == 0 ? width : done * width / total_);
  const std::string line = "\r" + label_ + " [" + std::string(filled, '#') +
                           std::string(width - filled, ' ') + "] " + std::to_string(done) + "/" +
                           std::to_string(total_) + "\x1b[K";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace fiducia::cli
