// Time as data: an Instant is nanoseconds since 1970 in UTC, a Duration is nanoseconds.
//
// Nothing here reads a clock; the runtime does, and passes Instants in. Manifests name any number
// of seconds, so what does not fit (292 years) ends at the first or last time that does. Pure.
#pragma once

#include <compare>
#include <cstdint>

namespace tiphys::clock {

namespace detail {

constexpr std::int64_t at_the_end(bool is_late) { return is_late ? INT64_MAX : INT64_MIN; }
constexpr std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return __builtin_add_overflow(a, b, &result) ? at_the_end(a > 0) : result;
}
constexpr std::int64_t difference(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return __builtin_sub_overflow(a, b, &result) ? at_the_end(a > b) : result;
}
constexpr std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? at_the_end((a > 0) == (b > 0)) : result;
}

}  // namespace detail

/// A length of time in nanoseconds; may be negative.
struct Duration {
  std::int64_t ns = 0;

  [[nodiscard]] static constexpr Duration seconds(std::int64_t s) {
    return {detail::product(s, 1'000'000'000)};
  }
  [[nodiscard]] static constexpr Duration milliseconds(std::int64_t ms) {
    return {detail::product(ms, 1'000'000)};
  }
  [[nodiscard]] constexpr double in_seconds() const { return static_cast<double>(ns) / 1e9; }
  friend constexpr auto operator<=>(Duration, Duration) = default;
};

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z. 0 stands for "not yet".
struct Instant {
  std::int64_t ns = 0;

  [[nodiscard]] constexpr bool is_set() const { return ns != 0; }
  friend constexpr auto operator<=>(Instant, Instant) = default;
};

constexpr Instant operator+(Instant t, Duration d) { return {detail::sum(t.ns, d.ns)}; }
constexpr Instant operator-(Instant t, Duration d) { return {detail::difference(t.ns, d.ns)}; }
constexpr Duration operator-(Instant a, Instant b) { return {detail::difference(a.ns, b.ns)}; }
constexpr Duration operator+(Duration a, Duration b) { return {detail::sum(a.ns, b.ns)}; }

}  // namespace tiphys::clock
