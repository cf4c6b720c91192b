// SPDX-License-Identifier: Apache-2.0
#pragma once
// One suite for every kind of evidence store (any_store_test.cpp), compiled into the test program
// of each kind, which instantiates it: INSTANTIATE_TEST_SUITE_P(Sqlite, AnyStore, Values(&make)).
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "store/store.h"

namespace fiducia::store::suite {

/// Where the stores of one test lie.
class Backend {
 public:
  virtual ~Backend() = default;
  /// Opens the test's store, which is made at the first call that may write.
  [[nodiscard]] virtual Result<std::unique_ptr<EvidenceStore>> open(bool read_only,
                                                                    ByteView key) = 0;
  /// Spoils a record behind the store's back: `column` of the table of objects (evidence: its last
  /// bit; numbers: one more; hashes and digests: their first byte).
  virtual void damage(const Digest& root, const std::string& column) = 0;
  /// Removes the record, or all of them, behind the store's back.
  virtual void remove(const Digest& root) = 0;
  virtual void remove_all() = 0;
  /// Rounds of the test that kills processes.
  [[nodiscard]] virtual int kill_rounds() const = 0;
};
using MakeBackend = std::unique_ptr<Backend> (*)();

extern const Bytes key;

[[nodiscard]] Digest digest_of(std::uint64_t number);

/// A record that its number determines, so that a reader can tell whether it came back whole.
/// Four make a series, eight a study.
[[nodiscard]] Record record_of(std::uint64_t number, std::size_t evidence_bytes = 300);

class AnyStore : public ::testing::TestWithParam<MakeBackend> {
 protected:
  std::unique_ptr<EvidenceStore> open(bool read_only = false, ByteView with = key) {
    auto store = backend_->open(read_only, with);
    EXPECT_TRUE(store.has_value()) << (store ? "" : to_sentence(store.error()));
    return store ? std::move(*store) : nullptr;
  }
  const std::unique_ptr<Backend> backend_ = GetParam()();
};

}  // namespace fiducia::store::suite
