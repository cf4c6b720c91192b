// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/core.h"

/// Runs ledger_fault_worker on a disk that fails as planned (fault_shim.cpp).
namespace fiducia::ledger::test {

/// What the worker tells while it runs, one write to a pipe each, so that a death of the worker
/// cuts no message in half. Both sides are one build on one machine: plain structs.
struct Told {
  enum Kind : std::uint8_t {
    acknowledged,  // entries `counter`... have the indices `index`..., in the tree of `size`
    seen,          // a checkpoint with `size` and `root` was handed out or published
    refused,       // an append failed; `text` is its sentence
    reopened,      // the log was opened again, as it refused everything
    wrong,         // the worker itself saw something that must not be
  };
  Kind kind = wrong;
  std::uint64_t index = 0;
  std::uint64_t counter = 0;
  std::uint64_t count = 0;
  std::uint64_t size = 0;
  Digest root = {};
  char text[512] = {};
};

struct FaultRun {
  std::vector<std::string> arguments;  // of the worker
  std::filesystem::path folder;        // that is watched
  std::string plan;                    // "" : no fault, but calls are counted
  std::uint64_t seed = 0;
  std::string boot = {};  // the boot id that the worker sees; "": the machine's
  /// Kills the worker after this time, if it still lives.
  std::optional<std::chrono::microseconds> kill_after = {};
};

struct FaultOutcome {
  int status = 0;  // as waitpid gives it
  std::vector<Told> told;
  std::string output;       // what the worker wrote to standard error
  std::string report;       // what the shim says: which calls were struck
  std::uint64_t calls = 0;  // total, 0 when the worker did not end by itself
  [[nodiscard]] bool ended_well() const { return status == 0; }
  [[nodiscard]] bool was_killed() const;
};

/// Starts the worker and waits for its end. `folder` must not be the root of its file system:
/// two folders of the shim are made beside it and removed again.
[[nodiscard]] FaultOutcome run_worker(const FaultRun& run);

}  // namespace fiducia::ledger::test
