// SPDX-License-Identifier: Apache-2.0
#include "codec/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <utility>

#include "codec/protocol.h"
#include "core/descriptor.h"

namespace fiducia::codec {
namespace {

using Clock = std::chrono::steady_clock;
using protocol::Answer;

/// Wall time after which a child is replaced between two frames, so that honest work never meets
/// the limit on processor time that the child sets itself (sandbox.cpp of fiducia-codec).
constexpr auto child_age_max = std::chrono::minutes{20};
/// Frames above this size give their pages back afterwards; smaller ones keep them warm.
constexpr std::uint64_t warm_bytes_max = 64ULL << 20;
/// Time a frame of no size may take: the slowest decoder, on a machine that does much else ...
constexpr std::uint64_t patience_ms = 10'000;
/// ... and what a millisecond more must yield. The slowest decoder yields 18,000 bytes.
constexpr std::uint64_t bytes_a_ms = 1'000;
#if defined(FIDUCIA_SANITIZED)
constexpr std::uint64_t slower = 20;  // than without sanitizers
#else
constexpr std::uint64_t slower = 1;
#endif

std::unexpected<Error> failed(std::string what, std::string remedy) {
  return fail(ErrorCode::codec_failed, std::move(what), std::move(remedy));
}

std::string reason(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

/// The memory both sides see, mapped here for reading and writing. Its size is fixed before the
/// child exists and sealed: a child cannot shrink it to make us fault.
class SharedMemory {
 public:
  SharedMemory() = default;
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() {
    if (base_ != nullptr) munmap(base_, protocol::memory_bytes);
  }
  Status open() {
    if (base_ != nullptr) return {};
    Descriptor fd{memfd_create("fiducia-codec", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    if (fd.value() < 0 || ftruncate(fd.value(), static_cast<off_t>(protocol::memory_bytes)) != 0 ||
        fcntl(fd.value(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
      return failed("no memory can be shared with the decoder: " + reason(errno) + ".",
                    "Free memory and try again.");
    void* const base = mmap(nullptr, protocol::memory_bytes, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_NORESERVE, fd.value(), 0);
    if (base == MAP_FAILED)
      return failed("no memory can be shared with the decoder: " + reason(errno) + ".",
                    "Raise the limit on virtual memory (ulimit -v).");
    // A fork of ours must not see patients' pixels, nor should a core dump.
    madvise(base, protocol::memory_bytes, MADV_DONTFORK);
    madvise(base, protocol::memory_bytes, MADV_DONTDUMP);
    base_ = static_cast<std::byte*>(base);
    fd_ = std::move(fd);
    return {};
  }
  [[nodiscard]] int fd() const { return fd_.value(); }
  [[nodiscard]] std::byte* input() const { return base_; }
  [[nodiscard]] const std::byte* output() const { return base_ + protocol::output_offset; }
  /// Gives the pages back to the kernel, after a large frame.
  void drop() const {
    fallocate(fd_.value(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
              static_cast<off_t>(protocol::memory_bytes));
  }

 private:
  Descriptor fd_;
  std::byte* base_ = nullptr;
};

/// What the child may see of our environment: where its libraries are, how sanitizers behave,
/// and the word that it may run without a sandbox.
std::vector<char*> child_environment() {
  constexpr std::array<std::string_view, 6> kept = {
      "LD_LIBRARY_PATH=", "ASAN_OPTIONS=",      "UBSAN_OPTIONS=",
      "TSAN_OPTIONS=",    "LLVM_PROFILE_FILE=", "FIDUCIA_CODEC_UNSANDBOXED="};
  std::vector<char*> out;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
    for (const std::string_view name : kept)
      if (std::string_view{*variable}.starts_with(name)) out.push_back(*variable);
  out.push_back(nullptr);
  return out;
}

}  // namespace

struct CodecChild::State {
  std::filesystem::path program;
  std::uint32_t timeout_ms = limits::decode_timeout_ms;
  SharedMemory memory;
  Descriptor socket;
  pid_t pid = -1;
  Clock::time_point started;
  std::uint64_t pages_used = 0;  // high-water mark in bytes since the last drop()
  std::uint64_t time_left = std::numeric_limits<std::uint64_t>::max();  // ns of the processor

  ~State() { stop(); }
  Status start();
  void stop();
  [[nodiscard]] std::string obituary();
  [[nodiscard]] std::uint64_t processor_time() const;
  [[nodiscard]] bool send(ByteView message) const;
  Result<Bytes> exchange(ByteView message, std::uint64_t patience);
  Result<Bytes> receive(std::uint64_t patience);
  Result<Decoded> ask();

  protocol::Request request;  // sent last; its input lies in `memory`
};

Status CodecChild::State::start() {
  if (pid > 0 && Clock::now() - started < child_age_max) return {};
  stop();
  if (::access(program.c_str(), X_OK) != 0)
    return fail(ErrorCode::codec_missing, "the decoder fiducia-codec is not installed.",
                "Install fiducia-codec beside fiducia, or name it in FIDUCIA_CODEC.",
                Location{.file = program.string()});
  FIDUCIA_CHECK(memory.open());
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return failed("the decoder cannot be started: " + reason(errno) + ".", "Try again.");
  Descriptor ours{ends[0]};
  // posix_spawn's dup2 keeps close-on-exec when both numbers are the same, so keep them apart.
  Descriptor theirs{fcntl(ends[1], F_DUPFD_CLOEXEC, 10)};
  ::close(ends[1]);
  const Descriptor shared{fcntl(memory.fd(), F_DUPFD_CLOEXEC, 10)};
  if (theirs.value() < 0 || shared.value() < 0)
    return failed("the decoder cannot be started: " + reason(errno) + ".", "Try again.");

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  // Its standard output and error go nowhere: what a decoder prints is an attacker's text.
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawn_file_actions_adddup2(&actions, theirs.value(), protocol::socket_fd);
  posix_spawn_file_actions_adddup2(&actions, shared.value(), protocol::memory_fd);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string name = "fiducia-codec";
  char* arguments[] = {name.data(), nullptr};
  std::vector<char*> environment = child_environment();
  pid_t child = -1;
  const int error =
      posix_spawn(&child, program.c_str(), &actions, &attributes, arguments, environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0)
    return fail(ErrorCode::codec_missing,
                "the decoder fiducia-codec cannot be started: " + reason(error) + ".",
                "Install fiducia-codec beside fiducia, or name it in FIDUCIA_CODEC.",
                Location{.file = program.string()});
  pid = child;
  socket = std::move(ours);
  started = Clock::now();
  return {};
}

void CodecChild::State::stop() {
  socket.reset();
  if (pid <= 0) return;
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid = -1;
}

/// Collects a child that closed its end, and says how it ended.
std::string CodecChild::State::obituary() {
  socket.reset();
  // It closed the socket by ending; should it live on, it does not deserve to.
  constexpr int end_patience_ms = 100;
  const Descriptor ended{static_cast<int>(syscall(SYS_pidfd_open, pid, 0))};
  pollfd wait{.fd = ended.value(), .events = POLLIN, .revents = 0};
  while (poll(&wait, 1, end_patience_ms) < 0 && errno == EINTR) {
  }
  int status = 0;
  const pid_t got = waitpid(pid, &status, WNOHANG);
  if (got == 0) {
    stop();
    return "the decoder closed its connection";
  }
  pid = -1;
  if (got > 0 && WIFSIGNALED(status))
    return "the decoder died (signal " + std::to_string(WTERMSIG(status)) + ")";
  return "the decoder ended by itself";
}

bool CodecChild::State::send(ByteView message) const {
  ssize_t sent = 0;
  do {
    sent = ::send(socket.value(), message.data(), message.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(message.size());
}

/// Processor time of the child so far, in ns of a build without sanitizers; 0 where nobody knows.
std::uint64_t CodecChild::State::processor_time() const {
  clockid_t clock{};
  timespec now{};
  if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &now) != 0)
    return 0;
  return (static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
          static_cast<std::uint64_t>(now.tv_nsec)) /
         slower;
}

Result<Bytes> CodecChild::State::receive(std::uint64_t patience) {
  const auto last_deadline = Clock::now() + std::chrono::milliseconds{timeout_ms};
  auto deadline = Clock::now() + std::chrono::milliseconds{patience};
  std::uint64_t seen = 0;  // of its processor time when patience ended last
  const std::uint64_t begun = processor_time();
  const std::uint64_t may_take = time_left;
  for (;;) {
    const std::uint64_t now = processor_time();
    const std::uint64_t taken = now - std::min(now, begun);
    time_left = may_take - std::min(may_take, taken);
    if (time_left == 0) {
      stop();
      return fail(ErrorCode::over_limit,
                  "it takes the decoder more processor time than a frame of its size may.",
                  "Convert it to an uncompressed transfer syntax first, if its source is trusted.");
    }
    // On a busy machine it may be slow; one that does something is waited for.
    if (Clock::now() >= deadline && taken > seen) {
      seen = taken;
      deadline = std::min(last_deadline, Clock::now() + std::chrono::milliseconds{patience});
    }
    const std::int64_t patient =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    // It has one thread, so it cannot run out of processor time before that much has passed.
    const std::uint64_t step_ms = time_left / 1'000'000 * slower + 1;
    pollfd wait{.fd = socket.value(), .events = POLLIN, .revents = 0};
    const int ready = patient <= 0 ? 0
                                   : poll(&wait, 1,
                                          static_cast<int>(std::min<std::uint64_t>(
                                              static_cast<std::uint64_t>(patient), step_ms)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0 && patient > 0) continue;
    if (ready <= 0) {
      stop();
      return failed(
          "the decoder took longer than " + std::to_string(patience) + " ms for one frame.",
          "Do not trust this file; fetch it again from its source.");
    }
    Bytes message(protocol::message_bytes_max);
    const ssize_t got = recv(socket.value(), message.data(), message.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0)
      return failed(obituary() + " while decoding a frame.",
                    "Do not trust this file; fetch it again from its source.");
    message.resize(static_cast<std::size_t>(got));
    const std::uint64_t end = processor_time();
    time_left = may_take - std::min(may_take, end - std::min(end, begun));
    return message;
  }
}

/// Sends a request and waits for the response. A child that died while idle is no fault of this
/// frame: it is replaced once.
Result<Bytes> CodecChild::State::exchange(ByteView message, std::uint64_t patience) {
  if (!send(message)) {
    static_cast<void>(obituary());
    FIDUCIA_CHECK(start());
    if (!send(message))
      return failed(obituary() + " before it took a frame.",
                    "Check the installation of fiducia-codec.");
  }
  return receive(patience);
}

CodecChild::CodecChild(std::filesystem::path program, std::uint32_t timeout_ms)
    : state_(std::make_unique<State>()) {
  state_->program = std::move(program);
  state_->timeout_ms = timeout_ms;
}
CodecChild::CodecChild(CodecChild&&) noexcept = default;
CodecChild& CodecChild::operator=(CodecChild&&) noexcept = default;
CodecChild::~CodecChild() = default;

void CodecChild::limit_time(std::uint64_t ns) { state_->time_left = ns; }
std::uint64_t CodecChild::time_left() const { return state_->time_left; }

Result<Decoded> CodecChild::decode(dicom::PixelEncoding encoding, const Geometry& geometry,
                                   std::span<const ByteView> pieces, bool renditions_follow) {
  State& state = *state_;
  const std::uint64_t frame_bytes = geometry.frame_bytes();
  std::uint64_t input_bytes = 0;
  for (const ByteView piece : pieces) {
    if (piece.size() > limits::encoded_frame_bytes_max - input_bytes)
      return fail(ErrorCode::over_limit, "the encoded frame is too large.",
                  "Split the object into smaller ones.");
    input_bytes += piece.size();
  }
  if (frame_bytes > limits::frame_bytes_max)
    return fail(ErrorCode::over_limit, "the decoded frame is too large.",
                "Split the object into smaller ones.");
  if (state.pages_used > warm_bytes_max) {
    state.memory.drop();
    state.pages_used = 0;
  }
  FIDUCIA_CHECK(state.start());
  std::byte* to = state.memory.input();
  for (const ByteView piece : pieces) {
    if (!piece.empty()) std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  }
  state.pages_used = std::max(state.pages_used, input_bytes + frame_bytes);
  state.request = {.encoding = encoding,
                   .geometry = geometry,
                   .input_bytes = input_bytes,
                   .turn = renditions_follow ? protocol::Turn::first : protocol::Turn::alone};
  return state.ask();
}

Result<Decoded> CodecChild::decode_again(Rendition rendition) {
  FIDUCIA_ASSERT(state_->request.input_bytes > 0 && rendition != Rendition::rgb_interpolated);
  FIDUCIA_CHECK(state_->start());
  state_->request.turn = protocol::Turn::next;
  state_->request.rendition = rendition;
  return state_->ask();
}

/// Sends `request` and takes what the child makes of it.
Result<Decoded> CodecChild::State::ask() {
  const std::uint64_t frame_bytes = request.geometry.frame_bytes();
  // A small frame that takes a minute is no frame: many such would stop a whole folder.
  const std::uint64_t patience =
      std::min<std::uint64_t>(timeout_ms, patience_ms + frame_bytes / bytes_a_ms);
  FIDUCIA_TRY(message, exchange(protocol::write_request(request), patience));
  auto response = protocol::read_response(message, request.geometry);
  if (!response) {
    stop();  // whatever it is now, it is not our decoder
    return std::unexpected(std::move(response).error());
  }
  switch (response->answer) {
    case Answer::decoded:
      break;
    case Answer::codec_missing:
      return fail(ErrorCode::codec_missing, std::move(response->sentence),
                  "Install a fiducia-codec that was built with this codec.");
    case Answer::too_big:
      return fail(ErrorCode::over_limit, std::move(response->sentence),
                  "Convert it to an uncompressed transfer syntax first, if its source is trusted.");
    case Answer::refused:
      return failed(std::move(response->sentence), "Fetch the file again from its source.");
  }
  return Decoded{.samples = {memory.output(), static_cast<std::size_t>(frame_bytes)},
                 .lossless = response->lossless,
                 .photometric_interpretation = std::move(response->photometric_interpretation),
                 .decoder = std::move(response->decoder),
                 .oddities = response->oddities};
}

std::filesystem::path codec_program() { return locate_program(codec_program_name); }

}  // namespace fiducia::codec
