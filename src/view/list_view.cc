#include "view/list_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "value/json.h"
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
    const Value& v = p["value"];
    if (v.is_null()) continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", p["name"].string_or(""),
                        shortened(v.is_string() ? v.as_string() : value::to_json(v)));
  }
  return text;
}

bool is_over(std::string_view phase) {
  constexpr std::array<std::string_view, 5> kOver = {"Succeeded", "Failed", "Error", "Skipped",
                                                     "Omitted"};
  return std::ranges::find(kOver, phase) != kOver.end();
}

std::string pod_counts(const Value& workflow) {
  int pending = 0;
  int running = 0;
  int completed = 0;
  for (const auto& [id, n] : workflow["status"]["nodes"].map()) {
    if (n["type"].string_or("") != "Pod") continue;
    const std::string_view phase = n["phase"].string_or("");
    ++(is_over(phase) ? completed : phase == "Running" ? running : pending);
  }
  return fmt::format("{}/{}/{}", pending, running, completed);
}

// An age as kubectl has it: two units while they matter ("2m45s", "3h12m"), then one.
std::string kubectl_age(clock::Duration age) {
  const std::int64_t s = std::max<std::int64_t>(age.ns / 1'000'000'000, 0);
  const std::int64_t m = s / 60;
  const std::int64_t h = m / 60;
  const std::int64_t d = h / 24;
  auto pair = [](std::int64_t big, const char* unit, std::int64_t rest, const char* small) {
    return rest == 0 ? fmt::format("{}{}", big, unit)
                     : fmt::format("{}{}{}{}", big, unit, rest, small);
  };
  if (s < 120) return fmt::format("{}s", s);
  if (m < 10) return pair(m, "m", s % 60, "s");
  if (h < 3) return fmt::format("{}m", m);
  if (h < 8) return pair(h, "h", m % 60, "m");
  if (h < 48) return fmt::format("{}h", h);
  if (d < 8) return pair(d, "d", h % 24, "h");
  if (d < 2 * 365) return fmt::format("{}d", d);
  if (d < 8 * 365) return pair(d / 365, "y", d % 365, "d");
  return fmt::format("{}y", d / 365);
}

std::vector<std::string> pod_row(const Value& workflow, const Value& n, clock::Instant now) {
  const std::string_view phase = n["phase"].string_or("");
  const char* status = phase == "Succeeded"                    ? "Completed"
                       : phase == "Failed" || phase == "Error" ? "Error"
                       : phase == "Running"                    ? "Running"
                                                               : "Pending";
  const clock::Instant start = time_of(n["startedAt"]);
  return {pod_name(workflow, n), phase == "Running" ? "2/2" : "0/2", status, "0",
          start.is_set() ? kubectl_age(now - start) : "0s"};
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
  return format_table(rows, 3);
}

std::string format_pods(const std::vector<Value>& workflows, clock::Instant now) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "READY", "STATUS", "RESTARTS", "AGE"}};
  for (const Value& w : workflows) {
    std::vector<std::vector<std::string>> pods;
    for (const auto& [id, n] : w["status"]["nodes"].map()) {
      if (n["type"].string_or("") == "Pod") pods.push_back(pod_row(w, n, now));
    }
    std::ranges::sort(pods);
    rows.insert(rows.end(), pods.begin(), pods.end());
  }
  return format_table(rows, 3);
}

}  // namespace tiphys::view
