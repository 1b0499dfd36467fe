#include "cron/timetable.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::cron {

namespace {

using clock::Instant;

constexpr std::int64_t kSecond = 1'000'000'000;

Instant whole_seconds(Instant t) { return {t.ns - t.ns % kSecond}; }

// Of `@every`: anchor, anchor + every ...; the first of them after `from`.
Instant next_every(const Schedule& schedule, Instant from, Instant anchor) {
  const Instant start = whole_seconds(anchor);
  const std::int64_t every = schedule.every().ns;
  if (from < start) return start + schedule.every();
  return {start.ns + ((from.ns - start.ns) / every + 1) * every};
}

std::optional<Instant> next_of(const Schedule& schedule, Instant from, Instant anchor) {
  if (schedule.every().ns > 0) return next_every(schedule, from, anchor);
  return schedule.next(from);
}

// Whether a time follows `x` until `until` is true up to the last of them: that is where it ends.
std::optional<Instant> latest_of(const Schedule& schedule, Instant from, Instant until,
                                 Instant anchor) {
  if (schedule.every().ns > 0) {
    const Instant next = next_every(schedule, until, anchor);
    const Instant found{next.ns - schedule.every().ns};
    const bool fits = from < found && found <= until && whole_seconds(anchor) < found;
    return fits ? std::optional(found) : std::nullopt;
  }
  auto found = schedule.next(from);
  if (!found || until < *found) return std::nullopt;
  Instant low = whole_seconds(from);
  Instant high = whole_seconds(until);
  while (high.ns - low.ns > kSecond) {
    const Instant middle = whole_seconds({low.ns + (high.ns - low.ns) / 2});
    const auto next = schedule.next(middle);
    if (next && *next <= until) {
      found = next;
      low = middle;
    } else {
      high = middle;
    }
  }
  return found;
}

std::string with_zone_of(const value::Value& spec, std::string_view schedule) {
  const std::string_view zone = spec["timezone"].string_or("");
  return zone.empty() ? std::string(schedule) : fmt::format("CRON_TZ={} {}", zone, schedule);
}

}  // namespace

diag::Result<Timetable> Timetable::of(const value::Value& spec, const date::time_zone* local) {
  Timetable table;
  for (const value::Value& text : spec["schedules"].list()) {
    auto schedule = Schedule::parse(with_zone_of(spec, text.string_or("")), local);
    if (!schedule) {
      return diag::fail(diag::Code::kInvalidManifest,
                        fmt::format("cron schedule {} is malformed: {}", text.string_or(""),
                                    schedule.error().message));
    }
    table.schedules_.push_back(*schedule);
  }
  if (!table.schedules_.empty()) return table;
  return diag::fail(diag::Code::kInvalidManifest, "cron workflow must have at least one schedule");
}

std::optional<Instant> Timetable::next(Instant from, Instant anchor) const {
  std::optional<Instant> first;
  for (const Schedule& schedule : schedules_) {
    const auto next = next_of(schedule, from, anchor);
    if (next && (!first || *next < *first)) first = next;
  }
  return first;
}

std::optional<Instant> Timetable::latest(Instant from, Instant until, Instant anchor) const {
  std::optional<Instant> last;
  for (const Schedule& schedule : schedules_) {
    const auto found = latest_of(schedule, from, until, anchor);
    if (found && (!last || *last < *found)) last = found;
  }
  return last;
}

std::string schedules_text(const value::Value& spec, bool with_zone) {
  std::string text;
  for (const value::Value& schedule : spec["schedules"].list()) {
    if (!text.empty()) text += ',';
    text += with_zone ? with_zone_of(spec, schedule.string_or("")) : schedule.string_or("");
  }
  return text;
}

}  // namespace tiphys::cron
