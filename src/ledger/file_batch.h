// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <span>
#include <string>

#include "core/core.h"

/// Inside the ledger: several new files made durable together.
namespace fiducia::ledger {

struct NewFile {
  std::string path;  // below the log's folder
  Bytes content;
};

/// Writes `files` below `folder`, making folders as needed; on return all of them are durable.
///
/// All are written and renamed into place first and synced afterwards, so that the file system
/// commits its journal once for the lot: one fsync a file, one a folder that gained a name. A
/// crash may leave some of them torn: nothing may refer to them before this returns. On failure
/// no file of the batch is left. Errors: io_unwritable.
[[nodiscard]] Status write_files(const std::filesystem::path& folder,
                                 std::span<const NewFile> files);

}  // namespace fiducia::ledger
