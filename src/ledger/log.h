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

struct LogStatus {
  std::string origin;
  std::uint64_t tree_size = 0;
  Digest root;
  UnixTime checkpoint_at;  // from the log's own signed root
  std::string vkey;
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

/// Reads a log's folder without a key and without a lock.
class LogReader {
 public:
  /// Verifies the checkpoint with `key`. Errors: io_unreadable, signature_bad, malformed.
  [[nodiscard]] static Result<LogReader> open(const std::filesystem::path& folder,
                                              const VerifierKey& key);
  [[nodiscard]] const LogStatus& status() const;
  [[nodiscard]] const std::string& checkpoint() const;  // the signed note
  /// Errors: io_unreadable, malformed; over_limit when index >= tree_size.
  [[nodiscard]] Result<Bytes> entry(std::uint64_t index) const;
  /// Errors as `entry`.
  [[nodiscard]] Result<std::vector<Digest>> inclusion_proof(std::uint64_t index) const;
  [[nodiscard]] Result<std::vector<Digest>> consistency_proof(std::uint64_t first) const;

  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;
  ~LogReader();

 private:
  struct State;
  explicit LogReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What `check_log` found. `damaged` names the first bad file, as a path below the folder.
struct LogCheck {
  bool ok = false;
  std::uint64_t entries_checked = 0;
  std::string damaged;
  std::string text;  // one sentence
};

/// Recomputes every leaf, tile and the root from the entries and compares with what is stored
/// and signed. `progress` gets entries done and the total. Errors: io_unreadable when the
/// checkpoint cannot be read at all.
[[nodiscard]] Result<LogCheck> check_log(
    const std::filesystem::path& folder, const VerifierKey& key,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});

/// One tlog-proof file (C2SP tlog-proof): index, path, checkpoint.
[[nodiscard]] std::string write_tlog_proof(std::uint64_t index, std::span<const Digest> path,
                                           std::string_view checkpoint);

}  // namespace fiducia::ledger
