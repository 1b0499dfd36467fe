// How many requests a second a client may make: a bucket of tokens, as the clients of Kubernetes
// have it.
//
// Thread-safe: clients of one cluster share one. Times are steady nanoseconds, and never go back.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "diag/error.h"

namespace tiphys::kube {

/// Requests a second for long, and those that may be made at once after a quiet time.
struct RateLimit {
  double per_second = 0;  // 0: there is no limit
  double burst = 0;
};

/// What TIPHYS_KUBE_QPS and TIPHYS_KUBE_BURST say; no limit without the first, and as many at once
/// as in a second without the other. Errors: kInvalidManifest, one line.
[[nodiscard]] diag::Result<RateLimit> rate_limit_from_environment();

class RequestRate {
 public:
  explicit RequestRate(RateLimit limit) : limit_(limit), left_(limit.burst) {}

  /// Nullopt: a request may be made, and is counted. Else the time to ask again.
  [[nodiscard]] std::optional<std::int64_t> take(std::int64_t now);

 private:
  const RateLimit limit_;
  std::mutex mutex_;  // guards what follows
  double left_;
  std::optional<std::int64_t> counted_at_;  // when left_ was true
};

}  // namespace tiphys::kube
