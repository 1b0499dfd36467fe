#include "engine/backoff.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "clock/go_duration.h"

namespace tiphys::engine {

namespace {

using clock::Duration;
using clock::Instant;
using diag::Code;
using diag::Result;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

/// Go's multiplication of durations, which wraps around.
std::int64_t multiply(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

/// t + d, stopping at the end of time.
Instant later(Instant t, Duration d) {
  std::int64_t ns = 0;
  if (__builtin_add_overflow(t.ns, d.ns, &ns)) ns = d.ns > 0 ? kMax : -kMax;
  return {ns};
}

/// A duration as manifests give it: a text, or a bare number of seconds.
Result<Duration> duration_of(const value::Value& v) {
  if (v.is_int()) return clock::parse_duration(fmt::format("{}", v.as_int()));
  return clock::parse_duration(v.string_or(""));
}

bool is_given(const value::Value& v) {
  return v.is_int() || (v.is_string() && !v.as_string().empty());
}

}  // namespace

Result<std::optional<std::int64_t>> int_or_string(const value::Value& v) {
  if (v.is_null()) return std::nullopt;
  if (v.is_int()) return v.as_int();
  const auto n = clock::parse_go_int(v.string_or(""));
  if (!n) {
    return diag::fail(Code::kInvalidManifest,
                      fmt::format("value '{}' cannot be resolved to an int", v.string_or("")));
  }
  return *n;
}

Result<Duration> backoff_wait(const value::Value& backoff, int attempts) {
  if (!is_given(backoff["duration"])) {
    return diag::fail(Code::kInvalidManifest, "no base duration specified for retryStrategy");
  }
  TRY(const Duration base, duration_of(backoff["duration"]));
  TRY(const auto given, int_or_string(backoff["factor"]));
  Duration wait = base;
  const auto factor = static_cast<std::int32_t>(given.value_or(0));
  if (factor > 0) {
    const double times = std::pow(static_cast<double>(factor), static_cast<double>(attempts - 1));
    const double most = static_cast<double>(kMax) / static_cast<double>(base.ns);
    wait = times > most ? Duration{kMax}
                        : Duration{multiply(base.ns, times >= static_cast<double>(kMax)
                                                         ? -kMax - 1
                                                         : static_cast<std::int64_t>(times))};
  }
  if (is_given(backoff["cap"])) {
    TRY(const Duration cap, duration_of(backoff["cap"]));
    if (wait > cap) wait = cap;
  }
  return wait;
}

Result<Backoff> next_backoff(const value::Value& backoff, const Attempts& attempts, Instant now) {
  Backoff step;
  if (backoff.is_null()) return step;
  if (is_given(backoff["maxDuration"]) && attempts.count > 0) {
    TRY(const Duration most, duration_of(backoff["maxDuration"]));
    step.deadline = later(attempts.first_started, most);
    if (now > step.deadline) {
      step.verdict = Backoff::Verdict::kGiveUp;
      step.message = "Max duration limit exceeded";
      return step;
    }
  }
  TRY(step.wait, backoff_wait(backoff, attempts.count));
  step.until = later(attempts.last_finished, step.wait);
  if (step.deadline.is_set() && step.until > step.deadline) {
    step.verdict = Backoff::Verdict::kGiveUp;
    step.message = "Backoff would exceed max duration limit";
    return step;
  }
  if (now < step.until && attempts.limit && attempts.count <= *attempts.limit) {
    step.verdict = Backoff::Verdict::kWait;
    step.message = fmt::format("Backoff for {}", clock::humanize(step.wait));
  }
  return step;
}

}  // namespace tiphys::engine
