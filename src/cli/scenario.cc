#include "cli/scenario.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "clock/go_duration.h"
#include "sim/outcomes.h"
#include "value/json.h"

namespace tiphys::cli {

using value::Value;

namespace {

std::unexpected<diag::Error> wrong(std::string text) {
  return diag::fail(diag::Code::kInvalidManifest, std::move(text));
}

std::string text_of(const Value& v) { return v.is_string() ? v.as_string() : value::to_json(v); }

diag::Result<void> check_words(const Value& map, std::string_view owner,
                               std::initializer_list<std::string_view> words) {
  if (!map.is_map() && !map.is_null()) return wrong(fmt::format("{} wants a map", owner));
  for (const auto& [key, v] : map.map()) {
    if (std::ranges::find(words, key) != words.end()) continue;
    return wrong(fmt::format("{} has no field '{}': it has {}", owner, key,
                             fmt::join(words.begin(), words.end(), ", ")));
  }
  return {};
}

std::string phase_of(const Value& workflow, std::string_view name) {
  const std::string whole = fmt::format("{}.{}", workflow["metadata"]["name"].string_or(""), name);
  for (const auto& [id, node] : workflow["status"]["nodes"].map()) {
    const std::string_view own = node["name"].string_or("");
    if (own == name || own == whole || node["displayName"].string_or("") == name) {
      return std::string(node["phase"].string_or(""));
    }
  }
  return "absent";
}

std::string request_line(const Value& request, const Value& shown) {
  std::string line;
  for (const char* field : {"method", "url", "body"}) {
    if (shown[field].is_null()) continue;
    if (!line.empty()) line += " ";
    const Value& v = request[field];
    const bool is_default = v.is_null() && std::string_view(field) == "method";
    line += is_default ? "GET" : std::string(v.string_or(""));
  }
  return line;
}

void compare(std::vector<std::string>& out, std::string_view what, std::string_view want,
             std::string_view got) {
  if (want == got) return;
  out.push_back(fmt::format("{}: want '{}', got '{}'", what, want, got));
}

void compare_hooks(std::vector<std::string>& out, const Value& want, const Value& workflow) {
  std::vector<std::string> names;
  for (const Value& name : want.list()) names.push_back(text_of(name));
  std::vector<std::string> fired = sim::fired_hooks(workflow);
  for (const std::string& name : names) {
    if (std::erase(fired, name) == 0) out.push_back(fmt::format("hook {} did not fire", name));
  }
  for (const std::string& name : fired) out.push_back(fmt::format("hook {} fired", name));
}

void compare_requests(std::vector<std::string>& out, const Value& want,
                      const std::vector<sim::Sent>& sent) {
  const std::size_t count = std::max(want.list().size(), sent.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string what = fmt::format("request {}", i + 1);
    static const Value kAll = value::Map{{"method", ""}, {"url", ""}};
    const bool is_wanted = i < want.list().size();
    const Value& shown = is_wanted ? want.list()[i] : kAll;
    compare(out, what, is_wanted ? request_line(shown, shown) : "none",
            i < sent.size() ? request_line(sent[i].http, shown) : "none");
  }
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // XML 1.0 has no other control characters.
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

}  // namespace

diag::Result<sim::Script> script_of_case(const Value& given) {
  sim::Script script;
  if (!given.is_map() && !given.is_null()) return wrong("given wants a map of steps and tasks");
  for (const auto& [name, how] : given.map()) {
    TRY_VOID(check_words(how, "given." + name, {"fail", "result", "duration", "outputs"}));
    if (!how["fail"].is_null()) {
      if (!how["fail"].is_int()) return wrong(fmt::format("given.{}.fail wants a number", name));
      script.fail[name] = static_cast<int>(how["fail"].as_int());
    }
    if (!how["result"].is_null()) script.results[name] = text_of(how["result"]);
    if (!how["duration"].is_null()) {
      TRY(const clock::Duration duration, clock::parse_duration(text_of(how["duration"])));
      script.durations.emplace(name, duration);
    }
    for (const auto& [output, v] : how["outputs"].map()) {
      script.outputs[name + "." + output] = text_of(v);
    }
  }
  return script;
}

diag::Result<std::vector<std::string>> differences(const Value& expect,
                                                   const sim::Rehearsal& rehearsal) {
  TRY_VOID(check_words(expect, "expect", {"phase", "message", "nodes", "hooks", "requests"}));
  for (const Value& request : expect["requests"].list()) {
    TRY_VOID(check_words(request, "a request", {"method", "url", "body"}));
  }
  const Value workflow = rehearsal.workflow();
  std::vector<std::string> out;
  for (const char* field : {"phase", "message"}) {
    if (expect[field].is_null()) continue;
    compare(out, field, text_of(expect[field]), workflow["status"][field].string_or(""));
  }
  for (const auto& [name, phase] : expect["nodes"].map()) {
    compare(out, "node " + name, text_of(phase), phase_of(workflow, name));
  }
  if (expect["hooks"].is_list()) compare_hooks(out, expect["hooks"], workflow);
  if (expect["requests"].is_list()) compare_requests(out, expect["requests"], rehearsal.sent());
  for (const sim::Missing& m : rehearsal.missing()) {
    out.push_back(fmt::format(
        "'{}' waits for its output parameter '{}', which nobody supplies: give {{{}: {{outputs: "
        "{{{}: VALUE}}}}}}",
        m.node, m.parameter, m.node, m.parameter));
  }
  for (std::string& line : rehearsal.unused()) out.push_back(std::move(line));
  return out;
}

std::string to_junit(const std::vector<CaseResult>& results) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (std::size_t i = 0; i < results.size();) {
    const std::string& file = results[i].file;
    std::size_t failed = 0;
    std::size_t broken = 0;
    std::string cases;
    std::size_t end = i;
    for (; end < results.size() && results[end].file == file; ++end) {
      const CaseResult& one = results[end];
      cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", escaped(file),
                           escaped(one.name));
      if (!one.error.empty()) {
        ++broken;
        cases +=
            fmt::format(">\n      <error message=\"{}\"/>\n    </testcase>\n", escaped(one.error));
        continue;
      }
      if (one.differences.empty()) {
        cases += "/>\n";
        continue;
      }
      ++failed;
      cases += fmt::format(">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                           escaped(one.differences.front()),
                           escaped(fmt::format("{}", fmt::join(one.differences, "\n"))));
    }
    out += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n{}  </testsuite>\n",
        escaped(file), end - i, failed, broken, cases);
    i = end;
  }
  return out + "</testsuites>\n";
}

}  // namespace tiphys::cli
