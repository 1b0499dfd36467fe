#include "cli/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "clock/rfc3339.h"
#include "clock/strftime.h"
#include "value/json.h"
#include "view/workflow_view.h"
#include "view/yaml_view.h"

namespace tiphys::cli {

diag::Result<void> check_output(const std::string& output) {
  constexpr std::array<std::string_view, 7> kKnown = {"",     "text", "wide", "short",
                                                      "json", "yaml", "name"};
  if (std::ranges::find(kKnown, output) != kKnown.end()) return {};
  return diag::fail(
      diag::Code::kInvalidManifest,
      fmt::format("unknown output format '{}': want wide, short, json, yaml or name", output));
}

diag::Result<void> show_workflow(const value::Value& workflow, const std::string& output,
                                 const Session& session) {
  TRY_VOID(check_output(output));
  if (output == "json") {
    fmt::print("{}\n", value::to_json(workflow, {.indent = 4}));
  } else if (output == "yaml") {
    fmt::print("{}", view::to_yaml(workflow));
  } else if (output == "name") {
    fmt::print("{}\n", workflow["metadata"]["name"].string_or(""));
  } else {
    view::GetOptions options;
    options.output = output == "wide"    ? view::Output::kWide
                     : output == "short" ? view::Output::kShort
                                         : view::Output::kText;
    options.color = session.color();
    options.utf8 = !session.no_utf8;
    options.now = now();
    fmt::print("{}", view::format_workflow(workflow, options));
  }
  return {};
}

std::string completion_line(const value::Value& workflow) {
  const value::Value& status = workflow["status"];
  auto finished = clock::parse_rfc3339(status["finishedAt"].string_or(""));
  const clock::Instant at = finished ? *finished : clock::Instant{};
  return fmt::format("{} {} at {}", workflow["metadata"]["name"].string_or(""),
                     status["phase"].string_or(""),
                     clock::strftime("%Y-%m-%d %H:%M:%S +0000 UTC", at));
}

}  // namespace tiphys::cli
