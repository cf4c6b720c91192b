// SPDX-License-Identifier: Apache-2.0
#include "sealing/bench.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "support/dicom_builder.h"

namespace fiducia::test {
namespace {

class ProbedReservation final : public store::Reservation {
 public:
  ProbedReservation(ProbedStore& probe, std::unique_ptr<store::Reservation> real)
      : Reservation(real->answers()), probe_(probe), real_(std::move(real)) {}
  Status put(std::span<const store::Record> records, const store::HomeMark* mark) override {
    FIDUCIA_CHECK(probe_.before(StoreStep::put_reserved));
    return real_->put(records, mark);
  }

 private:
  ProbedStore& probe_;
  const std::unique_ptr<store::Reservation> real_;
};

}  // namespace

Bytes image(const std::string& uid, unsigned seed) {
  constexpr std::uint16_t side = 72;
  std::mt19937_64 prng{seed};
  DicomDataSet d;
  d.text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.2")
      .text({0x0008, 0x0018}, "UI", uid)
      .text({0x0008, 0x0060}, "CS", "CT")
      .text({0x0010, 0x0010}, "PN", "Test^Patient")
      .text({0x0020, 0x000D}, "UI", uid + ".1")
      .text({0x0020, 0x000E}, "UI", uid + ".2")
      .us({0x0028, 0x0002}, 1)
      .text({0x0028, 0x0004}, "CS", "MONOCHROME2")
      .us({0x0028, 0x0010}, side)
      .us({0x0028, 0x0011}, side)
      .us({0x0028, 0x0100}, 16)
      .us({0x0028, 0x0101}, 16)
      .us({0x0028, 0x0102}, 15)
      .us({0x0028, 0x0103}, 0)
      .bytes({0x7FE0, 0x0010}, "OW", random_bytes(prng, std::size_t{side} * side * 2));
  return d.file("1.2.840.10008.1.2.1");
}

Result<ledger::Recorded> ProbedRecorder::record(std::span<const Bytes> entries) {
  rounds.push_back(entries.size());
  FIDUCIA_CHECK(before());
  FIDUCIA_TRY(recorded, real_.record(entries));
  FIDUCIA_CHECK(after(recorded));
  return std::move(recorded);
}

Status ProbedStore::put(std::span<const store::Record> records, const store::HomeMark* mark) {
  FIDUCIA_CHECK(before(StoreStep::put_mark));
  return real_.put(records, mark);
}

Result<std::unique_ptr<store::Reservation>> ProbedStore::reserve(
    std::span<const store::Claim> claims, std::uint32_t wait_ms) {
  FIDUCIA_CHECK(before(StoreStep::reserve));
  FIDUCIA_TRY(real, real_.reserve(claims, wait_ms));
  return std::make_unique<ProbedReservation>(*this, std::move(real));
}

Result<std::uint64_t> ProbedStore::count_by_instance(std::string_view sop_instance_uid) {
  FIDUCIA_CHECK(before(StoreStep::count));
  return real_.count_by_instance(sop_instance_uid);
}

Result<std::vector<Bytes>> ProbedStore::find_by_instance(std::string_view sop_instance_uid) {
  FIDUCIA_CHECK(before(StoreStep::find));
  return real_.find_by_instance(sop_instance_uid);
}

Bench::Bench(const std::filesystem::path& home, sealing::Recorder* shared,
             std::uint32_t claim_timeout_ms) {
  home_ = home::Home::open(home).value();
  trust_ = trust::open_trust(home_->trust_path()).value();
  signer_ = home_->default_signer(*trust_, system_now()).value();
  store_ = home_->open_store(/*read_only=*/false).value();
  if (shared == nullptr) own_recorder_ = sealing::open_recorder(*home_).value();
  sealing::Recorder& real = shared == nullptr ? *own_recorder_ : *shared;
  recorder.emplace(real);
  probed_store.emplace(*store_);
  sealing::Start start =
      shared == nullptr
          ? sealing::check_start(*home_, *store_, store_->mark().value(), real.status(), *trust_)
                .value()
          : sealing::Start{.appenders = home::Appenders::others, .mark = store_->mark().value()};
  verifier_ = seal::Verifier::make(*trust_, {}, &*probed_store).value();
  service_.emplace(sealing::ServiceParts{.home = *home_,
                                         .signer = *signer_,
                                         .recorder = *recorder,
                                         .store = *probed_store,
                                         .verifier = *verifier_,
                                         .start = start,
                                         .claim_timeout_ms = claim_timeout_ms});
}

finding::Verdict Bench::verdict(const Bytes& object) const {
  const auto file = dicom::File::read(object);
  EXPECT_TRUE(file.has_value());
  const auto result = verifier_->verify(*file, nullptr);
  EXPECT_TRUE(result.has_value());
  return result ? result->verdict : finding::Verdict::indeterminate;
}

}  // namespace fiducia::test
