// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include "canonical/canonical.h"
#include "evidence/evidence.h"
#include "finding/finding.h"
#include "ledger/ledger.h"
#include "seal/seal.h"
#include "support/support.h"
#include "trust/trust.h"

/// A hospital in a scratch folder: authority, device, ledger, trust file, and an evidence store
/// in memory. What the programs do with files, in one process.
namespace fiducia::test {

inline constexpr std::int64_t day = 24 * 60 * 60;  // seconds
inline constexpr std::int64_t year = 365 * day;

/// Evidence by SOP Instance UID, and every object for every sketch: what a store proposes is
/// verified anyway.
class MemoryStore final : public evidence::EvidenceLookup {
 public:
  void put(const std::string& sop_instance_uid, Bytes evidence);
  [[nodiscard]] Result<std::vector<Bytes>> find_by_instance(std::string_view uid) override;
  [[nodiscard]] std::unique_ptr<canonical::SketchBuilder> new_sketch() override;
  [[nodiscard]] Result<std::vector<Bytes>> find_by_sketch(const canonical::Sketch& sketch) override;

 private:
  std::multimap<std::string, Bytes> evidence_;
};

class Hospital {
 public:
  explicit Hospital(const std::string& name = "Test Hospital",
                    crypto::KeyKind device_key = crypto::KeyKind::p256);

  /// Seals a file and returns its evidence; aborts when that fails.
  [[nodiscard]] Bytes seal(const dicom::File& file, codec::CodecChild* child = nullptr);
  /// Seals with a claimed time that is not the ledger's.
  [[nodiscard]] Bytes seal_claiming(const dicom::File& file, UnixTime claimed_at,
                                    codec::CodecChild* child = nullptr);
  /// Seals, and returns a copy of the file that carries the evidence.
  [[nodiscard]] Bytes seal_in_file(const Bytes& file, codec::CodecChild* child = nullptr);
  /// Judges `file` by this hospital's trust and `evidence` alone ("given").
  [[nodiscard]] seal::VerifyResult verify(const Bytes& file, const Bytes& evidence,
                                          codec::CodecChild* child = nullptr,
                                          seal::VerifierOptions options = {});
  /// Judges `file` by what it carries and by `lookup` (may be null).
  [[nodiscard]] seal::VerifyResult verify_carried(const Bytes& file,
                                                  evidence::EvidenceLookup* lookup = nullptr,
                                                  codec::CodecChild* child = nullptr);
  [[nodiscard]] trust::Trust& trust() { return trust_; }
  [[nodiscard]] MemoryStore& store() { return store_; }
  /// What the hospital's clock says; sealing dates come from here.
  UnixTime now{1'795'000'000};
  [[nodiscard]] const crypto::Certificate& device_certificate() const {
    return signer_.chain.front();
  }
  [[nodiscard]] const seal::Signer& signer() const { return signer_; }
  /// What later seals call the device; its certificate stays.
  void rename_device(std::string name) { signer_.device = std::move(name); }
  /// Later seals are signed with `key`, for which the authority makes a certificate.
  void sign_with(std::shared_ptr<const crypto::SigningKey> key);
  /// What later seals carry as certificate.
  void replace_certificate(crypto::Certificate certificate) {
    signer_.chain.front() = std::move(certificate);
  }
  /// ... and behind it.
  void add_to_chain(crypto::Certificate certificate) {
    signer_.chain.push_back(std::move(certificate));
  }
  /// The key of its authority.
  [[nodiscard]] const crypto::PrivateKey& authority_key() const { return authority_key_; }
  /// A receipt of entry `index` under the newest checkpoint.
  [[nodiscard]] Bytes receipt_of(std::uint64_t index);

 private:
  ScratchFolder folder_;
  crypto::PrivateKey authority_key_;
  std::string log_key_pem_;
  seal::Signer signer_;
  std::optional<ledger::Log> log_;
  trust::Trust trust_;
  MemoryStore store_;
};

/// Opens bytes as a file; aborts when they are none.
[[nodiscard]] dicom::File read_dicom(Bytes bytes);

/// The findings as "code attribute frame" lines: what a failed assertion should show.
[[nodiscard]] std::string describe(const seal::VerifyResult& result);
/// The first finding with this code, or nullptr.
[[nodiscard]] const finding::Finding* find_code(const seal::VerifyResult& result,
                                                std::string_view code);

}  // namespace fiducia::test
