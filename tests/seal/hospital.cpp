// SPDX-License-Identifier: Apache-2.0
#include "hospital.h"

#include <cstdio>
#include <cstdlib>

namespace fiducia::test {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", to_sentence(result.error()).c_str());
    std::abort();
  }
  return std::move(*result);
}

void must(Status status) {
  if (!status) {
    std::fprintf(stderr, "%s\n", to_sentence(status.error()).c_str());
    std::abort();
  }
}

class EmptySketch final : public canonical::SketchBuilder {
 public:
  void add(const canonical::TileSamples& /*tile*/) override { ++tiles_; }
  [[nodiscard]] canonical::Sketch finish() override {
    return {.values = {}, .textured_tiles = tiles_};
  }

 private:
  std::uint64_t tiles_ = 0;
};

seal::Signer make_signer(const crypto::PrivateKey& authority_key,
                         const crypto::Certificate& authority, UnixTime now,
                         std::shared_ptr<const crypto::SigningKey> key) {
  auto certificate = must(crypto::make_device_certificate(key->public_key(),
                                                          {.common_name = "CT-1",
                                                           .organization = "Test Hospital",
                                                           .not_before = {now.seconds - year},
                                                           .not_after = {now.seconds + year}},
                                                          authority_key, authority));
  return {.key = std::move(key), .chain = {certificate}, .device = "CT-1"};
}

}  // namespace

void MemoryStore::put(const std::string& sop_instance_uid, Bytes evidence) {
  evidence_.emplace(sop_instance_uid, std::move(evidence));
}

Result<std::vector<Bytes>> MemoryStore::find_by_instance(std::string_view uid) {
  std::vector<Bytes> found;
  const auto [begin, end] = evidence_.equal_range(std::string(uid));
  for (auto it = begin; it != end; ++it) found.insert(found.begin(), it->second);
  return found;
}

std::unique_ptr<canonical::SketchBuilder> MemoryStore::new_sketch() {
  return std::make_unique<EmptySketch>();
}

Result<std::vector<Bytes>> MemoryStore::find_by_sketch(const canonical::Sketch& /*sketch*/) {
  std::vector<Bytes> found;
  for (const auto& [uid, evidence] : evidence_) found.push_back(evidence);
  return found;
}

Hospital::Hospital(const std::string& name, crypto::KeyKind device_key)
    : authority_key_(must(crypto::PrivateKey::generate(crypto::KeyKind::p256))) {
  const auto authority =
      must(crypto::make_authority(authority_key_, {.common_name = name + " CA",
                                                   .organization = name,
                                                   .not_before = {now.seconds - 2 * year},
                                                   .not_after = {now.seconds + 10 * year}}));
  trust_.authorities.push_back({.name = name, .certificate = authority, .roles = {"seal"}});
  sign_with(
      std::make_shared<const crypto::PrivateKey>(must(crypto::PrivateKey::generate(device_key))));
  const std::string origin = "ledger.example/" + std::to_string(std::rand());
  auto log_key = must(crypto::PrivateKey::generate(crypto::KeyKind::ed25519));
  log_key_pem_ = must(log_key.write_pem());
  const Bytes log_public = log_key.public_key().write_ed25519();
  must(ledger::Log::create(folder_.path() / "ledger", origin, log_key, now));
  log_.emplace(must(
      ledger::Log::open(folder_.path() / "ledger", std::move(log_key), [this] { return now; })));
  trust_.ledgers.push_back(
      {.origin = origin,
       .key = ledger_format::make_vkey(origin, ledger_format::NoteKeyType::ed25519, log_public),
       .quorum = 0,
       .witnesses = {}});
}

void Hospital::sign_with(std::shared_ptr<const crypto::SigningKey> key) {
  signer_ =
      make_signer(authority_key_, trust_.authorities.front().certificate, now, std::move(key));
}

Bytes Hospital::seal(const dicom::File& file, codec::CodecChild* child) {
  return seal_claiming(file, now, child);
}

Bytes Hospital::seal_claiming(const dicom::File& file, UnixTime claimed_at,
                              codec::CodecChild* child) {
  const auto draft = must(seal::draft_seal(file, signer_, claimed_at, child, nullptr));
  const Bytes entry = draft.ledger_entry();
  const auto appended = must(log_->append({&entry, 1}));
  Bytes evidence = draft.finish(appended.front(), log_->checkpoint());
  store_.put(draft.sop_instance_uid(), evidence);
  return evidence;
}

Bytes Hospital::receipt_of(std::uint64_t index) {
  FIDUCIA_ASSERT(log_->flush().has_value());
  const auto reader =
      must(ledger::LogReader::open(folder_.path() / "ledger", trust_.ledgers.front().key));
  const ledger::LogStatus& status = reader.status();
  const auto root = must(ledger_format::sign_root(must(crypto::PrivateKey::read_pem(log_key_pem_)),
                                                  status.origin, now, status.root));
  return ledger_format::write_receipt(root, status.tree_size, index,
                                      must(reader.inclusion_proof(index)));
}

Bytes Hospital::seal_in_file(const Bytes& file, codec::CodecChild* child) {
  const dicom::File opened = read_dicom(file);
  const Bytes evidence = seal(opened, child);
  std::vector<Bytes> storage;
  Bytes out;
  for (const ByteView part : must(evidence::embed_parts(opened, evidence, storage)))
    append(out, part);
  return out;
}

seal::VerifyResult Hospital::verify(const Bytes& file, const Bytes& evidence,
                                    codec::CodecChild* child, seal::VerifierOptions options) {
  const auto verifier = must(seal::Verifier::make(trust_, options, nullptr, {evidence}));
  auto opened = dicom::File::read(file);
  if (!opened)
    return must(Result<seal::VerifyResult>(seal::verdict_of_error("-", opened.error()).value()));
  return must(verifier.verify(*opened, child));
}

seal::VerifyResult Hospital::verify_carried(const Bytes& file, evidence::EvidenceLookup* lookup,
                                            codec::CodecChild* child) {
  const auto verifier = must(seal::Verifier::make(trust_, {}, lookup));
  return must(verifier.verify(read_dicom(file), child));
}

dicom::File read_dicom(Bytes bytes) { return must(dicom::File::read(std::move(bytes))); }

std::string describe(const seal::VerifyResult& result) {
  std::string text = std::string(finding::to_word(result.verdict)) + "\n";
  for (const finding::Finding& finding : result.findings)
    text += "  " + finding::word_of(finding) + " " + finding.attribute + " " +
            (finding.frame ? "frame " + std::to_string(*finding.frame) : "") + " " + finding.text +
            "\n";
  return text;
}

const finding::Finding* find_code(const seal::VerifyResult& result, std::string_view code) {
  for (const finding::Finding& finding : result.findings)
    if (finding::word_of(finding) == code) return &finding;
  return nullptr;
}

}  // namespace fiducia::test
