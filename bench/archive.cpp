// SPDX-License-Identifier: Apache-2.0
#include "archive.h"

#include <stdlib.h>

#include <cstdio>

namespace fiducia::bench {
namespace {

class NoSketch final : public canonical::SketchBuilder {
 public:
  void add(const canonical::TileSamples&) override {}
  [[nodiscard]] canonical::Sketch finish() override { return {}; }
};

std::filesystem::path scratch_folder() {
  std::string path = (std::filesystem::temp_directory_path() / "fiducia-bench.XXXXXX").string();
  FIDUCIA_ASSERT(mkdtemp(path.data()) != nullptr);
  return path;
}

constexpr std::int64_t year_seconds = 365 * 24 * 60 * 60;

}  // namespace

Result<std::vector<Bytes>> MemoryLookup::find_by_instance(std::string_view uid) {
  const auto found = evidence_.find(std::string(uid));
  if (found == evidence_.end()) return std::vector<Bytes>{};
  return std::vector<Bytes>{found->second};
}

std::unique_ptr<canonical::SketchBuilder> MemoryLookup::new_sketch() {
  return std::make_unique<NoSketch>();
}

double MemoryLookup::mean_bytes() const {
  std::size_t sum = 0;
  for (const auto& [uid, evidence] : evidence_) sum += evidence.size();
  return static_cast<double>(sum) / static_cast<double>(evidence_.size());
}

Archive::Archive(const std::filesystem::path& path, const std::filesystem::path& codec_program)
    : folder_(scratch_folder()), paths_(must(list_files(path))) {
  const UnixTime now = system_now();
  auto authority_key = must(crypto::PrivateKey::generate(crypto::KeyKind::p256));
  const auto authority =
      must(crypto::make_authority(authority_key, {.common_name = "Bench CA",
                                                  .organization = "Bench",
                                                  .not_before = {now.seconds - year_seconds},
                                                  .not_after = {now.seconds + 10 * year_seconds}}));
  auto key = must(crypto::PrivateKey::generate(crypto::KeyKind::p256));
  const auto certificate =
      must(crypto::make_device_certificate(key.public_key(),
                                           {.common_name = "BENCH-1",
                                            .organization = "Bench",
                                            .not_before = {now.seconds - year_seconds},
                                            .not_after = {now.seconds + year_seconds}},
                                           authority_key, authority));
  signer_.emplace(seal::Signer{.key = std::make_shared<const crypto::PrivateKey>(std::move(key)),
                               .chain = {certificate},
                               .device = "BENCH-1"});
  const std::string origin = "bench.example/ledger";
  auto log_key = must(crypto::PrivateKey::generate(crypto::KeyKind::ed25519));
  const Bytes log_public = log_key.public_key().write_ed25519();
  FIDUCIA_ASSERT(ledger::Log::create(folder_ / "ledger", origin, log_key, now).has_value());
  auto log = must(ledger::Log::open(folder_ / "ledger", std::move(log_key), system_now));
  trust_.authorities.push_back({.name = "Bench", .certificate = authority, .roles = {"seal"}});
  trust_.ledgers.push_back(
      {.origin = origin,
       .key = ledger_format::make_vkey(origin, ledger_format::NoteKeyType::ed25519, log_public),
       .quorum = 0,
       .witnesses = {}});

  if (!codec_program.empty()) child_.emplace(codec_program);
  std::vector<seal::Draft> drafts;
  std::vector<Bytes> entries;
  for (const auto& file_path : paths_) {
    // In memory: a mapping would give its pages back after each pass, and read them again.
    files_.push_back(
        must(dicom::File::read(must(read_file(file_path, 1ULL << 30)), file_path.string())));
    drafts.push_back(must(seal::draft_seal(files_.back(), *signer_, now, child(), nullptr)));
    entries.push_back(drafts.back().ledger_entry());
  }
  const auto appended = must(log.append(entries));
  checkpoint_ = log.checkpoint();
  appended_ = appended.front();
  for (std::size_t i = 0; i < drafts.size(); ++i)
    lookup_.put(drafts[i].sop_instance_uid(), drafts[i].finish(appended[i], checkpoint_));
}

Archive::~Archive() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

double Archive::mean_file_bytes() const {
  std::size_t sum = 0;
  for (const dicom::File& file : files_) sum += file.bytes().size();
  return static_cast<double>(sum) / static_cast<double>(files_.size());
}

}  // namespace fiducia::bench
