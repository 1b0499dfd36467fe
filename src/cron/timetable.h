// When a CronWorkflow is due: all its schedules together, in its time zone.
//
// `@every` counts from an anchor, which is the last time that was taken; the others are fixed
// points of the clock. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "clock/instant.h"
#include "cron/schedule.h"
#include "diag/error.h"
#include "value/value.h"

namespace tiphys::cron {

class Timetable {
 public:
  /// Reads `schedules` and `timezone` of a CronWorkflow's spec; without a time zone they are in
  /// `local` (null: UTC). Errors: kInvalidManifest, in Argo's words.
  [[nodiscard]] static diag::Result<Timetable> of(const value::Value& spec,
                                                  const date::time_zone* local);

  /// The first time after `from`; nullopt when none comes within five years.
  [[nodiscard]] std::optional<clock::Instant> next(clock::Instant from,
                                                   clock::Instant anchor) const;
  /// The last time after `from` and not after `until`. Cost: some dozen steps, however long that
  /// is.
  [[nodiscard]] std::optional<clock::Instant> latest(clock::Instant from, clock::Instant until,
                                                     clock::Instant anchor) const;

 private:
  std::vector<Schedule> schedules_;
};

/// The schedules as Argo writes them, with commas between; `with_zone`: each with its CRON_TZ.
[[nodiscard]] std::string schedules_text(const value::Value& spec, bool with_zone);

}  // namespace tiphys::cron
