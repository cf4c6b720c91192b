// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

namespace fiducia::decoder {

/// What confines this process, or why nothing does.
struct Sandbox {
  bool closed = false;   // the seccomp filter is in force
  int landlock_abi = 0;  // 0: the kernel has none
  std::string reason;    // when not closed: what failed
};

/// Gives up, for good: descriptors above the protocol's, files and network (Landlock where the
/// kernel has it), new privileges, memory, processor time, and every system call that decoding
/// does not need (seccomp; they fail with EPERM). Call after prepare(), before reading input.
/// `output_bytes_max` is how far a file may grow that was open before.
[[nodiscard]] Sandbox close_sandbox(std::uint64_t output_bytes_max = 0);

/// Tries what must not work any more; one line each to standard output. True when all of it was
/// refused. For --self-test-sandbox.
[[nodiscard]] bool test_sandbox();

}  // namespace fiducia::decoder
