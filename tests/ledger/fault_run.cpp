// SPDX-License-Identifier: Apache-2.0
#include "fault_run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "support/support.h"

namespace fiducia::ledger::test {
namespace {

namespace fs = std::filesystem;

void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

[[noreturn]] void become_worker(const FaultRun& run, const fs::path& graves, const fs::path& report,
                                int out, int err) {
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  set("FIDUCIA_FAULT_FOLDER", run.folder.string());
  set("FIDUCIA_FAULT_GRAVES", graves.string());
  set("FIDUCIA_FAULT_REPORT", report.string());
  set("FIDUCIA_FAULT_PLAN", run.plan);
  set("FIDUCIA_FAULT_BOOT", run.boot);
  set("FIDUCIA_FAULT_SEED", std::to_string(run.seed));
  // The shim comes before the sanitizer's library, which wants to be first only to see all
  // allocations of the program; those of the shim are no concern.
  set("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0");
  set("LD_PRELOAD", fiducia::test::program("ledger_fault_shim.so").string());
  const std::string worker = fiducia::test::program("ledger_fault_worker").string();
  std::vector<char*> arguments{const_cast<char*>(worker.c_str())};
  for (const std::string& argument : run.arguments)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execv(worker.c_str(), arguments.data());
  ::_exit(98);
}

/// Takes what is in the pipe; false at its end.
bool drain(int fd, std::string& into) {
  char buffer[1 << 16];
  const ssize_t n = ::read(fd, buffer, sizeof buffer);
  if (n > 0) into.append(buffer, static_cast<std::size_t>(n));
  return n > 0;
}

std::string take_text(const fs::path& path) {
  const auto bytes = read_file(path, 1 << 20);
  return bytes ? std::string{as_text(*bytes)} : std::string{};
}

}  // namespace

bool FaultOutcome::was_killed() const { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

FaultOutcome run_worker(const FaultRun& run) {
  const fs::path graves = run.folder.string() + ".graves";
  const fs::path report = run.folder.string() + ".report";
  fs::create_directories(graves);
  fs::remove(report);
  int out[2];
  int err[2];
  FIDUCIA_ASSERT(::pipe2(out, O_CLOEXEC) == 0 && ::pipe2(err, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  FIDUCIA_ASSERT(child >= 0);
  if (child == 0) become_worker(run, graves, report, out[1], err[1]);
  ::close(out[1]);
  ::close(err[1]);
  FaultOutcome outcome;
  std::string messages;
  pollfd ends[2] = {{.fd = out[0], .events = POLLIN, .revents = 0},
                    {.fd = err[0], .events = POLLIN, .revents = 0}};
  const auto deadline = std::chrono::steady_clock::now() +
                        run.kill_after.value_or(std::chrono::microseconds{120'000'000});
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    const auto left = deadline - std::chrono::steady_clock::now();
    const auto rest = std::chrono::ceil<std::chrono::nanoseconds>(left).count();
    const timespec wait{.tv_sec = rest > 0 ? rest / 1'000'000'000 : 0,
                        .tv_nsec = rest > 0 ? rest % 1'000'000'000 : 0};
    const int ready = ::ppoll(ends, 2, &wait, nullptr);
    if (ready == 0) {
      if (!run.kill_after) outcome.output += "the worker hung and was killed\n";
      ::kill(child, SIGKILL);
    }
    for (pollfd& end : ends)
      if (end.fd >= 0 && (ready == 0 || end.revents != 0)) {
        // After the kill everything is read up to the end of the pipe.
        std::string& into = end.fd == out[0] ? messages : outcome.output;
        if (ready != 0) {
          if (!drain(end.fd, into)) end.fd = -1;
        } else {
          while (drain(end.fd, into)) {
          }
          end.fd = -1;
        }
      }
  }
  ::close(out[0]);
  ::close(err[0]);
  ::waitpid(child, &outcome.status, 0);
  outcome.told.resize(messages.size() / sizeof(Told));
  if (!outcome.told.empty())
    std::memcpy(static_cast<void*>(outcome.told.data()), messages.data(),
                outcome.told.size() * sizeof(Told));
  outcome.report = take_text(report);
  if (const std::size_t at = outcome.report.find("total "); at != std::string::npos)
    outcome.calls = std::stoull(outcome.report.substr(at + 6));
  fs::remove_all(graves);
  fs::remove(report);
  return outcome;
}

}  // namespace fiducia::ledger::test
