// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <span>

#include "core/core.h"

/// Temporary files that a killed `seal` left behind.
///
/// durable_write makes `.FILE.XXXXXX` beside FILE; a kill between that and the rename leaves it.
/// Its name alone does not tell it from a user's `.FILE.backup`, so the files about to be written
/// are noted in the home first: only temporaries of noted files, made since, are removed.
namespace fiducia::home {

/// Notes that `targets` are about to be written. The home's ledger lock must be held.
/// Errors: io_unwritable.
[[nodiscard]] Status note_writing(const std::filesystem::path& home,
                                  std::span<const std::filesystem::path> targets);

/// The writing that was noted is complete.
void forget_writing(const std::filesystem::path& home);

/// Removes what an earlier, killed process noted and left behind; returns how many files.
std::size_t remove_leftovers(const std::filesystem::path& home);

}  // namespace fiducia::home
