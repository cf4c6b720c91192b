// SPDX-License-Identifier: Apache-2.0
#include "witness/witness.h"

#include <algorithm>
#include <map>

#include "core/temporary.h"
#include "merkle/merkle.h"
#include "witness/witness_memory.h"

namespace fiducia::witness {
namespace {

namespace fs = std::filesystem;

constexpr const char* vkey_file = "witness.vkey";
constexpr const char* key_file = "key.pem";
constexpr const char* logs_folder = "logs";
constexpr std::uint64_t key_bytes_max = 64 << 10;
constexpr std::string_view plain_text = "text/plain; charset=utf-8";

WitnessAnswer refuse(WitnessStatus status, std::string text) {
  return {.status = status,
          .content_type = std::string{plain_text},
          .body = text + "\n",
          .text = std::move(text),
          .evidence = {}};
}

/// What a checkpoint can have as its first line; a note holds no control characters.
bool is_origin(std::string_view origin) {
  return !origin.empty() && is_utf8(origin) &&
         std::none_of(origin.begin(), origin.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

Result<SeenTree> seen_tree(const WitnessMemory& memory) {
  if (memory.empty()) return SeenTree{.size = 0, .root = merkle::empty_root()};
  FIDUCIA_TRY(note, ledger_format::read_note(memory.note));
  FIDUCIA_TRY(checkpoint, ledger_format::read_checkpoint(note.text));
  return SeenTree{.size = checkpoint.tree_size, .root = checkpoint.root};
}

/// A request whose note was read and whose log is known.
struct Submitted {
  const AddCheckpoint& request;
  ledger_format::Note note;
  ledger_format::Checkpoint checkpoint;
};

/// The rules of tlog-witness behind the signature, in their order; nothing: cosign it.
std::optional<WitnessAnswer> find_fault(const Submitted& submitted, const SeenTree& seen) {
  const auto& [request, note, checkpoint] = submitted;
  if (request.old_size > checkpoint.tree_size)
    return refuse(WitnessStatus::bad_request, "The old size is past the size of the checkpoint.");
  if (request.old_size != seen.size) {
    WitnessAnswer answer =
        refuse(WitnessStatus::stale, "The last checkpoint cosigned for this log has the size " +
                                         std::to_string(seen.size) + ", not the old size given.");
    answer.content_type = "text/x.tlog.size";
    answer.body = std::to_string(seen.size) + "\n";
    return answer;
  }
  if (checkpoint.tree_size == 0 && checkpoint.root != merkle::empty_root())
    return refuse(WitnessStatus::inconsistent, "An empty tree has another root than it must.");
  if (request.old_size == 0) {
    // From nothing every tree grows; RFC 6962 has no proof for it.
    if (request.proof.empty()) return std::nullopt;
    return refuse(WitnessStatus::inconsistent, "A proof from the old size 0 is empty.");
  }
  if (request.old_size == checkpoint.tree_size && checkpoint.root != seen.root)
    return refuse(WitnessStatus::inconsistent,
                  "Another root was cosigned for this size: the log shows two trees.");
  if (const auto grown = merkle::verify_consistency(request.old_size, checkpoint.tree_size,
                                                    seen.root, checkpoint.root, request.proof);
      !grown)
    return refuse(WitnessStatus::inconsistent,
                  "The consistency proof does not lead from the last cosigned checkpoint to this "
                  "one: " +
                      grown.error().what + ".");
  return std::nullopt;
}

/// Text, an empty line and those of the signature lines that verified.
std::string keep_verified(const ledger_format::Note& note,
                          std::span<const ledger_format::VerifiedSignature> verified) {
  std::string kept = note.text + "\n";
  for (const ledger_format::VerifiedSignature& signature : verified) {
    const auto line = std::find_if(
        note.signatures.begin(), note.signatures.end(), [&](const ledger_format::NoteSignature& l) {
          return l.name == signature.name && l.key_id == signature.key_id;
        });
    kept += ledger_format::write_signature_line(*line);
  }
  return kept;
}

}  // namespace

std::string origin_hash(std::string_view origin) {
  return to_hex(crypto::sha256(as_bytes(origin)).view());
}

struct Witness::State {
  fs::path folder;
  ledger_format::VerifierKey vkey;
  std::shared_ptr<const crypto::SigningKey> key;
  Clock clock;

  Mutex mutex;  // not held during I/O
  // By origin hash: the memory that this process knows to be durable. What another process left
  // may be in place and yet not survive a loss of power.
  std::map<std::string, WitnessMemory, std::less<>> durable FIDUCIA_GUARDED_BY(mutex);

  [[nodiscard]] WitnessFolder log(std::string_view hash) const {
    return WitnessFolder{folder / logs_folder / hash};
  }
  void remember(const std::string& hash, const WitnessMemory& memory) {
    const MutexLock lock{mutex};
    durable[hash] = memory;
  }
  [[nodiscard]] std::optional<WitnessMemory> remembered(std::string_view hash) {
    const MutexLock lock{mutex};
    const auto found = durable.find(hash);
    if (found == durable.end()) return std::nullopt;
    return found->second;
  }
  [[nodiscard]] Result<std::string> cosignature_line(const WitnessMemory& memory) const {
    FIDUCIA_TRY(note, ledger_format::read_note(memory.note));
    FIDUCIA_TRY(line, ledger_format::cosign(note.text, vkey, *key, memory.time));
    return ledger_format::write_signature_line(line);
  }
  [[nodiscard]] Result<UnixTime> time_after(UnixTime last) const;
  [[nodiscard]] Result<WitnessAnswer> judge(
      const Submitted& submitted, const WitnessFolder& log,
      std::span<const ledger_format::VerifiedSignature> verified);
  void keep_evidence(const Submitted& submitted, const WitnessFolder& log,
                     const WitnessMemory& memory, const SeenTree& seen, WitnessAnswer& answer);
};

Witness::Witness(std::unique_ptr<State> state) : state_(std::move(state)) {}
Witness::Witness(Witness&&) noexcept = default;
Witness& Witness::operator=(Witness&&) noexcept = default;
Witness::~Witness() = default;

const ledger_format::VerifierKey& Witness::key() const { return state_->vkey; }

namespace {

bool is_key_file(std::string_view name) { return name == key_file || name == vkey_file; }

/// What killed processes left; where somebody else is at work, it stays for the next time.
void remove_leftovers(const fs::path& folder) {
  if (const auto lock = FileLock::acquire(folder / "lock", 0))
    remove_temporaries(folder, is_key_file);
  std::error_code error;
  for (fs::directory_iterator at(folder / logs_folder, error), end; !error && at != end;
       at.increment(error))
    WitnessFolder(at->path()).remove_leftovers();
}

}  // namespace

Status Witness::create(const fs::path& folder, const std::string& name,
                       const crypto::SigningKey* key) {
  if (!ledger_format::is_key_name(name))
    return fail(ErrorCode::usage_invalid,
                "A witness's name must not be empty or hold a space, '+' or control character.",
                "Choose a name like witness.example.org.");
  if (key != nullptr && key->public_key().kind() != crypto::KeyKind::ed25519)
    return fail(ErrorCode::unsupported, "A witness signs with an Ed25519 key.",
                "Make an Ed25519 key for the witness.");
  std::error_code error;
  fs::create_directories(folder / logs_folder, error);
  if (error)
    return fail(ErrorCode::io_unwritable, "cannot be made: " + error.message() + ".",
                "Check free space and the permissions of the folder above.",
                Location{.file = folder.string()});
  const auto lock = FileLock::acquire(folder / "lock", limits::witness_lock_timeout_ms);
  if (!lock) return std::unexpected(lock.error());
  remove_temporaries(folder, is_key_file);
  if (fs::exists(folder / vkey_file, error) || error)
    return fail(ErrorCode::exists, "There is a witness in this folder already.",
                "Name another folder; a witness's key is never replaced.",
                Location{.file = folder.string()});
  std::optional<crypto::PrivateKey> made;
  if (key == nullptr) {
    FIDUCIA_TRY(own, crypto::PrivateKey::generate(crypto::KeyKind::ed25519));
    FIDUCIA_TRY(pem, own.write_pem());
    FIDUCIA_CHECK(durable_write(folder / key_file, as_bytes(pem), {.mode = 0600}));
    key = &made.emplace(std::move(own));
  }
  // The verifier key comes last: where it is, there is a witness.
  const std::string vkey = ledger_format::write_vkey(ledger_format::make_vkey(
      name, ledger_format::NoteKeyType::cosignature, key->public_key().write_ed25519()));
  FIDUCIA_CHECK(durable_write(folder / vkey_file, as_bytes(vkey + "\n")));
  return sync_folder(fs::absolute(folder).parent_path());
}

namespace {

/// The key in the witness's own folder.
Result<std::shared_ptr<const crypto::SigningKey>> read_own_key(const fs::path& folder) {
  FIDUCIA_TRY(pem, read_file(folder / key_file, key_bytes_max));
  auto key = crypto::PrivateKey::read_pem(as_text(pem));
  wipe(pem);
  if (!key) return in_file(folder / key_file, std::move(key).error());
  return std::make_shared<const crypto::PrivateKey>(std::move(*key));
}

}  // namespace

Result<Witness> Witness::open(const fs::path& folder, Clock clock,
                              std::shared_ptr<const crypto::SigningKey> key) {
  std::error_code error;
  if (!fs::exists(folder / vkey_file, error))
    return fail(ErrorCode::config_missing, "There is no witness in this folder.",
                "Make one with `fiducia ledger witness init`.", Location{.file = folder.string()});
  FIDUCIA_TRY(vkey_text, read_file(folder / vkey_file, key_bytes_max));
  std::string_view text = as_text(vkey_text);
  if (text.ends_with('\n')) text.remove_suffix(1);
  auto vkey = ledger_format::read_vkey(text);
  if (!vkey) return in_file(folder / vkey_file, std::move(vkey).error());
  remove_leftovers(folder);
  const bool is_own = key == nullptr;
  if (is_own) {
    FIDUCIA_TRY(own, read_own_key(folder));
    key = std::move(own);
  }
  const crypto::PublicKey& public_key = key->public_key();
  if (vkey->type != ledger_format::NoteKeyType::cosignature ||
      public_key.kind() != crypto::KeyKind::ed25519 ||
      public_key.write_ed25519() != vkey->public_key)
    return fail(ErrorCode::config_invalid,
                is_own ? "The verifier key is not that of key.pem, or not one for cosignatures "
                         "(type 4)."
                       : "The verifier key is not that of the key that was given, or not one for "
                         "cosignatures (type 4).",
                is_own ? "Put back the files that `witness init` made."
                       : "Give the key with which the witness was made.",
                Location{.file = (folder / vkey_file).string()});
  return Witness{std::unique_ptr<State>(new State{.folder = folder,
                                                  .vkey = std::move(*vkey),
                                                  .key = std::move(key),
                                                  .clock = std::move(clock),
                                                  .mutex = {},
                                                  .durable = {}})};
}

Status Witness::add_log(const std::string& origin, const ledger_format::VerifierKey& key) const {
  if (!is_origin(origin))
    return fail(ErrorCode::usage_invalid,
                "An origin is one line of UTF-8 without control characters.",
                "Copy the first line of the log's checkpoint.");
  if (key.public_key == state_->vkey.public_key)
    return fail(ErrorCode::usage_invalid, "The key is the witness's own.",
                "Give the verifier key of the log.");
  const WitnessFolder log = state_->log(origin_hash(origin));
  std::error_code error;
  fs::create_directories(log.path(), error);
  if (error)
    return fail(ErrorCode::io_unwritable, "cannot be made: " + error.message() + ".",
                "Check free space and the permissions of the folder.",
                Location{.file = log.path().string()});
  FIDUCIA_CHECK(sync_folder(log.path().parent_path()));
  const auto lock = log.lock();
  if (!lock) return std::unexpected(lock.error());
  FIDUCIA_TRY(about, log.about());
  if (!about) {
    // The memory first: a log that is known has one, so that a lost one is noticed. What is there
    // from an earlier time stays: forgetting it is how a witness would be made to sign a fork.
    if (log.has_memory()) {
      FIDUCIA_CHECK(log.memory(origin));
    } else {
      FIDUCIA_CHECK(log.write_memory({}));
    }
    return log.write_about({.origin = origin, .keys = {key}});
  }
  for (const ledger_format::VerifierKey& known : about->keys)
    if (known.name == key.name && known.key_id == key.key_id)
      return fail(ErrorCode::exists, "The witness knows this key of " + origin + " already.");
  about->keys.push_back(key);
  return log.write_about(*about);
}

Result<std::vector<WitnessedLog>> Witness::logs() const {
  std::vector<WitnessedLog> logs;
  std::error_code error;
  const fs::path folder = state_->folder / logs_folder;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    const WitnessFolder log{it->path()};
    FIDUCIA_TRY(about, log.about());
    if (!about) continue;
    FIDUCIA_TRY(memory, log.memory(about->origin));
    WitnessedLog found{.origin = about->origin,
                       .keys = std::move(about->keys),
                       .latest = {},
                       .cosigned_at = memory.time,
                       .evidence = log.evidence()};
    if (!memory.empty()) {
      FIDUCIA_TRY(note, ledger_format::read_note(memory.note));
      FIDUCIA_TRY(checkpoint, ledger_format::read_checkpoint(note.text));
      found.latest = std::move(checkpoint);
    }
    logs.push_back(std::move(found));
  }
  if (error)
    return fail(ErrorCode::io_unreadable, "cannot be read: " + error.message() + ".",
                "Check the permissions of the folder.", Location{.file = folder.string()});
  std::sort(logs.begin(), logs.end(),
            [](const WitnessedLog& a, const WitnessedLog& b) { return a.origin < b.origin; });
  return logs;
}

Result<UnixTime> Witness::State::time_after(UnixTime last) const {
  const UnixTime now = clock();
  // A cosignature says "as of this time": with a clock that is known to be wrong there is no true
  // time to state, and going back behind the last one would contradict it.
  if (now.seconds < 1 || now.seconds < last.seconds - limits::witness_clock_step_back_seconds_max)
    return fail(
        ErrorCode::clock_invalid,
        "The clock says " + to_rfc3339(now) + ", before the last cosignature of " +
            to_rfc3339(last) + "; nothing is cosigned with such a time.",
        "Set the clock of this machine. If the earlier time was the wrong one, set up a new "
        "witness.");
  return std::max(now, last);
}

void Witness::State::keep_evidence(const Submitted& submitted, const WitnessFolder& log,
                                   const WitnessMemory& memory, const SeenTree& seen,
                                   WitnessAnswer& answer) {
  const ledger_format::Checkpoint& checkpoint = submitted.checkpoint;
  const std::string label = "." + std::to_string(checkpoint.tree_size) + "." +
                            origin_hash(submitted.note.text).substr(0, 16);
  // Also behind a 409: whoever shows the second view need not know the size of the first.
  if (!memory.empty() && checkpoint.tree_size == seen.size && checkpoint.root != seen.root) {
    const std::array<WitnessFolder::EvidenceFile, 2> files{{
        {.ending = ".refused", .content = submitted.request.note},
        {.ending = ".cosigned", .content = memory.note},
    }};
    answer.evidence =
        log.keep_evidence("split-view" + label, limits::witness_split_views_max, files);
    answer.text +=
        " Split view: the log signed two trees of " + std::to_string(checkpoint.tree_size) +
        " entries" +
        (answer.evidence.empty() ? "; the evidence could not be kept." : "; evidence was kept.");
    return;
  }
  if (answer.status != WitnessStatus::inconsistent) return;
  const std::string request = write_add_checkpoint(submitted.request);
  std::vector<WitnessFolder::EvidenceFile> files{{.ending = ".request", .content = request}};
  if (!memory.empty()) files.push_back({.ending = ".cosigned", .content = memory.note});
  answer.evidence = log.keep_evidence("unproven" + label, limits::witness_unproven_max, files);
}

Result<WitnessAnswer> Witness::State::judge(
    const Submitted& submitted, const WitnessFolder& log,
    std::span<const ledger_format::VerifiedSignature> verified) {
  const std::string& origin = submitted.checkpoint.origin;
  const auto lock = log.lock();
  if (!lock) return std::unexpected(lock.error());
  FIDUCIA_TRY(memory, log.memory(origin));
  FIDUCIA_TRY(seen, seen_tree(memory));
  if (auto fault = find_fault(submitted, seen)) {
    keep_evidence(submitted, log, memory, seen, *fault);
    return std::move(*fault);
  }
  FIDUCIA_TRY(time, time_after(memory.time));
  const WitnessMemory next{.time = time, .note = keep_verified(submitted.note, verified)};
  FIDUCIA_CHECK(log.write_memory(next));
  // From here on the tree is durably the last one; only now does a cosignature come to exist.
  remember(origin_hash(origin), next);
  FIDUCIA_TRY(line, cosignature_line(next));
  return WitnessAnswer{.status = WitnessStatus::cosigned,
                       .content_type = std::string{plain_text},
                       .body = std::move(line),
                       .text = "Cosigned " + std::to_string(submitted.checkpoint.tree_size) +
                               " entries of " + origin + ".",
                       .evidence = {}};
}

Result<WitnessAnswer> Witness::add_checkpoint(std::string_view body) const {
  const auto request = read_add_checkpoint(body);
  if (!request) return refuse(WitnessStatus::bad_request, request.error().what);
  return add_checkpoint(*request);
}

Result<WitnessAnswer> Witness::add_checkpoint(const AddCheckpoint& request) const {
  auto note = ledger_format::read_note(request.note);
  if (!note && note.error().code == ErrorCode::over_limit)
    return refuse(WitnessStatus::bad_request, note.error().what);
  // Signature lines that cannot be read are signatures that do not verify (403), provided that
  // the text before them is a checkpoint of a log that is known (404 comes before).
  const std::size_t split = request.note.rfind("\n\n");
  if (split == std::string::npos)
    return refuse(WitnessStatus::bad_request, "No empty line before the signatures.");
  auto checkpoint =
      ledger_format::read_checkpoint(std::string_view{request.note}.substr(0, split + 1));
  if (!checkpoint) return refuse(WitnessStatus::bad_request, checkpoint.error().what);
  const WitnessFolder log = state_->log(origin_hash(checkpoint->origin));
  FIDUCIA_TRY(about, log.about());
  if (!about || about->origin != checkpoint->origin)
    return refuse(WitnessStatus::unknown_log, "This witness does not follow a log of this origin.");
  if (!note) return refuse(WitnessStatus::forbidden, note.error().what);
  const auto verified = ledger_format::verify_note(*note, about->keys);
  if (!verified) return refuse(WitnessStatus::forbidden, verified.error().what);
  return state_->judge(
      {.request = request, .note = std::move(*note), .checkpoint = std::move(*checkpoint)}, log,
      *verified);
}

Result<std::optional<std::string>> Witness::latest(std::string_view hash) const {
  const auto digest = digest_from_hex(hash);
  if (!digest || to_hex(digest->view()) != hash) return std::nullopt;
  const WitnessFolder log = state_->log(hash);
  FIDUCIA_TRY(about, log.about());
  if (!about) return std::nullopt;
  auto known = state_->remembered(hash);
  if (const auto lock = log.lock()) {
    FIDUCIA_TRY(memory, log.memory(about->origin));
    if (!known || known->note != memory.note || known->time != memory.time) {
      // Another process put it there and may have died before it was durable.
      FIDUCIA_CHECK(sync_folder(log.path()));
      state_->remember(std::string{hash}, memory);
      known = std::move(memory);
    }
  } else if (!known) {
    return std::unexpected(lock.error());
  }  // else: a disk that became read-only; what was durable then may still be shown
  if (known->empty()) return std::nullopt;
  FIDUCIA_TRY(line, state_->cosignature_line(*known));
  return known->note + line;
}

}  // namespace fiducia::witness
