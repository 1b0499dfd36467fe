// status of a CronWorkflow: its active workflows, what was last scheduled, how many ended how.
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clock/instant.h"
#include "value/value.h"

namespace tiphys::cron {

/// A workflow of it that has not been counted yet.
struct ActiveRun {
  std::string name;
  std::string name_space;
  std::string uid;

  friend bool operator==(const ActiveRun&, const ActiveRun&) = default;
};

/// What is wrong: SpecError, SubmissionError.
struct Condition {
  std::string type;
  std::string message;

  friend bool operator==(const Condition&, const Condition&) = default;
};

inline constexpr std::string_view kSpecError = "SpecError";
inline constexpr std::string_view kSubmissionError = "SubmissionError";
inline constexpr std::string_view kActive = "Active";
inline constexpr std::string_view kStopped = "Stopped";

struct Status {
  std::vector<ActiveRun> active = {};
  clock::Instant last_scheduled = {};  // not set: never
  std::vector<Condition> conditions = {};
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;
  std::string phase = {};  // "", Active or Stopped

  [[nodiscard]] bool has_active(std::string_view uid) const;
  void set_condition(std::string_view type, std::string message);
  void remove_condition(std::string_view type);

  friend bool operator==(const Status&, const Status&) = default;
};

/// As Argo writes it: all six fields, null for what is not there.
[[nodiscard]] value::Value to_value(const Status& status);
/// Reads what to_value() gave; what is missing is empty.
[[nodiscard]] Status status_of(const value::Value& v);

}  // namespace tiphys::cron
