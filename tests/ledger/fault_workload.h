// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "ledger/journal.h"
#include "ledger/ledger.h"

/// What the worker of the fault tests and the test itself must agree on.
namespace fiducia::ledger::test {

inline const std::string log_origin = "example.org/ledger";
inline constexpr UnixTime log_time{1'764'000'000};
inline constexpr std::size_t old_text_bytes = 3000;  // what `write` finds, all 'o'
inline constexpr std::size_t new_text_bytes = 5000;  // what it leaves, all 'n'

[[nodiscard]] inline Bytes counter_entry(std::uint64_t i) {
  Bytes entry;
  append_be(entry, i);
  return entry;
}
[[nodiscard]] inline std::vector<Bytes> counter_entries(std::uint64_t first, std::uint64_t count) {
  std::vector<Bytes> entries;
  for (std::uint64_t i = first; i < first + count; ++i) entries.push_back(counter_entry(i));
  return entries;
}

/// A log whose journal is so small that a few appends fill it.
[[nodiscard]] inline Result<Log> open_small_log(const std::filesystem::path& folder,
                                                crypto::PrivateKey key) {
  FIDUCIA_TRY(journal, LocalJournal::open(
                           folder, {.segment_bytes_min = 4 << 10, .segment_bytes_max = 16 << 10}));
  std::string origin = journal->origin();
  return Log::open(LogParts{.store = std::make_shared<DirectoryStore>(folder),
                            .sequencer = std::move(journal),
                            .origin = std::move(origin),
                            .key = std::make_shared<const crypto::PrivateKey>(std::move(key)),
                            .clock = [] { return log_time; }});
}

}  // namespace fiducia::ledger::test
