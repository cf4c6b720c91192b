// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/core.h"

/// Exit codes that all programs share; those of verdicts stand in finding/finding.h.
namespace fiducia::cli {

inline constexpr int done_exit_code = 0;
/// Usage, input, output or configuration: no answer was reached.
inline constexpr int failed_exit_code = 1;
/// Damage or tampering was found, or views that are split.
inline constexpr int damaged_exit_code = 2;

/// Whether an error says that something is damaged or forged, rather than out of reach.
[[nodiscard]] bool is_damage(const Error& error);

/// What a command that may find damage ends with: its exit code, or that of its error, which is
/// printed.
[[nodiscard]] int finish(const Result<int>& done, bool json);

}  // namespace fiducia::cli
