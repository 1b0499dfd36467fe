#include "cli/show.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "clock/rfc3339.h"
#include "clock/strftime.h"
#include "value/json.h"
#include "view/yaml_view.h"

namespace tiphys::cli {

namespace {

// 0: stdout is no terminal.
int terminal_columns() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace

view::GetOptions view_options(const Session& session) {
  view::GetOptions options;
  options.color = session.color();
  options.utf8 = !session.no_utf8;
  options.now = now();
  options.width = terminal_columns();
  options.cuts_lines = false;
  return options;
}

diag::Result<void> check_output(const std::string& output) {
  constexpr std::array<std::string_view, 7> kKnown = {"",     "text", "wide", "short",
                                                      "json", "yaml", "name"};
  if (std::ranges::find(kKnown, output) != kKnown.end()) return {};
  return wrong_usage(
      fmt::format("unknown output format '{}': want wide, short, json, yaml or name", output));
}

bool is_for_programs(const std::string& output) {
  return output == "json" || output == "yaml" || output == "name";
}

diag::Result<void> show_workflow(const value::Value& workflow, const std::string& output,
                                 const view::GetOptions& base) {
  TRY_VOID(check_output(output));
  if (output == "json") {
    print_text(value::to_json(workflow, {.indent = 4}) + "\n");
  } else if (output == "yaml") {
    print_text(view::to_yaml(workflow));
  } else if (output == "name") {
    print_text(fmt::format("{}\n", workflow["metadata"]["name"].string_or("")));
  } else {
    view::GetOptions options = base;
    options.output = output == "wide"    ? view::Output::kWide
                     : output == "short" ? view::Output::kShort
                                         : view::Output::kText;
    print_text(view::format_workflow(workflow, options));
  }
  return {};
}

diag::Result<void> show_workflow(const value::Value& workflow, const std::string& output,
                                 const Session& session) {
  return show_workflow(workflow, output, view_options(session));
}

std::string completion_line(const value::Value& workflow) {
  const value::Value& status = workflow["status"];
  auto finished = clock::parse_rfc3339(status["finishedAt"].string_or(""));
  return fmt::format(
      "{} {} at {}", workflow["metadata"]["name"].string_or(""), status["phase"].string_or(""),
      clock::strftime("%Y-%m-%d %H:%M:%S +0000 UTC", finished ? *finished : clock::Instant{}));
}

}  // namespace tiphys::cli
