// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "ledger/ledger.h"
#include "support/support.h"

namespace fiducia::ledger::test {

namespace fs = std::filesystem;
using namespace fiducia::test;

/// These tests are about which bytes are where, and make thousands of appends.
inline const bool scratch_in_memory = fiducia::test::scratch_into_memory();

inline constexpr UnixTime noon{1'764'000'000};
inline const std::string origin = "example.org/ledger";

inline crypto::PrivateKey new_key() {
  auto key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519);
  FIDUCIA_ASSERT(key.has_value());
  return std::move(*key);
}
inline crypto::PrivateKey copy_of(const crypto::PrivateKey& key) {
  auto copy = crypto::PrivateKey::read_pem(key.write_pem().value());
  FIDUCIA_ASSERT(copy.has_value());
  return std::move(*copy);
}
inline VerifierKey vkey_of(const crypto::PrivateKey& key, const std::string& name = origin) {
  return make_vkey(name, NoteKeyType::ed25519, key.public_key().write_ed25519());
}
inline Clock at(UnixTime time) {
  return [time] { return time; };
}
inline std::string read_text(const fs::path& path) {
  const auto bytes = read_file(path, 64 << 20);
  FIDUCIA_ASSERT(bytes.has_value());
  return std::string{as_text(*bytes)};
}
inline void write_plain(const fs::path& path, ByteView bytes) {
  std::ofstream{path, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                              static_cast<std::streamsize>(bytes.size()));
}
inline Bytes counter_entry(std::uint64_t i) {
  Bytes entry;
  append_be(entry, i);
  return entry;
}
inline std::vector<Bytes> counter_entries(std::uint64_t first, std::uint64_t count) {
  std::vector<Bytes> entries;
  for (std::uint64_t i = first; i < first + count; ++i) entries.push_back(counter_entry(i));
  return entries;
}
/// Appends and waits until readers see it.
inline Result<std::vector<Appended>> append_shown(Log& log, std::span<const Bytes> entries) {
  auto answers = log.append(entries);
  if (!answers) return answers;
  FIDUCIA_CHECK(log.flush());
  return answers;
}
/// How signature lines of a note begin (C2SP signed-note).
inline constexpr std::string_view em_dash = "\xE2\x80\x94 ";
inline std::string sentence(const Error& error) { return to_sentence(error); }

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
