// How many notifications there have been, by channel: counters that only grow, also when the rows
// that they were made from have gone.
//
// Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "diag/error.h"
#include "store/delivery.h"
#include "value/value.h"

namespace tiphys::store {

/// Upper bounds, in seconds, of the buckets of the time from the decision to the delivery.
inline constexpr std::array<double, 16> kDeliveryBuckets = {
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200};

/// Of one channel.
struct DeliveryTotal {
  std::int64_t accepted = 0;  // all of them
  std::int64_t delivered = 0;
  std::int64_t dead = 0;
  std::int64_t discarded = 0;
  std::int64_t retried = 0;  // attempts after the first
  /// Delivered ones by their time, each in the one bucket that it fits; the last is beyond all.
  std::array<std::int64_t, kDeliveryBuckets.size() + 1> in_time = {};
  double seconds = 0;  // of all delivered ones

  [[nodiscard]] std::int64_t pending() const { return accepted - delivered - dead - discarded; }
};

/// By channel and kind.
using DeliveryTotals = std::map<std::pair<std::string, std::string>, DeliveryTotal>;

void add(DeliveryTotals& totals, const DeliveryRow& row);
void add(DeliveryTotals& totals, const DeliveryTotals& more);

/// As the store keeps them.
[[nodiscard]] std::string to_json(const DeliveryTotals& totals);
/// Errors: kDamaged.
[[nodiscard]] diag::Result<DeliveryTotals> parse_totals(const std::string& json);

/// Which rows are old enough to go. Pending ones never are.
struct Retention {
  clock::Instant delivered_before;  // delivered and discarded ones that were done with before
  clock::Instant dead_before;
};
[[nodiscard]] bool is_outdated(const DeliveryRow& row, const Retention& retention);

}  // namespace tiphys::store
