// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"

/// A log in memory, made from the formats alone, so that a test can bend every byte of it.
namespace fiducia::ledger_net::test {

using Objects = std::map<std::string, Bytes>;

inline const std::string origin = "example.org/ledger";

[[nodiscard]] crypto::PrivateKey new_key();
[[nodiscard]] ledger_format::VerifierKey vkey_of(const crypto::PrivateKey& key,
                                                 const std::string& name = origin);
/// Entry `i` of the logs of these tests; `branch` makes another one.
[[nodiscard]] Bytes entry(std::uint64_t i, std::string_view branch = "");

/// All objects of the tree after each call, partial ones of earlier trees too.
class PaperLog {
 public:
  explicit PaperLog(const crypto::PrivateKey& key, std::string name = origin)
      : key_(key), name_(std::move(name)) {}
  /// Entries up to `size`, then a checkpoint.
  void grow_to(std::uint64_t size, std::string_view branch = "");
  Objects objects;

 private:
  const crypto::PrivateKey& key_;
  std::string name_;
  ledger_format::Frontage frontage_;
  std::vector<Bytes> entries_;
};

/// The paths that the tree of `size` leaves calls for, and "checkpoint".
[[nodiscard]] std::vector<std::string> called_for(std::uint64_t size);

/// Objects in memory as a source.
class PaperSource final : public ledger::ObjectSource {
 public:
  explicit PaperSource(Objects objects) : objects_(std::move(objects)) {}
  [[nodiscard]] Result<std::optional<Bytes>> read(const std::string& path,
                                                  std::uint64_t bytes_max) const override;
  [[nodiscard]] std::string name_of(const std::string& path) const override {
    return "paper:" + path;
  }
  Objects& objects() { return objects_; }
  mutable std::atomic<int> reads = 0;
  /// Called before each read with its number, from 1; false: the read fails.
  std::function<bool(int)> before_read;

 private:
  Objects objects_;
};

}  // namespace fiducia::ledger_net::test
