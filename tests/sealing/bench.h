// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the tests of the service seal with: a real home, ledger and store, with places to look in
// and to fail at.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "home/home.h"
#include "home/scratch_home.h"
#include "sealing/sealing.h"
#include "store/store.h"
#include "trust/trust.h"

namespace fiducia::test {

/// An image of noise as a file has it: `seed` makes its pixels. Its study and series are those of
/// its UID with ".1" and ".2" behind.
[[nodiscard]] Bytes image(const std::string& uid, unsigned seed);

/// A recorder in front of another, with a hook on either side.
class ProbedRecorder final : public sealing::Recorder {
 public:
  explicit ProbedRecorder(sealing::Recorder& real) : real_(real) {}
  [[nodiscard]] Result<ledger::Recorded> record(std::span<const Bytes> entries) override;
  [[nodiscard]] const ledger::LogStatus& status() const override { return real_.status(); }

  std::function<Status()> before = [] { return Status{}; };
  std::function<Status(ledger::Recorded&)> after = [](ledger::Recorded&) { return Status{}; };
  std::vector<std::size_t> rounds;  // entries of each round that was asked for

 private:
  sealing::Recorder& real_;
};

/// The questions to a store at which a test looks.
enum class StoreStep : std::uint8_t { count, find, reserve, put_mark, put_reserved };

/// A store in front of another, with a hook. The hook is called by many threads.
class ProbedStore final : public store::EvidenceStore {
 public:
  explicit ProbedStore(store::EvidenceStore& real) : real_(real) {}
  Status put(std::span<const store::Record> records, const store::HomeMark* mark) override;
  Result<std::unique_ptr<store::Reservation>> reserve(std::span<const store::Claim> claims,
                                                      std::uint32_t wait_ms) override;
  Result<store::HomeMark> mark() override { return real_.mark(); }
  Status accept(const store::HomeMark& mark) override { return real_.accept(mark); }
  Result<store::StoreIdentity> identity() override { return real_.identity(); }
  Result<store::StoreCheck> check(
      const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) override {
    return real_.check(progress);
  }
  Result<std::optional<Bytes>> find_by_root(const Digest& object_root) override {
    return real_.find_by_root(object_root);
  }
  Result<std::uint64_t> count() override { return real_.count(); }
  Result<std::uint64_t> count_by_instance(std::string_view sop_instance_uid) override;
  Result<store::ListPage> list(const store::ListQuery& query) override { return real_.list(query); }
  Status put_stored(std::span<const store::StoredRecord> records) override {
    return real_.put_stored(records);
  }
  Result<std::vector<Bytes>> find_by_instance(std::string_view sop_instance_uid) override;
  std::unique_ptr<canonical::SketchBuilder> new_sketch() override { return real_.new_sketch(); }
  Result<std::vector<Bytes>> find_by_sketch(const canonical::Sketch& sketch) override {
    return real_.find_by_sketch(sketch);
  }

  std::function<Status(StoreStep)> before = [](StoreStep) { return Status{}; };

 private:
  store::EvidenceStore& real_;
};

/// A service over a home.
class Bench {
 public:
  /// `shared`: others append to the ledger as well, through this one; null: nobody else does.
  explicit Bench(const std::filesystem::path& home, sealing::Recorder* shared = nullptr,
                 std::uint32_t claim_timeout_ms = limits::ledger_lock_timeout_ms);

  [[nodiscard]] sealing::Service& service() { return *service_; }
  [[nodiscard]] const home::Home& home() const { return *home_; }
  /// Where its evidence is, for checks; without hooks.
  [[nodiscard]] store::EvidenceStore& store() { return *store_; }
  [[nodiscard]] finding::Verdict verdict(const Bytes& object) const;

  std::optional<ProbedRecorder> recorder;
  std::optional<ProbedStore> probed_store;

 private:
  std::optional<home::Home> home_;
  std::optional<trust::Trust> trust_;
  std::optional<seal::Signer> signer_;
  std::unique_ptr<store::EvidenceStore> store_;
  std::unique_ptr<sealing::Recorder> own_recorder_;
  std::optional<seal::Verifier> verifier_;
  std::optional<sealing::Service> service_;
};

}  // namespace fiducia::test
