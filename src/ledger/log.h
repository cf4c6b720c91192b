// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"
#include "ledger/note.h"
#include "ledger/reader.h"
#include "ledger/receipt.h"

namespace fiducia::ledger {

/// What a ledger entry says: CBOR [1, type, statement hash, signer certificate hash, claimed
/// time] (spec/seal.md). Nothing about a patient.
enum class EntryType : std::uint8_t { genesis = 0, seal = 1 };
struct Entry {
  EntryType type = EntryType::seal;
  Digest sign1_hash;   // SHA-256 of the encoded COSE_Sign1
  Digest signer_hash;  // SHA-256 of the signer's certificate (DER)
  UnixTime claimed_at;
};
[[nodiscard]] Bytes write_entry(const Entry& entry);
/// Errors: malformed (kind "entry").
[[nodiscard]] Result<Entry> read_entry(ByteView encoded);

/// What an append is answered with, once the checkpoint that contains it is durable.
struct Appended {
  std::uint64_t index = 0;
  std::uint64_t tree_size = 0;  // of the checkpoint below
  Bytes receipt;                // COSE receipt of inclusion in that checkpoint
  UnixTime checkpoint_at;
};

/// A log in a directory, C2SP tlog-tiles layout: `checkpoint`, `tile/...`; beside them
/// `signed-root.cbor`, the COSE signature and time of the current checkpoint. Finding duplicates
/// is left to the evidence store.
///
/// Opening runs recovery: whatever lies past the durable checkpoint is unacknowledged and is
/// rebuilt or overwritten. One process appends at a time (lock file); threads share one Log.
class Log {
 public:
  /// Makes an empty log with its genesis entry (so that no receipt has an empty path).
  /// Errors: io_unwritable, conflict (a log is already there).
  [[nodiscard]] static Status create(const std::filesystem::path& folder, const std::string& origin,
                                     const crypto::PrivateKey& key, UnixTime now);
  /// Opens for appending. Errors: io_unreadable, busy, signature_bad, malformed.
  [[nodiscard]] static Result<Log> open(const std::filesystem::path& folder, crypto::PrivateKey key,
                                        Clock clock = system_now);
  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;
  ~Log();

  /// Appends `entries` (encoded) as one batch: tiles, bundles, then the checkpoint, each durable
  /// before the next; returns only then, one answer an entry. Thread-safe. Errors: io_unwritable,
  /// over_limit (entry too long); on error nothing was acknowledged.
  [[nodiscard]] Result<std::vector<Appended>> append(std::span<const Bytes> entries);
  /// The signed note of the newest durable checkpoint.
  [[nodiscard]] std::string checkpoint() const;
  [[nodiscard]] LogStatus status() const;

 private:
  struct State;
  explicit Log(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fiducia::ledger
