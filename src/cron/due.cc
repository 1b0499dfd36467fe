#include "cron/due.h"

namespace tiphys::cron {

std::optional<clock::Instant> due(const Timetable& table, const Watch& watch, clock::Instant now,
                                  bool is_changed) {
  const auto time = table.latest(watch.anchor(), now, watch.anchor());
  if (!time) return std::nullopt;
  const bool is_new = watch.tried < *time;
  if (is_new && watch.watched_since < *time) return time;
  const bool is_in_time = watch.deadline && now < *time + *watch.deadline;
  return is_in_time && (is_new || is_changed) ? time : std::nullopt;
}

}  // namespace tiphys::cron
