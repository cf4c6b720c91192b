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
#include "ledger/object_store.h"
#include "ledger/reader.h"
#include "ledger/sequencer.h"
#include "ledger_format/appended.h"
#include "ledger_format/note.h"
#include "ledger_format/receipt.h"

namespace fiducia::ledger {

/// What a log is made of.
struct LogParts {
  std::shared_ptr<ObjectStore> store;    // where its tiles go
  std::unique_ptr<Sequencer> sequencer;  // who decides the order of entries
  std::string origin;
  std::shared_ptr<const crypto::SigningKey> key;  // Ed25519
  Clock clock = system_now;
  /// Somebody vouches for the clock: it may be any time behind the newest checkpoint, whose date
  /// was a wrong clock's, and new ones have its time.
  bool clock_is_right = false;
};

/// A log that can be appended to, C2SP tlog-tiles (spec/ledger.md).
///
/// An append is acknowledged once its round is committed in the sequencer: entries, signed root
/// and signed checkpoint in one durable write. Tiles, `signed-root.cbor` and `checkpoint` follow
/// in the store within milliseconds, by a thread of this object; until they are there, the round
/// stays in the sequencer. Opening runs the same steps: rounds that were committed and not
/// published are published. Threads share one Log; several processes may append to one log if
/// the sequencer is made for it.
class Log {
 public:
  /// Makes a log with its genesis entry (so that no receipt has an empty path) in a new folder,
  /// with a local journal. Errors: io_unwritable, exists.
  [[nodiscard]] static Status create(const std::filesystem::path& folder, const std::string& origin,
                                     const crypto::SigningKey& key, UnixTime now);
  /// The same with other parts; the sequencer must be empty. Errors: exists, io_unwritable.
  [[nodiscard]] static Status create(LogParts parts);
  /// Opens a folder for appending. Errors: io_unreadable, io_unwritable, busy, signature_bad,
  /// malformed, ledger_conflict (checkpoint and journal do not belong together).
  [[nodiscard]] static Result<Log> open(const std::filesystem::path& folder,
                                        std::shared_ptr<const crypto::SigningKey> key,
                                        Clock clock = system_now, bool clock_is_right = false);
  [[nodiscard]] static Result<Log> open(const std::filesystem::path& folder, crypto::PrivateKey key,
                                        Clock clock = system_now, bool clock_is_right = false) {
    return open(folder, std::make_shared<const crypto::PrivateKey>(std::move(key)),
                std::move(clock), clock_is_right);
  }
  [[nodiscard]] static Result<Log> open(LogParts parts);
  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;
  /// Publishes what is not yet published.
  ~Log();

  /// Appends `entries` (encoded) as one batch; returns once the checkpoint that contains them is
  /// durable, one answer an entry. Appends that wait at the same time share one round. An entry
  /// that is in the log already, as far as the log remembers (entries since it was opened, and
  /// those of an interrupted run, at most limits::ledger_remembered_entries_max), is not appended
  /// again: its answer has the index it has. Thread-safe.
  /// Errors: io_unwritable, over_limit (entry or batch too long), clock_invalid, busy. Nothing was
  /// acknowledged then, but the entries may turn out to be in the log: append them again.
  [[nodiscard]] Result<std::vector<ledger_format::Appended>> append(std::span<const Bytes> entries);
  /// Waits until everything appended so far can be read from the store. Errors: io_unwritable.
  [[nodiscard]] Status flush();
  /// Puts a checkpoint with cosignatures in the place of the same checkpoint without, unless a
  /// newer one is published. Errors: signature_bad, malformed, io_unwritable.
  [[nodiscard]] Status publish_cosigned(const std::string& note);
  /// The signed note of the newest durable checkpoint.
  [[nodiscard]] std::string checkpoint() const;
  [[nodiscard]] LogStatus status() const;

 private:
  struct State;
  explicit Log(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Whether `now` may date the next checkpoint of a log: not if it is more than
/// limits::ledger_clock_ahead_seconds_max after the newest one (nothing was sealed for long, or the
/// clock is wrong), unless the kernel says that time servers set its clock, or `clock_is_right`.
/// Errors: clock_invalid.
[[nodiscard]] Status check_clock_ahead(UnixTime newest, UnixTime now, bool clock_is_right);

}  // namespace fiducia::ledger
