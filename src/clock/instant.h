// Time as data: an Instant is nanoseconds since 1970 in UTC, a Duration is nanoseconds.
//
// Nothing here reads a clock; the runtime does, and passes Instants in.
// Pure.
#pragma once

#include <compare>
#include <cstdint>

namespace tiphys::clock {

/// A length of time in nanoseconds; may be negative.
struct Duration {
  std::int64_t ns = 0;

  [[nodiscard]] static constexpr Duration seconds(std::int64_t s) { return {s * 1'000'000'000}; }
  [[nodiscard]] static constexpr Duration milliseconds(std::int64_t ms) { return {ms * 1'000'000}; }
  [[nodiscard]] constexpr double in_seconds() const { return static_cast<double>(ns) / 1e9; }
  friend constexpr auto operator<=>(Duration, Duration) = default;
};

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z. 0 stands for "not yet".
struct Instant {
  std::int64_t ns = 0;

  [[nodiscard]] constexpr bool is_set() const { return ns != 0; }
  friend constexpr auto operator<=>(Instant, Instant) = default;
};

constexpr Instant operator+(Instant t, Duration d) { return {t.ns + d.ns}; }
constexpr Instant operator-(Instant t, Duration d) { return {t.ns - d.ns}; }
constexpr Duration operator-(Instant a, Instant b) { return {a.ns - b.ns}; }
constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }

}  // namespace tiphys::clock
