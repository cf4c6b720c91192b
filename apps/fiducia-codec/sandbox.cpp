// SPDX-License-Identifier: Apache-2.0
#include "sandbox.h"

#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <memory>

#include "codec/protocol.h"

namespace fiducia::decoder {
namespace {

/// Memory of the process beyond what it shares with its parent. The largest frame needs its
/// samples as 32-bit integers once; OpenJPEG keeps them twice.
constexpr std::uint64_t own_memory_bytes_max = 4ULL << 30;
/// Processor time of the whole process. Parents replace it earlier (codec/child.cpp), so only
/// one that lost its parent meets this.
constexpr std::uint64_t processor_seconds_max = 3600;

#if defined(FIDUCIA_SANITIZED)
constexpr bool shadow_memory = true;  // terabytes of address space
#else
constexpr bool shadow_memory = false;
#endif

std::string failure(const char* what, int error_number) {
  return std::string(what) + ": " + std::strerror(error_number);
}

bool limit(decltype(RLIMIT_AS) resource, std::uint64_t value) {
  const rlimit both{.rlim_cur = value, .rlim_max = value};
  return setrlimit(resource, &both) == 0;
}

bool set_limits(std::uint64_t output_bytes_max) {
  return (shadow_memory ||
          limit(RLIMIT_AS, codec::protocol::memory_bytes + own_memory_bytes_max)) &&
         limit(RLIMIT_CPU, processor_seconds_max) && limit(RLIMIT_FSIZE, output_bytes_max) &&
         limit(RLIMIT_NOFILE, 4) && limit(RLIMIT_CORE, 0);
}

// --- Landlock: the kernel headers of Debian 12 stop at version 2, kernels do not ---------------

struct LandlockRules {
  std::uint64_t file_system;  // version 1
  std::uint64_t network;      // version 4
  std::uint64_t scopes;       // version 6
};

/// The rights that each version of the interface added; all of them are handled, none granted.
LandlockRules all_rights(int abi) {
  LandlockRules rules{.file_system = (1ULL << 13) - 1, .network = 0, .scopes = 0};
  if (abi >= 2) rules.file_system |= 1ULL << 13;  // refer
  if (abi >= 3) rules.file_system |= 1ULL << 14;  // truncate
  if (abi >= 4) rules.network = 3;                // bind and connect TCP
  if (abi >= 5) rules.file_system |= 1ULL << 15;  // ioctl on devices
  if (abi >= 6) rules.scopes = 3;                 // abstract sockets, signals
  return rules;
}

/// Returns the version in force, 0 where there is none.
int close_landlock() {
  constexpr unsigned ask_version = 1;
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, ask_version);
  if (abi < 1) return 0;
  const LandlockRules rules = all_rights(static_cast<int>(abi));
  const std::size_t size = abi >= 6 ? 24 : (abi >= 4 ? 16 : 8);
  const long fd = syscall(SYS_landlock_create_ruleset, &rules, size, 0);
  if (fd < 0) return 0;
  const long done = syscall(SYS_landlock_restrict_self, static_cast<int>(fd), 0);
  close(static_cast<int>(fd));
  return done == 0 ? static_cast<int>(abi) : 0;
}

// --- seccomp ----------------------------------------------------------------------------------

struct Release {
  void operator()(void* context) const { seccomp_release(context); }
};

/// Empty when the filter is in force, else what failed.
std::string close_seccomp() {
  // Refused, not killed: a library that asks for something odd while it fails should still be
  // able to fail in its own words.
  const std::unique_ptr<void, Release> filter{seccomp_init(SCMP_ACT_ERRNO(EPERM))};
  if (!filter) return "seccomp is not available";
  int error = 0;
  const auto allow = [&](int call, std::initializer_list<scmp_arg_cmp> conditions = {}) {
    if (error == 0)
      error = seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call,
                                     static_cast<unsigned>(conditions.size()), conditions.begin());
  };
  constexpr auto socket = static_cast<scmp_datum_t>(codec::protocol::socket_fd);
  allow(SCMP_SYS(read), {SCMP_A0(SCMP_CMP_EQ, socket)});
  allow(SCMP_SYS(write), {SCMP_A0(SCMP_CMP_LE, 2)});  // 1 and 2 are /dev/null
  // Memory without a file behind it and without a right to execute.
  allow(SCMP_SYS(mmap), {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                         SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS)});
  allow(SCMP_SYS(mprotect), {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)});
  for (const int call :
       {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex),
        SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
        SCMP_SYS(getrandom), SCMP_SYS(restart_syscall)})
    allow(call);
  // abort() signals itself, and nobody else.
  allow(SCMP_SYS(tgkill), {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()))});
  if (shadow_memory) {
    allow(SCMP_SYS(sigaltstack));
    allow(SCMP_SYS(sched_yield));
  }
  if (error == 0) error = seccomp_load(filter.get());
  return error == 0 ? std::string{} : failure("the seccomp filter cannot be installed", -error);
}

}  // namespace

Sandbox close_sandbox(std::uint64_t output_bytes_max) {
  Sandbox sandbox;
  // Descriptors that a parent forgot to mark; 3 was closed by main after it was mapped.
  syscall(SYS_close_range, 3U, ~0U, 0U);
  prctl(PR_SET_DUMPABLE, 0);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    sandbox.reason = failure("new privileges cannot be given up", errno);
    return sandbox;
  }
  sandbox.landlock_abi = close_landlock();
  if (!set_limits(output_bytes_max)) {
    sandbox.reason = failure("limits cannot be set", errno);
    return sandbox;
  }
  sandbox.reason = close_seccomp();
  sandbox.closed = sandbox.reason.empty();
  return sandbox;
}

bool test_sandbox() {
  struct Attempt {
    const char* what;
    long (*attempt)();
  };
  static const Attempt attempts[] = {
      {"open a file", [] { return static_cast<long>(open("/etc/passwd", O_RDONLY)); }},
      {"create a file",
       [] { return static_cast<long>(open("/tmp/fiducia-codec-test", O_RDWR | O_CREAT, 0600)); }},
      {"make a socket", [] { return static_cast<long>(socket(AF_INET, SOCK_STREAM, 0)); }},
      {"make a local socket", [] { return static_cast<long>(socket(AF_UNIX, SOCK_STREAM, 0)); }},
      {"fork", [] { return static_cast<long>(syscall(SYS_fork)); }},

      {"run a program",
       [] {
         char name[] = "/bin/true";
         char* const arguments[] = {name, nullptr};
         return static_cast<long>(execve(name, arguments, nullptr));
       }},
      {"trace the parent", [] { return ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr); }},
      {"signal the parent", [] { return static_cast<long>(kill(getppid(), 0)); }},
      {"get executable memory",
       [] {
         void* const got = mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         return got == MAP_FAILED ? -1L : 0L;
       }},
      {"raise a limit",
       [] {
         const rlimit more{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
         return static_cast<long>(setrlimit(RLIMIT_AS, &more));
       }},
  };
  bool all_refused = true;
  for (const Attempt& attempt : attempts) {
    errno = 0;
    const long got = attempt.attempt();
    const bool refused = got == -1 && errno == EPERM;
    all_refused = all_refused && refused;
    char line[128];
    const int length = std::snprintf(line, sizeof line, "%s: %s\n", attempt.what,
                                     refused ? "refused" : "NOT refused");
    if (write(1, line, static_cast<std::size_t>(length)) < 0) return false;
  }
  return all_refused;
}

}  // namespace fiducia::decoder
