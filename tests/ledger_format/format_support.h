// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "ledger_format/ledger_format.h"
#include "support/support.h"

/// What tests of a log's formats, and of all that is built upon them, begin with.
namespace fiducia::ledger_format::test {

namespace fs = std::filesystem;
using namespace fiducia::test;

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
inline VerifierKey vkey_of(const crypto::SigningKey& key, const std::string& name = origin) {
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
/// How signature lines of a note begin (C2SP signed-note).
inline constexpr std::string_view em_dash = "\xE2\x80\x94 ";
inline std::string sentence(const Error& error) { return to_sentence(error); }

}  // namespace fiducia::ledger_format::test
