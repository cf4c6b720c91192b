// SPDX-License-Identifier: Apache-2.0
#include "ledger/head.h"

#include <chrono>

namespace fiducia::ledger {
namespace {

/// Attempts to see checkpoint and signed root of one append. An appender replaces both within
/// some ten milliseconds, so whoever loses this often is not racing: the files do not fit.
constexpr int head_attempts_max = 20;
constexpr std::chrono::milliseconds head_retry_pause{5};

std::unexpected<Error> in_file(Error error, const char* file) {
  error.where.file = file;
  return std::unexpected(std::move(error));
}

Result<Head> read_note_bytes(const Bytes& bytes, const ledger_format::VerifierKey& key) {
  FIDUCIA_TRY(checkpoint, ledger_format::read_signed_checkpoint(as_text(bytes), key));
  // A log's own key is named after its origin (spec/ledger.md section 4); a cosigner's is not.
  if (key.type == ledger_format::NoteKeyType::ed25519 && checkpoint.origin != key.name)
    return fail(ErrorCode::signature_bad,
                "The checkpoint is of the log " + checkpoint.origin + ", not of " + key.name + ".",
                "Name the folder of the right log, or the key of this one.");
  return Head{.note = std::string{as_text(bytes)}, .checkpoint = std::move(checkpoint)};
}

}  // namespace

Result<Head> read_head(const ObjectSource& source, const ledger_format::VerifierKey& key) {
  FIDUCIA_TRY(bytes, read_object(source, checkpoint_file, limits::note_bytes_max));
  auto head = read_note_bytes(bytes, key);
  if (!head) return in_file(std::move(head).error(), checkpoint_file);
  return head;
}

namespace {

Result<ledger_format::RootRecords> read_record_bytes(const Bytes& bytes, const std::string& origin,
                                                     const crypto::PublicKey& log_key) {
  auto records = ledger_format::read_root_records(bytes, origin, log_key);
  if (!records) return in_file(std::move(records).error(), signed_root_file);
  return records;
}

}  // namespace

Result<ledger_format::RootRecords> read_records(const ObjectSource& source,
                                                const std::string& origin,
                                                const crypto::PublicKey& log_key) {
  FIDUCIA_TRY(bytes, read_object(source, signed_root_file, signed_root_bytes_max));
  return read_record_bytes(bytes, origin, log_key);
}

const ledger_format::RootRecord* find_record(const ledger_format::RootRecords& records,
                                             const ledger_format::Checkpoint& checkpoint) {
  const auto fits = [&](const ledger_format::RootRecord& record) {
    return record.tree_size == checkpoint.tree_size && record.root == checkpoint.root;
  };
  if (fits(records.current)) return &records.current;
  if (records.previous && fits(*records.previous)) return &*records.previous;
  return nullptr;
}

Result<HeadAndRecords> read_head_and_records(const ObjectSource& source,
                                             const ledger_format::VerifierKey& key) {
  for (int attempt = 1;; ++attempt) {
    FIDUCIA_TRY(head, read_head(source, key));
    if (key.type != ledger_format::NoteKeyType::ed25519)
      return HeadAndRecords{.head = std::move(head), .records = {}};
    FIDUCIA_TRY(bytes, source.read(signed_root_file, signed_root_bytes_max));
    if (!bytes) return HeadAndRecords{.head = std::move(head), .records = {}};
    FIDUCIA_TRY(log_key, crypto::PublicKey::read_ed25519(key.public_key));
    FIDUCIA_TRY(records, read_record_bytes(*bytes, head.checkpoint.origin, log_key));
    if (find_record(records, head.checkpoint) != nullptr)
      return HeadAndRecords{.head = std::move(head), .records = std::move(records)};
    if (attempt == head_attempts_max)
      return fail(ErrorCode::malformed, "The signed root belongs to another checkpoint.",
                  "Restore the log's folder from a backup.", Location{.file = signed_root_file});
    // Where nobody appends the record is simply wrong; waiting a little longer costs nothing.
    pause_between_tries(head_retry_pause);
  }
}

std::unexpected<Error> below(const ObjectSource& source, Error error) {
  if (!error.where.file.empty()) error.where.file = source.name_of(error.where.file);
  return std::unexpected(std::move(error));
}

}  // namespace fiducia::ledger
