// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <stdlib.h>
#include <unistd.h>

#include <map>

#include "format_support.h"
#include "ledger/ledger.h"

namespace fiducia::ledger::test {

using namespace fiducia::test;
using namespace fiducia::ledger_format::test;

/// These tests are about which bytes are where, and make thousands of appends.
inline const bool scratch_in_memory = fiducia::test::scratch_into_memory();

/// Appends and waits until readers see it.
inline Result<std::vector<ledger_format::Appended>> append_shown(Log& log,
                                                                 std::span<const Bytes> entries) {
  auto answers = log.append(entries);
  if (!answers) return answers;
  FIDUCIA_CHECK(log.flush());
  return answers;
}
/// A log in a scratch folder, opened.
struct ScratchLog {
  ScratchFolder scratch;
  crypto::PrivateKey key = new_key();
  fs::path folder = scratch.path() / "ledger";
  ScratchLog() {
    const auto created = Log::create(folder, origin, key, noon);
    FIDUCIA_ASSERT(created.has_value());
  }
  [[nodiscard]] Result<Log> open(UnixTime time = noon) const {
    return Log::open(folder, copy_of(key), at(time));
  }
  [[nodiscard]] Result<LogReader> read() const { return LogReader::open(folder, vkey_of(key)); }
  [[nodiscard]] Result<LogCheck> check() const { return check_log(folder, vkey_of(key)); }
};

/// The whole content of a folder, to compare and to put back.
using Snapshot = std::map<std::string, Bytes>;
inline Snapshot snapshot(const fs::path& folder) {
  Snapshot files;
  const auto list = list_files(folder);
  FIDUCIA_ASSERT(list.has_value());
  for (const fs::path& path : *list)
    if (path.filename() != "lock")
      files[path.lexically_relative(folder).string()] = read_file(path, 64 << 20).value();
  return files;
}
/// The same without the journal, which is no part of the public log.
inline Snapshot public_snapshot(const fs::path& folder) {
  Snapshot files = snapshot(folder);
  std::erase_if(files, [](const auto& file) { return file.first.starts_with(".journal/"); });
  return files;
}
inline void restore(const fs::path& folder, const Snapshot& files) {
  fs::remove_all(folder);
  for (const auto& [name, bytes] : files) {
    fs::create_directories((folder / name).parent_path());
    write_plain(folder / name, bytes);
  }
}

}  // namespace fiducia::ledger::test
