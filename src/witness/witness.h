// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"
#include "ledger_format/cosignature.h"
#include "ledger_format/note.h"

/// A witness (C2SP tlog-witness): cosigns a checkpoint only if it continues the last one that it
/// cosigned for the same log. No network in here.
namespace fiducia::witness {

/// The body of an add-checkpoint request: "I know you at `old_size`; `proof` leads from there to
/// `note`".
struct AddCheckpoint {
  std::uint64_t old_size = 0;
  std::vector<Digest> proof;  // RFC 6962 section 2.1.2, at most limits::witness_proof_lines_max
  std::string note;           // the signed checkpoint, verbatim
};
/// Does not parse the note. Errors: malformed (kind "request"), over_limit.
[[nodiscard]] Result<AddCheckpoint> read_add_checkpoint(std::string_view body);
[[nodiscard]] std::string write_add_checkpoint(const AddCheckpoint& request);

/// The answers that tlog-witness knows; the value is the HTTP status.
enum class WitnessStatus : std::uint16_t {
  cosigned = 200,      // body: the cosignature line
  bad_request = 400,   // does not parse, or an old size past the checkpoint's
  forbidden = 403,     // no good signature by a key of this log
  unknown_log = 404,   // no log of this origin
  stale = 409,         // the old size is not that of the last cosigned checkpoint; body: that size
  inconsistent = 422,  // the proof does not lead to the checkpoint, or the roots differ
};

struct WitnessAnswer {
  WitnessStatus status = WitnessStatus::bad_request;
  std::string content_type;  // of `body`
  std::string body;
  std::string text;      // one sentence for the witness's own journal; holds no secret
  std::string evidence;  // file name below the log's `evidence` folder, if something was kept
};

/// A log that a witness follows.
struct WitnessedLog {
  std::string origin;
  std::vector<ledger_format::VerifierKey>
      keys;  // one good signature is enough, a bad one by any refuses
  std::optional<ledger_format::Checkpoint> latest;  // absent: nothing was cosigned yet
  UnixTime cosigned_at;                             // of `latest`
  std::vector<std::string> evidence;  // names of files that speak of a misbehaving log
};

/// Lower-case hex of SHA-256 of the origin: the log's name in paths and URLs (tlog-witness).
[[nodiscard]] std::string origin_hash(std::string_view origin);

/// The witness in a folder:
///
///   witness.vkey             its verifier key, to hand out; type 4
///   key.pem                  mode 0600
///   logs/<origin hash>/log   the origin, then one verifier key a line; no such file, unknown log
///                     /state what it cosigned last and when; written before the cosignature exists
///                     /lock  held from reading `state` to having replaced it
///                     /evidence/  notes that show a log misbehaving
///
/// Invariant: two checkpoints that it ever cosigned for an origin are consistent, whatever dies
/// when, however many processes and threads serve the folder: `state` is compared and replaced
/// durably under the lock, and a cosignature is computed only for what is durably there. A lost or
/// damaged `state` is never taken for an empty one.
/// Thread safety: const methods may run concurrently.
class Witness {
 public:
  /// Makes the folder, and a key in it unless `key` is given, which lies elsewhere (Ed25519; it is
  /// asked for its public half only). `name` is the witness's key name, a URL without scheme for
  /// instance. Errors: usage_invalid (name), unsupported (another kind of key), exists (a witness
  /// is there), io_unwritable.
  [[nodiscard]] static Status create(const std::filesystem::path& folder, const std::string& name,
                                     const crypto::SigningKey* key = nullptr);
  /// Signs with `key` where one is given, and else with the folder's key.pem. Errors:
  /// config_missing (no witness), io_unreadable, malformed, config_invalid (the key does not
  /// belong to the verifier key).
  [[nodiscard]] static Result<Witness> open(const std::filesystem::path& folder,
                                            Clock clock = system_now,
                                            std::shared_ptr<const crypto::SigningKey> key = {});
  Witness(Witness&&) noexcept;
  Witness& operator=(Witness&&) noexcept;
  ~Witness();

  [[nodiscard]] const ledger_format::VerifierKey& key() const;

  /// From now on checkpoints of `origin` signed by `key` are cosigned; also by a witness that is
  /// being served. A second key of a known origin is one more. Errors: usage_invalid (an origin
  /// that no checkpoint can have, the witness's own key), exists (known already), busy,
  /// io_unwritable.
  [[nodiscard]] Status add_log(const std::string& origin,
                               const ledger_format::VerifierKey& key) const;
  /// Sorted by origin. Errors: io_unreadable, malformed (a damaged state).
  [[nodiscard]] Result<std::vector<WitnessedLog>> logs() const;

  /// Judges one request in the order of tlog-witness, and cosigns. What the requester did wrong is
  /// an answer; an Error is trouble of the witness itself, after which nothing was cosigned:
  /// io_unwritable, io_unreadable, malformed (damaged state), busy, clock_invalid.
  [[nodiscard]] Result<WitnessAnswer> add_checkpoint(std::string_view body) const;
  /// The same for a request in parts.
  [[nodiscard]] Result<WitnessAnswer> add_checkpoint(const AddCheckpoint& request) const;

  /// The last cosigned checkpoint with the log's and the witness's signatures; nothing for an
  /// unknown log or before the first. `hash` as from `origin_hash`, from a stranger.
  /// Errors: as `add_checkpoint`.
  [[nodiscard]] Result<std::optional<std::string>> latest(std::string_view hash) const;

 private:
  struct State;
  explicit Witness(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fiducia::witness
