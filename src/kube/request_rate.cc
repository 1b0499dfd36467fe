#include "kube/request_rate.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

namespace tiphys::kube {

namespace {

constexpr double kSecond = 1e9;
constexpr double kMax = 1e6;

// Nullopt: it is not set.
diag::Result<std::optional<double>> variable(const char* name, double min, bool is_whole) {
  const char* const set = std::getenv(name);
  const std::string_view text = set == nullptr ? "" : set;
  if (text.empty()) return std::optional<double>();
  double value = 0;
  const auto read =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const bool is_number = read.ec == std::errc() && read.ptr == text.data() + text.size();
  if (is_number && value >= min && value <= kMax && (!is_whole || value == std::floor(value))) {
    return std::optional(value);
  }
  return diag::fail(diag::Code::kInvalidManifest,
                    fmt::format("{} is '{}': want a {} from {} to 1000000", name, text,
                                is_whole ? "whole number" : "number", min));
}

}  // namespace

diag::Result<RateLimit> rate_limit_from_environment() {
  TRY(const auto per_second, variable("TIPHYS_KUBE_QPS", 0.1, false));
  TRY(const auto burst, variable("TIPHYS_KUBE_BURST", 1, true));
  if (!per_second && burst) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "TIPHYS_KUBE_BURST is set, and TIPHYS_KUBE_QPS is not");
  }
  if (!per_second) return RateLimit{};
  return RateLimit{.per_second = *per_second,
                   .burst = burst ? *burst : std::max(1.0, std::floor(*per_second))};
}

std::optional<std::int64_t> RequestRate::take(std::int64_t now) {
  if (limit_.per_second <= 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (counted_at_) {
    const double seconds = static_cast<double>(now - *counted_at_) / kSecond;
    left_ = std::min(limit_.burst, left_ + seconds * limit_.per_second);
  }
  counted_at_ = now;
  if (left_ >= 1) {
    left_ -= 1;
    return std::nullopt;
  }
  return now + static_cast<std::int64_t>(std::ceil((1 - left_) / limit_.per_second * kSecond));
}

}  // namespace tiphys::kube
