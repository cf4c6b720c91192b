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

/// Says in the home that files are about to be written, until it ends. Each has a file of its own,
/// so that threads write at the same time. The home's ledger lock must be held.
class WritingNote {
 public:
  /// Without targets it says nothing. Errors: io_unwritable.
  [[nodiscard]] static Result<WritingNote> make(const std::filesystem::path& home,
                                                std::span<const std::filesystem::path> targets);
  WritingNote(WritingNote&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  WritingNote& operator=(WritingNote&&) = delete;
  ~WritingNote();

 private:
  explicit WritingNote(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;  // empty: says nothing
};

/// Removes what an earlier, killed process noted and left behind; returns how many files.
std::size_t remove_leftovers(const std::filesystem::path& home);

}  // namespace fiducia::home
