// SPDX-License-Identifier: Apache-2.0
#include "http/rate_limit.h"

#include <algorithm>

namespace fiducia::http {
namespace {

constexpr double burst_seconds = 10;

}  // namespace

double RateLimit::tokens_at(const Bucket& bucket, Time now) const {
  const double waited = std::chrono::duration<double>(now - bucket.at).count();
  return std::min(per_second_ * burst_seconds, bucket.tokens + waited * per_second_);
}

void RateLimit::make_room(Time now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    return tokens_at(entry.second, now) >= per_second_ * burst_seconds;
  });
  if (buckets_.size() >= peers_max_) buckets_.clear();
}

bool RateLimit::take(const std::string& peer, Time now) {
  if (per_second_ == 0) return true;
  auto known = buckets_.find(peer);
  if (known == buckets_.end()) {
    if (buckets_.size() >= peers_max_) make_room(now);
    known = buckets_.emplace(peer, Bucket{.tokens = per_second_ * burst_seconds, .at = now}).first;
  }
  Bucket& bucket = known->second;
  bucket = {.tokens = tokens_at(bucket, now), .at = now};
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

}  // namespace fiducia::http
