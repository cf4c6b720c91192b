// SPDX-License-Identifier: Apache-2.0
#include "sealing/recorder.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <vector>

extern char** environ;  // NOLINT(readability-redundant-declaration): not in every unistd.h

namespace fiducia::sealing {
namespace {

constexpr const char* sealing_lock = "sealing.lock";

/// The ledger in the home's own folder.
class LogRecorder final : public Recorder {
 public:
  explicit LogRecorder(ledger::Log log) : log_(std::move(log)), status_(log_.status()) {}
  [[nodiscard]] const ledger::LogStatus& status() const override { return status_; }
  [[nodiscard]] Result<ledger::Recorded> record(std::span<const Bytes> entries) override {
    FIDUCIA_TRY(appended, log_.append(entries));
    ledger::Recorded recorded;
    if (!appended.empty()) recorded.checkpoint = *appended.front().checkpoint;
    recorded.entries = std::move(appended);
    return recorded;
  }

 private:
  ledger::Log log_;
  const ledger::LogStatus status_;
};

/// `fiducia-ledger append`, spoken to over its standard input and output.
class ChildRecorder final : public Recorder {
 public:
  ChildRecorder(FileLock lock, pid_t child, int to_child, int from_child)
      : lock_(std::move(lock)), child_(child), to_child_(to_child), from_child_(from_child) {}
  ChildRecorder(const ChildRecorder&) = delete;
  ChildRecorder& operator=(const ChildRecorder&) = delete;
  ~ChildRecorder() override {
    ::close(to_child_);  // it publishes what is left, and ends
    ::close(from_child_);
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  [[nodiscard]] Result<ledger::Recorded> record(std::span<const Bytes> entries) override {
    FIDUCIA_CHECK(ledger::write_frame(to_child_, ledger::write_record_request(entries)));
    FIDUCIA_TRY(recorded, read_reply());
    if (recorded.entries.size() != entries.size())
      return fail(ErrorCode::internal, "The ledger's process answered something else.",
                  "Use programs of one version.");
    return recorded;
  }
  [[nodiscard]] const ledger::LogStatus& status() const override { return status_; }
  /// Waits until the child has opened the ledger.
  [[nodiscard]] Status wait_until_ready() {
    FIDUCIA_TRY(ready, read_reply());
    FIDUCIA_TRY(note, ledger_format::read_note(ready.checkpoint));
    FIDUCIA_TRY(checkpoint, ledger_format::read_checkpoint(note.text));
    status_.origin = checkpoint.origin;
    status_.tree_size = checkpoint.tree_size;
    status_.root = checkpoint.root;
    return {};
  }
  [[nodiscard]] Result<ledger::Recorded> read_reply() const {
    FIDUCIA_TRY(frame, ledger::read_frame(from_child_));
    if (!frame)
      return fail(ErrorCode::io_unreadable, "The ledger's process ended without an answer.",
                  "Run `fiducia ledger check`, then try again; entries that are in the ledger "
                  "already keep their index.");
    return ledger::read_record_reply(*frame);
  }

 private:
  const FileLock lock_;
  const pid_t child_;
  const int to_child_;
  const int from_child_;
  ledger::LogStatus status_;
};

Result<std::unique_ptr<Recorder>> start_child(const home::Home& home, bool clock_is_right) {
  FIDUCIA_TRY(program, find_program(ledger_program_name));
  FIDUCIA_TRY(lock,
              FileLock::acquire(home.folder() / sealing_lock, limits::ledger_lock_timeout_ms));
  // Through a pipe: arguments and environment can be seen by others.
  FIDUCIA_TRY(passphrase, home.passphrase_of_ledger());
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  std::array<int, 2> secret{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0 ||
      ::pipe2(secret.data(), O_CLOEXEC) != 0)
    return fail(ErrorCode::io_unreadable, "No pipe can be made: too many files are open.",
                "Raise the limit of open files.");
  // A child that ended shows by EPIPE, not by a signal.
  std::signal(SIGPIPE, SIG_IGN);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  constexpr int secret_fd = 3;
  if (passphrase) posix_spawn_file_actions_adddup2(&actions, secret[0], secret_fd);
  std::string path = program.string();
  std::string folder = home.folder().string();
  std::string ledger = "ledger";
  std::string append = "append";
  std::string home_option = "--home";
  std::string clock_option = "--clock-is-right";
  std::string secret_option = "--passphrase-fd=" + std::to_string(secret_fd);
  std::vector<char*> arguments{path.data(), ledger.data(), append.data(), home_option.data(),
                               folder.data()};
  if (clock_is_right) arguments.push_back(clock_option.data());
  if (passphrase) arguments.push_back(secret_option.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failed =
      ::posix_spawn(&child, path.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  ::close(secret[0]);
  if (passphrase) {
    // Shorter than what a pipe takes at once; a child that ended says so itself.
    if (::write(secret[1], passphrase->data(), passphrase->size()) < 0) errno = 0;
    wipe(std::as_writable_bytes(std::span{passphrase->data(), passphrase->size()}));
  }
  ::close(secret[1]);
  if (failed != 0) {
    ::close(in[1]);
    ::close(out[0]);
    return fail(ErrorCode::config_missing, "The program for the ledger cannot be started.",
                "Install fiducia-ledger beside fiducia.", Location{.file = path});
  }
  auto recorder = std::make_unique<ChildRecorder>(std::move(lock), child, in[1], out[0]);
  FIDUCIA_CHECK(recorder->wait_until_ready());
  return recorder;
}

}  // namespace

Result<std::unique_ptr<Recorder>> open_recorder(const home::Home& home, bool clock_is_right) {
  if (home::has_ledger_file(home.folder())) return start_child(home, clock_is_right);
  FIDUCIA_TRY(key, home.ledger_key());
  FIDUCIA_TRY(log,
              ledger::Log::open(home.ledger_folder(), std::move(key), system_now, clock_is_right));
  if (const auto newest = log.status().checkpoint_at)
    FIDUCIA_CHECK(ledger::check_clock_ahead(*newest, system_now(), clock_is_right));
  return std::make_unique<LogRecorder>(std::move(log));
}

}  // namespace fiducia::sealing
