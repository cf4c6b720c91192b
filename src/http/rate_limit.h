// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

/// Inside http: how many requests one client may send.
namespace fiducia::http {

/// A bucket of tokens a client: `per_second` come in, and up to ten seconds' worth are kept.
/// Not thread-safe.
class RateLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// `per_second` 0: no limit. `peers_max`: clients that are remembered; when more come, those
  /// with a full bucket are forgotten, and then all, so that memory is bounded and nobody who
  /// keeps to the limit is ever refused.
  RateLimit(std::uint32_t per_second, std::size_t peers_max)
      : per_second_(per_second), peers_max_(peers_max) {}
  /// Whether `peer` may send a request now.
  [[nodiscard]] bool take(const std::string& peer, Time now);
  [[nodiscard]] std::size_t peers() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens = 0;
    Time at;
  };
  [[nodiscard]] double tokens_at(const Bucket& bucket, Time now) const;
  void make_room(Time now);
  double per_second_;
  std::size_t peers_max_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace fiducia::http
