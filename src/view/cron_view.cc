#include "view/cron_view.h"

#include <fmt/format.h>

#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "value/json.h"
#include "view/table.h"
#include "view/timestamp.h"

namespace tiphys::view {

namespace {

using value::Value;

clock::Instant time_of(const Value& v) {
  return clock::parse_rfc3339(v.string_or("")).value_or(clock::Instant{});
}

std::string line(const std::string& name, std::string_view text) {
  return fmt::format("{} {}\n", padded(name, 30), text);
}

std::string shown(const Value& v) { return v.is_string() ? v.as_string() : value::to_json(v); }

std::string active_names(const Value& status) {
  std::string names;
  for (const Value& run : status["active"].list()) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", run["name"].string_or(""));
  }
  return names.empty() ? names : line("Active Workflows:", names);
}

std::string conditions_of(const Value& status, bool utf8) {
  std::string text;
  for (const Value& c : status["conditions"].list()) {
    const std::string_view type = c["type"].string_or("");
    const char* icon = type != "SubmissionError" ? "" : utf8 ? "✖" : "Error";
    text += line(fmt::format("{} {}", icon, type), c["message"].string_or(""));
  }
  return text.empty() ? text : line("Conditions:", "") + text;
}

std::string parameters_of(const Value& spec) {
  const value::List& parameters = spec["workflowSpec"]["arguments"]["parameters"].list();
  if (parameters.empty()) return "";
  std::string text = line("Workflow Parameters:", "");
  for (const Value& p : parameters) {
    if (p["value"].is_null()) continue;
    text += line(fmt::format("  {}:", p["name"].string_or("")), shown(p["value"]));
  }
  return text;
}

}  // namespace

std::string format_cron(const CronRow& row, const std::string& zone, bool utf8,
                        clock::Instant now) {
  const Value& metadata = row.object["metadata"];
  const Value& spec = row.object["spec"];
  const Value& status = row.object["status"];
  std::string text = line("Name:", metadata["name"].string_or(""));
  text += line("Namespace:", metadata["namespace"].string_or(""));
  text += line("Created:", timestamp(time_of(metadata["creationTimestamp"]), now));
  text += line("Schedules:", row.schedules);
  text += line("Suspended:", spec["suspend"].bool_or(false) ? "true" : "false");
  if (const auto own = spec["timezone"].string_or(""); !own.empty()) text += line("Timezone:", own);
  if (const Value& v = spec["startingDeadlineSeconds"]; v.is_int()) {
    text += line("StartingDeadlineSeconds:", shown(v));
  }
  if (const auto policy = spec["concurrencyPolicy"].string_or(""); !policy.empty()) {
    text += line("ConcurrencyPolicy:", policy);
  }
  if (const clock::Instant last = time_of(status["lastScheduledTime"]); last.is_set()) {
    text += line("LastScheduledTime:", timestamp(last, now));
  }
  if (row.next) {
    text += line("NextScheduledTime:", fmt::format("{} (assumes workflow-controller is in {})",
                                                   timestamp(*row.next, now), zone));
  }
  return text + active_names(status) + conditions_of(status, utf8) + parameters_of(spec);
}

std::string format_cron_list(const std::vector<CronRow>& rows, bool show_namespace,
                             clock::Instant now) {
  std::vector<std::vector<std::string>> table = {
      {"NAMESPACE", "NAME", "AGE", "LAST RUN", "NEXT RUN", "SCHEDULES", "TIMEZONE", "SUSPENDED"}};
  for (const CronRow& row : rows) {
    const Value& metadata = row.object["metadata"];
    const Value& spec = row.object["spec"];
    const clock::Instant last = time_of(row.object["status"]["lastScheduledTime"]);
    table.push_back({std::string(metadata["namespace"].string_or("")),
                     std::string(metadata["name"].string_or("")),
                     clock::humanize_short(now - time_of(metadata["creationTimestamp"])),
                     last.is_set() ? clock::humanize_short(now - last) : "N/A",
                     row.next ? clock::humanize_short(*row.next - now) : "N/A", row.schedules,
                     std::string(spec["timezone"].string_or("")),
                     spec["suspend"].bool_or(false) ? "true" : "false"});
  }
  if (!show_namespace) {
    for (auto& cells : table) cells.erase(cells.begin());
  }
  return format_table(table, 3);
}

}  // namespace tiphys::view
