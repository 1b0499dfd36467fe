// Whether a CronWorkflow is to run now, and for which of its times.
//
// A time is taken once. It is live when somebody watched as it came; one that came while nobody did
// (no engine ran), or that could not be taken (an active workflow forbade it), may still be taken
// for startingDeadlineSeconds. Of several that were missed only the last one is. Pure.
#pragma once

#include <optional>

#include "clock/instant.h"
#include "cron/timetable.h"

namespace tiphys::cron {

struct Watch {
  clock::Instant since;          // times before are none of it: it was made, or had other schedules
  clock::Instant last;           // the last one that was taken; not set: none
  clock::Instant watched_since;  // from then on every time is live
  clock::Instant tried;          // the last one that was looked at
  std::optional<clock::Duration> deadline = {};  // startingDeadlineSeconds

  /// Where @every counts from, and after what times are looked for.
  [[nodiscard]] clock::Instant anchor() const { return since < last ? last : since; }
};

/// The time to take now; nullopt when there is none. `is_changed`: something is other than when
/// `tried` was looked at, so that it may be looked at again.
[[nodiscard]] std::optional<clock::Instant> due(const Timetable& table, const Watch& watch,
                                                clock::Instant now, bool is_changed);

}  // namespace tiphys::cron
