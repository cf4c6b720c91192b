// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <bit>
#include <cstring>

#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"

/// Ledger entries for measurements: as `ledger::write_entry` makes them, another one for each
/// number, in a few nanoseconds.
namespace fiducia::bench {

inline constexpr std::size_t entry_bytes = 76;
using RawEntry = std::array<std::byte, entry_bytes>;

/// The numbers of SplitMix64 (Steele, Lea, Flood 2014): another one for each `value`.
[[nodiscard]] constexpr std::uint64_t scrambled(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

/// What entry `number` says: made up, and always the same.
[[nodiscard]] inline ledger_format::Entry plain_entry(std::uint64_t number) {
  ledger_format::Entry entry;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint64_t word = scrambled(4 * number + i);
    std::memcpy(entry.sign1_hash.bytes.data() + 8 * i, &word, sizeof word);
  }
  entry.signer_hash.bytes.fill(std::byte{0x22});
  entry.claimed_at = UnixTime{1'764'000'000};
  return entry;
}

/// Writes entry `number`: a template in which only the hash of the statement differs.
class EntryWriter {
 public:
  EntryWriter() {
    const Bytes encoded = ledger_format::write_entry(plain_entry(0));
    FIDUCIA_ASSERT(encoded.size() == entry_bytes);
    std::memcpy(template_.data(), encoded.data(), entry_bytes);
    FIDUCIA_ASSERT(ledger_format::write_entry(plain_entry(7)) == bytes(7));
  }
  void write(std::uint64_t number, std::byte* to) const {
    std::memcpy(to, template_.data(), entry_bytes);
    for (std::size_t i = 0; i < 4; ++i) {
      const std::uint64_t word = scrambled(4 * number + i);
      std::memcpy(to + hash_offset + 8 * i, &word, sizeof word);
    }
  }
  [[nodiscard]] Bytes bytes(std::uint64_t number) const {
    Bytes out(entry_bytes);
    write(number, out.data());
    return out;
  }

 private:
  static constexpr std::size_t hash_offset = 5;  // 85 01 01 58 20: array, version, type, 32 bytes
  RawEntry template_{};
};

}  // namespace fiducia::bench
