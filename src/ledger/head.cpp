// SPDX-License-Identifier: Apache-2.0
#include "ledger/head.h"

namespace fiducia::ledger {
namespace {

std::unexpected<Error> in_file(Error error, const char* file) {
  error.where.file = file;
  return std::unexpected(std::move(error));
}

Result<Head> read_note_bytes(const Bytes& bytes, const VerifierKey& key) {
  FIDUCIA_TRY(note, read_note(as_text(bytes)));
  FIDUCIA_CHECK(verify_note(note, std::span{&key, 1}));
  FIDUCIA_TRY(checkpoint, read_checkpoint(note.text));
  return Head{.note = std::string{as_text(bytes)}, .checkpoint = std::move(checkpoint)};
}

}  // namespace

Result<Head> read_head(const std::filesystem::path& folder, const VerifierKey& key) {
  auto bytes = read_file(folder / checkpoint_file, limits::note_bytes_max);
  if (!bytes) return in_file(std::move(bytes).error(), checkpoint_file);
  auto head = read_note_bytes(*bytes, key);
  if (!head) return in_file(std::move(head).error(), checkpoint_file);
  return head;
}

Result<RootRecords> read_records(const std::filesystem::path& folder, const std::string& origin,
                                 const crypto::PublicKey& log_key) {
  auto bytes = read_file(folder / signed_root_file, signed_root_bytes_max);
  if (!bytes) return in_file(std::move(bytes).error(), signed_root_file);
  auto records = read_root_records(*bytes, origin, log_key);
  if (!records) return in_file(std::move(records).error(), signed_root_file);
  return records;
}

const RootRecord* find_record(const RootRecords& records, const Checkpoint& checkpoint) {
  const auto fits = [&](const RootRecord& record) {
    return record.tree_size == checkpoint.tree_size && record.root == checkpoint.root;
  };
  if (fits(records.current)) return &records.current;
  if (records.previous && fits(*records.previous)) return &*records.previous;
  return nullptr;
}

std::unexpected<Error> below(const std::filesystem::path& folder, Error error) {
  const std::filesystem::path file = error.where.file;
  if (!file.empty() && file.is_relative()) error.where.file = (folder / file).string();
  return std::unexpected(std::move(error));
}

}  // namespace fiducia::ledger
