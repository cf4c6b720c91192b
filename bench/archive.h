// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "canonical/canonical.h"
#include "evidence/evidence.h"
#include "ledger/ledger.h"
#include "must.h"
#include "seal/seal.h"
#include "trust/trust.h"

/// A hospital in a scratch folder with some images in memory, wired as the program does it:
/// entries of a batch share one append to the ledger.
namespace fiducia::bench {

/// Evidence by SOP Instance UID, in memory.
class MemoryLookup final : public evidence::EvidenceLookup {
 public:
  void put(const std::string& uid, Bytes evidence) { evidence_[uid] = std::move(evidence); }
  [[nodiscard]] Result<std::vector<Bytes>> find_by_instance(std::string_view uid) override;
  [[nodiscard]] std::unique_ptr<canonical::SketchBuilder> new_sketch() override;
  [[nodiscard]] Result<std::vector<Bytes>> find_by_sketch(const canonical::Sketch&) override {
    return std::vector<Bytes>{};
  }
  [[nodiscard]] double mean_bytes() const;

 private:
  std::unordered_map<std::string, Bytes> evidence_;
};

class Archive {
 public:
  /// Reads all files below `path` and seals them. `codec_program` may be empty. Aborts on errors.
  Archive(const std::filesystem::path& path, const std::filesystem::path& codec_program);
  ~Archive();

  [[nodiscard]] const std::vector<std::filesystem::path>& paths() const { return paths_; }
  [[nodiscard]] const std::vector<dicom::File>& files() const { return files_; }
  [[nodiscard]] const seal::Signer& signer() const { return *signer_; }
  [[nodiscard]] const trust::Trust& trust() const { return trust_; }
  [[nodiscard]] MemoryLookup& lookup() { return lookup_; }
  [[nodiscard]] const ledger_format::Appended& appended() const { return appended_; }
  [[nodiscard]] const std::string& checkpoint() const { return checkpoint_; }
  [[nodiscard]] codec::CodecChild* child() { return child_ ? &*child_ : nullptr; }
  [[nodiscard]] double mean_file_bytes() const;

 private:
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> paths_;
  std::vector<dicom::File> files_;
  std::optional<seal::Signer> signer_;
  std::optional<codec::CodecChild> child_;
  trust::Trust trust_;
  MemoryLookup lookup_;
  ledger_format::Appended appended_;
  std::string checkpoint_;
};

}  // namespace fiducia::bench
