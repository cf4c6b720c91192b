// SPDX-License-Identifier: Apache-2.0
#include "sealing/stored_evidence.h"

namespace fiducia::sealing {
namespace {

/// Each may hold the evidence of a whole archive.
constexpr std::uint64_t evidence_file_bytes_max = 1ULL << 30;

class EmptySketch final : public canonical::SketchBuilder {
 public:
  void add(const canonical::TileSamples&) override {}
  [[nodiscard]] canonical::Sketch finish() override { return {}; }
};

/// Errors: those of `read_file` and of `evidence::read_evidence_file`, with the file's name.
Result<std::vector<Bytes>> read_evidence_files(std::span<const std::string> paths) {
  std::vector<Bytes> files;
  for (const std::string& path : paths) {
    FIDUCIA_TRY(bytes, read_file(path, evidence_file_bytes_max));
    const auto of_file = [&](Error error) {
      Error inner{.code = error.code, .what = error.what, .where = std::move(error.where)};
      if (!inner.what.ends_with('.')) inner.what += '.';
      error.what = "is not evidence that can be read: " + to_sentence(inner);
      error.where = {.file = path};
      if (error.remedy.empty())
        error.remedy = "Give a file that `fiducia export` or `fiducia seal --sidecar` wrote.";
      return std::unexpected(std::move(error));
    };
    auto parts = evidence::read_evidence_file(bytes);
    if (!parts) return of_file(std::move(parts).error());
    for (const ByteView part : *parts)
      if (auto evidence = evidence::read_evidence(part); !evidence)
        return of_file(std::move(evidence).error());
    files.push_back(std::move(bytes));
  }
  return files;
}

}  // namespace

Result<store::EvidenceStore*> StoredEvidence::opened() {
  const MutexLock lock{mutex_};
  if (store_ != nullptr) return store_.get();
  if (failure_) return std::unexpected(*failure_);
  auto home = home::Home::open(home_);
  if (!home) {
    failure_ = std::move(home).error();
    return std::unexpected(*failure_);
  }
  auto store = home->open_store(/*read_only=*/true);
  if (!store && store.error().kind == store::log_lost_kind) {
    // A `seal` was killed at its very end. Whoever may write fixes it; else the first error counts.
    if (home->open_store(/*read_only=*/false)) store = home->open_store(/*read_only=*/true);
  }
  if (!store) {
    failure_ = std::move(store).error();
    return std::unexpected(*failure_);
  }
  store_ = std::move(*store);
  return store_.get();
}

Result<std::vector<Bytes>> StoredEvidence::find_by_instance(std::string_view sop_instance_uid) {
  FIDUCIA_TRY(store, opened());
  return store->find_by_instance(sop_instance_uid);
}

std::unique_ptr<canonical::SketchBuilder> StoredEvidence::new_sketch() {
  const auto store = opened();
  if (!store) return std::make_unique<EmptySketch>();
  return (*store)->new_sketch();
}

Result<std::vector<Bytes>> StoredEvidence::find_by_sketch(const canonical::Sketch& sketch) {
  FIDUCIA_TRY(store, opened());
  return store->find_by_sketch(sketch);
}

Result<VerifierSource> open_verifier_source(const std::string& home_option,
                                            const std::string& trust_option) {
  const auto folder = home::locate_home(home_option);
  const bool has_home = folder.has_value() && home::is_home(*folder);
  if (!has_home && (trust_option.empty() || !home_option.empty())) {
    if (!folder) return std::unexpected(folder.error());
    return fail(ErrorCode::config_missing, "is not a Fiducia home.",
                "Run `fiducia init`, name a home with --home, or a trust file with --trust.",
                Location{.file = folder->string()});
  }
  FIDUCIA_TRY(trust, trust::open_trust(trust_option.empty() ? *folder / "trust.toml"
                                                            : std::filesystem::path{trust_option}));
  VerifierSource source{.trust = std::move(trust), .lookup = nullptr};
  if (has_home) source.lookup = std::make_unique<StoredEvidence>(*folder);
  return source;
}

Result<seal::Verifier> make_verifier(VerifierSource& source,
                                     std::span<const std::string> evidence_files,
                                     seal::VerifierOptions options) {
  FIDUCIA_TRY(given, read_evidence_files(evidence_files));
  // Who names the evidence asks about this evidence: the answer must not depend on what this
  // machine's store holds, or on what lies beside the file (spec/seal.md 10.5).
  options.look_beside = given.empty();
  evidence::EvidenceLookup* const lookup = given.empty() ? source.lookup.get() : nullptr;
  return seal::Verifier::make(std::move(source.trust), options, lookup, std::move(given));
}

}  // namespace fiducia::sealing
