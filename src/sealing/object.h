// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/core.h"
#include "dicom/dicom.h"
#include "finding/finding.h"
#include "sealing/inputs.h"
#include "sealing/placement.h"

namespace fiducia::sealing {

/// An object that is to be sealed, wherever it comes from.
struct Object {
  std::string name;  // what answers and errors call it: its path, where it has one
  /// Opens it. Asked again where the object is judged again, or was not kept open for its copy.
  std::function<Result<dicom::File>()> open;
  std::shared_ptr<Placement> placement = {};  // empty: the evidence goes to the store alone
};

[[nodiscard]] Object object_in_file(const std::filesystem::path& path);
[[nodiscard]] Object object_in_memory(Bytes bytes, std::string name);
/// In a file that is open: a spool (MappedFile::spool), which may have no name.
[[nodiscard]] Object object_in_spool(MappedFile spool, std::string name);
/// Standard input is read when it is first opened, into a spool.
[[nodiscard]] Object object_of(const Input& input);

/// What became of one object.
struct Answer {
  enum class Status : std::uint8_t {
    sealed,          // in the ledger and in the store, and written where it was asked for
    already_sealed,  // it has a seal, which counts; that was written where it was asked for
    unwritten,       // it has a seal as well, but its copy or sidecar could not be written
    conflict,        // its identity, or a seal in it, says that it was another object
    refused,         // it cannot be sealed as it is, or could not be read
    unavailable,     // ledger or store failed: it is not sealed, and may be tried again
  };
  Status status = Status::refused;
  // Of the seal that holds now, where there is one:
  std::string device;
  Digest object_root;
  std::string origin;  // of the ledger that has the entry
  std::uint64_t ledger_index = 0;
  std::uint64_t tree_size = 0;
  EvidencePlace evidence = EvidencePlace::store;
  std::filesystem::path output;            // the file written; empty: none
  std::vector<finding::Finding> findings;  // what the person who seals should know
  std::optional<Error> error;              // all but sealed and already_sealed have one
};

/// Whether the object has a seal that counts.
[[nodiscard]] constexpr bool has_seal(Answer::Status status) {
  return status == Answer::Status::sealed || status == Answer::Status::already_sealed ||
         status == Answer::Status::unwritten;
}

}  // namespace fiducia::sealing
