// cron.jsonl: schedules in time zones, and the five times that come next.
#include "clock/rfc3339.h"
#include "cron/schedule.h"
#include "value/json.h"
#include "vectors/set.h"

namespace tiphys::vectors {

namespace {

std::string next_times(const cron::Schedule& schedule, clock::Instant from, std::size_t count) {
  value::List times;
  for (std::size_t i = 0; i < count; ++i) {
    const auto next = schedule.next(from);
    if (!next) return times.empty() ? "[\"never\"]" : value::to_json(times);
    times.emplace_back(clock::rfc3339(*next));
    from = *next;
  }
  return value::to_json(times);
}

}  // namespace

Outcome run_cron(const value::Value& record) {
  const auto schedule = cron::Schedule::parse(record["parsed_string"].string_or(""));
  if (record["error"].bool_or(false)) {
    return {.passed = !schedule,
            .wanted = "error: " + std::string(record["message"].string_or("")),
            .got = schedule ? "a schedule" : "error: " + schedule.error().message};
  }
  const std::string wanted = value::to_json(record["want"]);
  if (!schedule)
    return {.passed = false, .wanted = wanted, .got = "error: " + schedule.error().message};
  const auto start = clock::parse_rfc3339(record["start"].string_or(""));
  const std::string got = start ? next_times(*schedule, *start, 5) : "error: bad start";
  return {.passed = got == wanted, .wanted = wanted, .got = got};
}

}  // namespace tiphys::vectors
