// Cron expressions as Argo's controller understands them, and when they come next.
//
// The rule is that of the robfig/cron library (v3), daylight saving included, measured with its own
// results (test/vectors/data/cron.jsonl). A search ends after five years, so that an expression
// that never comes (31 February) is told apart from one that comes rarely. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "clock/instant.h"
#include "diag/error.h"

namespace date {
class time_zone;
}

namespace tiphys::cron {

/// The time zone of that name, as Go's LoadLocation finds it: "" is UTC. Errors: kInvalidManifest
/// `unknown time zone X`.
[[nodiscard]] diag::Result<const date::time_zone*> load_zone(std::string_view name);

class Schedule {
 public:
  /// Parses five fields, a descriptor (`@daily`, `@every 90m`), with `CRON_TZ=ZONE ` or `TZ=ZONE `
  /// in front; else it is in `zone` (null: UTC). Errors: kInvalidManifest with the library's text.
  [[nodiscard]] static diag::Result<Schedule> parse(std::string_view text,
                                                    const date::time_zone* zone = nullptr);

  /// The first time strictly after `from`; nullopt when there is none within five years.
  [[nodiscard]] std::optional<clock::Instant> next(clock::Instant from) const;
  /// The interval of `@every`, whose times count from the last one; 0 for the others.
  [[nodiscard]] clock::Duration every() const { return every_; }

 private:
  friend class Search;

  struct Fields {
    std::uint64_t minute = 0;
    std::uint64_t hour = 0;
    std::uint64_t day = 0;
    std::uint64_t month = 0;
    std::uint64_t weekday = 0;
  };
  Fields fields_;
  clock::Duration every_;  // of @every; 0 for the others
  const date::time_zone* zone_ = nullptr;
};

}  // namespace tiphys::cron
