// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ledger/ledger.h"
#include "ledger_format/bundle.h"

namespace fiducia::ledger::test {

/// All entries of a log to which nobody appends, each bundle read once: LogReader::entry parses a
/// bundle for each of its 256 entries. Whether these are those of the tree is for check_log to say.
[[nodiscard]] inline Result<std::vector<Bytes>> all_entries(const std::filesystem::path& folder,
                                                            std::uint64_t tree_size) {
  std::vector<Bytes> entries;
  for (std::uint64_t place = 0; entries.size() < tree_size; ++place) {
    const auto width = static_cast<unsigned>(std::min<std::uint64_t>(
        ledger_format::tile_width, tree_size - place * ledger_format::tile_width));
    const std::string path =
        ledger_format::tile_path({.level = {}, .index = place, .width = width});
    FIDUCIA_TRY(bundle, read_file(folder / path, ledger_format::bundle_bytes_max));
    FIDUCIA_TRY(views, ledger_format::read_bundle(bundle, width, /*exact=*/true));
    for (const ByteView view : views) entries.emplace_back(view.begin(), view.end());
  }
  return entries;
}

}  // namespace fiducia::ledger::test
