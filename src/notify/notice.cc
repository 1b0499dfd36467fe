#include "notify/notice.h"

#include <algorithm>

#include <fmt/format.h>

#include "clock/go_duration.h"
#include "expr/unicode.h"
#include "notify/message_text.h"

namespace tiphys::notify {

namespace {

using value::Value;

constexpr std::size_t kNameMax = 100;
constexpr std::size_t kTitleMax = 200;
constexpr std::size_t kMessageMax = 300;
constexpr std::size_t kFailuresMax = 5;
constexpr std::size_t kLogLinesMax = 10;
constexpr std::size_t kLogLineMax = 200;
constexpr std::size_t kLogBytesMax = 16384;  // of its end are looked at

std::string name_of(const Value& v) { return fit_text(clean_line(plain_text(v)), {kNameMax}); }

// `Failed` for workflow.failed of a workflow that is Failed; `overdue (Running)` where the word of
// the event is not its phase.
std::string what_happened(std::string_view type, const std::string& phase) {
  const std::string word = clean_line(type.substr(type.find('.') + 1));
  if (word.empty() || word == expr::lower(phase)) return phase;
  return phase.empty() ? word : fmt::format("{} ({})", word, phase);
}

DefaultMessage::Severity severity_of(std::string_view type, std::string_view phase) {
  using Severity = DefaultMessage::Severity;
  const std::string_view word = type.substr(type.find('.') + 1);
  if (phase == "Failed" || phase == "Error" || word == "failed" || word == "error" ||
      word == "overdue" || word == "invalid") {
    return Severity::kBad;
  }
  return phase == "Succeeded" ? Severity::kGood : Severity::kInfo;
}

std::string duration_of(const Value& seconds) {
  double s = -1;
  if (seconds.is_int()) s = static_cast<double>(seconds.as_int());
  if (seconds.is_float()) s = seconds.as_float();
  constexpr double kCentury = 3.2e9;
  if (s < 0 || s > kCentury) return "";
  if (s < 10) return fmt::format("{:.1f}s", s);
  return clock::humanize(clock::Duration::seconds(static_cast<std::int64_t>(s)));
}

// `build (compile)`, or `build` when its template has the same name.
std::string step_of(const Value& node) {
  const std::string name =
      name_of(node["displayName"].is_null() ? node["name"] : node["displayName"]);
  const std::string of = name_of(node["templateName"]);
  return of.empty() || of == name ? name : fmt::format("{} ({})", name, of);
}

void add_line(std::vector<std::string>& lines, std::string_view word, const std::string& text) {
  if (!text.empty()) lines.push_back(fmt::format("{}: {}", word, text));
}

// The last lines, each marked, so that they cannot be taken for words of ours.
std::string log_tail(const Value& log) {
  const std::string all = plain_text(log);
  const std::size_t size = std::min(all.size(), kLogBytesMax);
  const std::string text = clean_text(std::string_view(all).substr(all.size() - size));
  std::vector<std::string> lines;
  std::size_t end = text.size();
  while (lines.size() < kLogLinesMax && end != std::string::npos && !text.empty()) {
    const std::size_t before = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    lines.push_back(fit_text(std::string_view(text).substr(begin, end - begin), {kLogLineMax}));
    end = before;
  }
  std::string out;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    out += out.empty() ? "  | " : "\n  | ";
    out += *line;
  }
  return out;
}

void add_failures(std::vector<std::string>& lines, const value::List& failures) {
  const std::size_t shown = std::min(failures.size(), kFailuresMax);
  for (std::size_t i = 0; i < shown; ++i) {
    const Value& f = failures[i];
    std::string message = fit_text(clean_line(plain_text(f["message"])), {kMessageMax});
    if (message.empty()) message = name_of(f["phase"]);
    lines.push_back(fmt::format("Failed step {}: {}", step_of(f), message));
    if (std::string log = log_tail(f["log"]); !log.empty()) lines.push_back(std::move(log));
  }
  if (failures.size() > shown) {
    lines.push_back(fmt::format("… and {} more failed steps", failures.size() - shown));
  }
}

}  // namespace

DefaultMessage default_message(const Notice& notice) {
  const Value& event = notice.event;
  const Value& workflow = event["workflow"];
  const std::string_view type = event["type"].string_or("");
  const bool is_of_node = event["node"].is_map();
  const Value& subject = is_of_node ? event["node"] : workflow;
  const std::string phase = name_of(subject["phase"]);

  DefaultMessage m;
  m.severity = severity_of(type, phase);
  m.link = clean_line(plain_text(workflow["url"]));
  std::string title = name_of(workflow["name"]);
  if (is_of_node) title += ": " + step_of(subject);
  m.title = fit_text(title + " " + what_happened(type, phase), {kTitleMax});

  add_line(m.lines, "Phase", phase);
  if (is_of_node) add_line(m.lines, "Step", step_of(subject));
  if (event["attempt"].int_or(0) > 0) add_line(m.lines, "Retry", plain_text(event["attempt"]));
  if (!is_of_node) add_line(m.lines, "Duration", duration_of(workflow["duration"]));
  if (phase == "Running") add_line(m.lines, "Progress", name_of(workflow["progress"]));
  add_line(m.lines, "Namespace", name_of(workflow["namespace"]));
  add_line(m.lines, "Message", fit_text(clean_line(plain_text(subject["message"])), {kMessageMax}));
  add_failures(m.lines, event["failures"].list());
  const Value& actions = event["actions"];
  const bool has_links = actions["resumeUrl"].is_string();
  const auto action = [&](const char* verb) {
    return clean_line(plain_text(actions[has_links ? fmt::format("{}Url", verb) : verb]));
  };
  add_line(m.lines, "To go on", action("resume"));
  add_line(m.lines, "To stop", action("stop"));
  return m;
}

}  // namespace tiphys::notify
