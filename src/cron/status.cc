#include "cron/status.h"

#include <algorithm>

#include "clock/rfc3339.h"

namespace tiphys::cron {

using value::List;
using value::Map;
using value::Value;

bool Status::has_active(std::string_view uid) const {
  return std::ranges::any_of(active, [&](const ActiveRun& run) { return run.uid == uid; });
}

void Status::set_condition(std::string_view type, std::string message) {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  if (found == conditions.end()) {
    conditions.push_back({std::string(type), std::move(message)});
  } else {
    found->message = std::move(message);
  }
}

void Status::remove_condition(std::string_view type) {
  std::erase_if(conditions, [&](const Condition& c) { return c.type == type; });
}

Value to_value(const Status& status) {
  List active;
  for (const ActiveRun& run : status.active) {
    active.emplace_back(Map{{"kind", "Workflow"},
                            {"namespace", run.name_space},
                            {"name", run.name},
                            {"uid", run.uid},
                            {"apiVersion", "argoproj.io/v1alpha1"}});
  }
  List conditions;
  for (const Condition& c : status.conditions) {
    conditions.emplace_back(Map{{"type", c.type}, {"status", "True"}, {"message", c.message}});
  }
  return Map{
      {"active", active.empty() ? Value() : Value(std::move(active))},
      {"lastScheduledTime",
       status.last_scheduled.is_set() ? Value(clock::rfc3339(status.last_scheduled)) : Value()},
      {"conditions", conditions.empty() ? Value() : Value(std::move(conditions))},
      {"succeeded", status.succeeded},
      {"failed", status.failed},
      {"phase", status.phase}};
}

Status status_of(const Value& v) {
  Status status;
  for (const Value& run : v["active"].list()) {
    status.active.push_back({.name = std::string(run["name"].string_or("")),
                             .name_space = std::string(run["namespace"].string_or("")),
                             .uid = std::string(run["uid"].string_or(""))});
  }
  if (auto at = clock::parse_rfc3339(v["lastScheduledTime"].string_or(""))) {
    status.last_scheduled = *at;
  }
  for (const Value& c : v["conditions"].list()) {
    status.conditions.push_back({.type = std::string(c["type"].string_or("")),
                                 .message = std::string(c["message"].string_or(""))});
  }
  status.succeeded = v["succeeded"].int_or(0);
  status.failed = v["failed"].int_or(0);
  status.phase = v["phase"].string_or("");
  return status;
}

}  // namespace tiphys::cron
