#include "view/list_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "view/table.h"
#include "view/workflow_view.h"

namespace tiphys::view {

namespace {

using value::Value;

clock::Instant time_of(const Value& v) {
  auto t = clock::parse_rfc3339(v.string_or(""));
  return t ? *t : clock::Instant{};
}

std::string duration_text(const Value& o, clock::Instant now) {
  const clock::Instant start = time_of(o["startedAt"]);
  const clock::Instant end = time_of(o["finishedAt"]);
  if (!start.is_set()) return "0s";
  return clock::humanize_short((end.is_set() ? end : now) - start);
}

// Long values lose their middle.
std::string shortened(const std::string& text) {
  constexpr std::size_t kMax = 50;
  if (text.size() <= kMax) return text;
  return text.substr(0, kMax - 3 - 15) + "..." + text.substr(text.size() - 15);
}

std::string parameters_text(const Value& workflow) {
  std::string text;
  for (const Value& p : workflow["spec"]["arguments"]["parameters"].list()) {
    if (!p["value"].is_string()) continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", p["name"].string_or(""),
                        shortened(p["value"].as_string()));
  }
  return text;
}

std::string pod_counts(const Value& workflow) {
  int pending = 0;
  int running = 0;
  int completed = 0;
  for (const auto& [id, n] : workflow["status"]["nodes"].map()) {
    if (n["type"].string_or("") != "Pod") continue;
    const std::string_view phase = n["phase"].string_or("");
    ++(phase == "Pending" ? pending : phase == "Running" ? running : completed);
  }
  return fmt::format("{}/{}/{}", pending, running, completed);
}

std::vector<std::string> pod_row(std::string_view workflow, const Value& n, clock::Instant now) {
  const std::string_view phase = n["phase"].string_or("");
  const bool is_running = phase == "Running";
  const char* status = phase == "Succeeded"                    ? "Completed"
                       : phase == "Failed" || phase == "Error" ? "Error"
                       : is_running                            ? "Running"
                                                               : "Pending";
  const clock::Instant start = time_of(n["startedAt"]);
  return {pod_name(workflow, n), is_running ? "2/2" : "0/2", status, "0",
          start.is_set() ? clock::humanize_short(now - start) : "0s"};
}

}  // namespace

void sort_for_list(std::vector<Value>& workflows) {
  auto key = [](const Value& w) { return time_of(w["status"]["finishedAt"]); };
  std::ranges::stable_sort(workflows, [&](const Value& a, const Value& b) {
    const clock::Instant end_a = key(a);
    const clock::Instant end_b = key(b);
    if (end_a.is_set() != end_b.is_set()) return !end_a.is_set();
    if (end_a.is_set() && end_a != end_b) return end_b < end_a;
    return time_of(b["metadata"]["creationTimestamp"]) <
           time_of(a["metadata"]["creationTimestamp"]);
  });
}

std::string format_list(const std::vector<Value>& workflows, const ListOptions& options) {
  std::vector<std::vector<std::string>> rows;
  auto add = [&](std::string name_space, std::vector<std::string> cells,
                 std::vector<std::string> wide) {
    if (options.show_namespace) cells.insert(cells.begin(), std::move(name_space));
    if (options.wide) cells.insert(cells.end(), wide.begin(), wide.end());
    rows.push_back(std::move(cells));
  };
  if (options.headers)
    add("NAMESPACE", {"NAME", "STATUS", "AGE", "DURATION", "PRIORITY", "MESSAGE"},
        {"P/R/C", "PARAMETERS"});
  for (const Value& w : workflows) {
    const Value& status = w["status"];
    add(std::string(w["metadata"]["namespace"].string_or("")),
        {std::string(w["metadata"]["name"].string_or("")), status_text(w),
         clock::humanize_short(options.now - time_of(w["metadata"]["creationTimestamp"])),
         duration_text(status, options.now), std::to_string(w["spec"]["priority"].int_or(0)),
         std::string(status["message"].string_or(""))},
        {pod_counts(w), parameters_text(w)});
  }
  return format_table(rows, 3, false);
}

std::string format_pods(const std::vector<Value>& workflows, clock::Instant now) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "READY", "STATUS", "RESTARTS", "AGE"}};
  for (const Value& w : workflows) {
    std::vector<std::vector<std::string>> pods;
    for (const auto& [id, n] : w["status"]["nodes"].map()) {
      if (n["type"].string_or("") == "Pod")
        pods.push_back(pod_row(w["metadata"]["name"].string_or(""), n, now));
    }
    std::ranges::sort(pods);
    rows.insert(rows.end(), pods.begin(), pods.end());
  }
  return format_table(rows, 3, false);
}

}  // namespace tiphys::view
