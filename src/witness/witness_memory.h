// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "ledger_format/note.h"

/// Inside of module witness: what a witness keeps of one log, in the log's own folder.
namespace fiducia::witness {

/// What was cosigned last. `note` is empty before the first time.
struct WitnessMemory {
  UnixTime time;     // of the last cosignature; 0 before the first
  std::string note;  // the checkpoint with the log's signatures
  [[nodiscard]] bool empty() const { return note.empty(); }
};
/// The last cosigned tree: size 0 and the empty root before the first time.
struct SeenTree {
  std::uint64_t size = 0;
  Digest root;
};

/// `fiducia.witness-state/1`, SHA-256 of all that follows that line, time, note. The digest is
/// against bit rot, which would otherwise look like a log that forked.
[[nodiscard]] std::string write_witness_memory(const WitnessMemory& memory);
/// Errors: malformed (kind "state").
[[nodiscard]] Result<WitnessMemory> read_witness_memory(std::string_view encoded);

/// `error` with `path` as its place, unless it has a file already.
[[nodiscard]] std::unexpected<Error> in_file(const std::filesystem::path& path, Error error);

/// The folder of one log: `log`, `state`, `lock`, `evidence/`.
class WitnessFolder {
 public:
  explicit WitnessFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }

  struct About {
    std::string origin;
    std::vector<ledger_format::VerifierKey> keys;
  };
  /// Absent when the log is unknown. Errors: io_unreadable, malformed (kind "log").
  [[nodiscard]] Result<std::optional<About>> about() const;
  [[nodiscard]] Status write_about(const About& about) const;

  /// Errors: busy, io_unwritable.
  [[nodiscard]] Result<FileLock> lock() const;
  /// Removes the temporary files of a process that was killed, unless another one is at work.
  void remove_leftovers() const;
  /// A file that is not there is damage: it is made together with `log`. The checkpoint must be
  /// of `origin`. Errors: io_unreadable, malformed (kind "state").
  [[nodiscard]] Result<WitnessMemory> memory(const std::string& origin) const;
  [[nodiscard]] bool has_memory() const;
  /// Durable when this returns without error. Only under the lock. Errors: io_unwritable.
  [[nodiscard]] Status write_memory(const WitnessMemory& memory) const;

  /// Keeps `files` (ending of the name, content) as evidence `stem`, unless that is there or as
  /// many of the kind (the part of `stem` before the first '.') as `kind_max` are. The name of
  /// the first file, or empty if it was not kept: evidence is worth less than an answer.
  struct EvidenceFile {
    std::string ending;
    std::string_view content;
  };
  [[nodiscard]] std::string keep_evidence(const std::string& stem, std::size_t kind_max,
                                          std::span<const EvidenceFile> files) const;
  [[nodiscard]] std::vector<std::string> evidence() const;  // names, sorted

 private:
  std::filesystem::path folder_;
};

}  // namespace fiducia::witness
