#include "cli/scenario_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "clock/go_duration.h"
#include "spec/json_pointer.h"
#include "spec/schema.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using diag::Diagnostic;
using value::Value;
using Words = std::vector<std::string_view>;

const Words kPhases = {"Succeeded", "Failed", "Error"};
const Words kNodePhases = {"Succeeded", "Failed",  "Error",   "Skipped",
                           "Omitted",   "Running", "Pending", "absent"};

class Inspector {
 public:
  explicit Inspector(const spec::Positions& positions) : positions_(positions) {}

  void file(const Value& test) {
    if (!fields(test, "", "a test", {"files", "parameters", "tests"})) return;
    strings(test["files"], "/files", "files", "names of manifests");
    map(test["parameters"], "/parameters", "parameters");
    if (test["files"].list().empty()) tell("", "files: [MANIFEST] is missing");
    if (test["tests"].list().empty()) return tell("", "tests: [CASE] is missing");
    std::size_t i = 0;
    for (const Value& one : test["tests"].list()) a_case(one, spec::pointer_to("/tests", i++));
  }

  std::vector<Diagnostic> take() { return std::move(found_); }

 private:
  void tell(const std::string& at, std::string message, std::string fix = "", bool is_key = false) {
    found_.push_back({diag::Severity::kError,
                      {diag::Code::kInvalidManifest, std::move(message),
                       is_key ? positions_.key(at) : positions_.value(at)},
                      std::move(fix)});
  }

  bool map(const Value& v, const std::string& at, std::string_view what) {
    if (v.is_map() || v.is_null()) return true;
    tell(at, fmt::format("{} wants a map", what));
    return false;
  }

  bool fields(const Value& v, const std::string& at, std::string_view what, const Words& known) {
    if (!map(v, at, what)) return false;
    for (const auto& [key, member] : v.map()) {
      if (std::ranges::find(known, key) != known.end()) continue;
      const std::string near = spec::nearest_name(key, known);
      tell(spec::pointer_to(at, key),
           fmt::format("{} has no field '{}': it has {}", what, key, fmt::join(known, ", ")),
           near.empty() ? "" : fmt::format("did you mean \"{}\"?", near), true);
    }
    return true;
  }

  void strings(const Value& v, const std::string& at, std::string_view what,
               std::string_view wanted) {
    const bool are_strings =
        v.is_null() || (v.is_list() && std::ranges::all_of(v.list(), [](const Value& element) {
                          return element.is_string();
                        }));
    if (!are_strings) tell(at, fmt::format("{} wants a list of {}", what, wanted));
  }

  void phase(const Value& v, const std::string& at, const Words& known) {
    const std::string text = v.is_string() ? v.as_string() : value::to_json(v);
    if (v.is_null() || std::ranges::find(known, text) != known.end()) return;
    const std::string near = spec::nearest_name(text, known);
    tell(at, fmt::format("there is no phase '{}': want {}", text, fmt::join(known, ", ")),
         near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
  }

  void a_case(const Value& one, const std::string& at) {
    if (!fields(one, at, "a case", {"name", "parameters", "given", "expect"})) return;
    if (one["name"].string_or("").empty()) tell(at, "this case has no name");
    map(one["parameters"], at + "/parameters", "parameters");
    if (map(one["given"], at + "/given", "given")) {
      for (const auto& [name, how] : one["given"].map()) {
        leaf(how, spec::pointer_to(at + "/given", name), "given." + name);
      }
    }
    if (one["expect"].map().empty() && (one["expect"].is_null() || one["expect"].is_map())) {
      tell(at, "this case expects nothing, so that it cannot fail",
           "expect: has phase, message, nodes, hooks, requests");
    }
    expect(one["expect"], at + "/expect");
  }

  void leaf(const Value& how, const std::string& at, const std::string& what) {
    if (!fields(how, at, what, {"fail", "result", "duration", "outputs"})) return;
    if (!how["fail"].is_null() && !how["fail"].is_int()) {
      tell(at + "/fail", what + ".fail wants a number, an exit code");
    }
    map(how["outputs"], at + "/outputs", what + ".outputs");
    const Value& duration = how["duration"];
    if (duration.is_null()) return;
    const auto parsed = clock::parse_duration(duration.is_string() ? duration.as_string()
                                                                   : value::to_json(duration));
    if (!parsed) tell(at + "/duration", parsed.error().message, "write it as 30s, 5m, 1h30m");
  }

  void expect(const Value& v, const std::string& at) {
    if (!fields(v, at, "expect", {"phase", "message", "nodes", "hooks", "requests"})) return;
    phase(v["phase"], at + "/phase", kPhases);
    if (map(v["nodes"], at + "/nodes", "nodes")) {
      for (const auto& [name, wanted] : v["nodes"].map()) {
        phase(wanted, spec::pointer_to(at + "/nodes", name), kNodePhases);
      }
    }
    strings(v["hooks"], at + "/hooks", "hooks", "names, such as build.hooks.failure");
    if (!v["requests"].is_null() && !v["requests"].is_list()) {
      return tell(at + "/requests", "requests wants a list of {method, url, body}");
    }
    std::size_t i = 0;
    for (const Value& request : v["requests"].list()) {
      fields(request, spec::pointer_to(at + "/requests", i++), "a request",
             {"method", "url", "body"});
    }
  }

  const spec::Positions& positions_;
  std::vector<Diagnostic> found_;
};

}  // namespace

std::vector<Diagnostic> check_scenarios(const Value& test, const spec::Positions& positions) {
  Inspector inspector(positions);
  inspector.file(test);
  return inspector.take();
}

}  // namespace tiphys::cli
