#include "cli/live_view.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "cli/log_lines.h"
#include "spec/node_id.h"
#include "view/workflow_view.h"

namespace tiphys::cli {

namespace {

constexpr clock::Duration kBetweenDraws = clock::Duration::milliseconds(80);

struct Screen {
  int rows = 24;
  int columns = 80;
};

Screen screen() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0)
    return {size.ws_row, size.ws_col};
  return {};
}

bool is_plain_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

LiveView::LiveView(LiveOptions options, const Session& session)
    : options_(std::move(options)),
      session_(session),
      is_terminal_(is_plain_terminal() && !options_.follow_logs) {}

void LiveView::update(const value::Value& workflow) {
  latest_ = workflow;
  if (options_.follow_logs) print_logs(workflow);
  if (options_.is_quiet || options_.follow_logs) return;
  if (!is_terminal_) {
    print_changes(workflow);
    return;
  }
  const bool is_over = workflow["status"]["finishedAt"].is_string();
  if (!is_over && now() - drawn_at_ < kBetweenDraws) return;
  redraw();
}

void LiveView::finish() {
  if (latest_.is_null()) return;
  if (options_.follow_logs) print_logs(latest_);
  if (!options_.is_quiet && is_terminal_) redraw();
}

void LiveView::redraw() {
  const Screen size = screen();
  view::GetOptions options;
  options.color = session_.color();
  options.utf8 = !session_.no_utf8;
  options.now = now();
  options.width = size.columns;
  const std::string text = view::format_workflow(latest_, options);
  const bool is_over = latest_["status"]["finishedAt"].is_string();
  // While it runs only the end that fits is drawn, so that the cursor can come back to the first
  // line.
  std::string_view shown = text;
  auto lines = static_cast<int>(std::ranges::count(shown, '\n'));
  while (!is_over && lines > size.rows - 1) {
    shown.remove_prefix(shown.find('\n') + 1);
    --lines;
  }
  if (lines_drawn_ > 0) fmt::print("\x1b[{}A", lines_drawn_);
  fmt::print("\x1b[J{}", shown);
  std::fflush(stdout);
  lines_drawn_ = lines;
  drawn_at_ = now();
}

void LiveView::print_changes(const value::Value& workflow) {
  for (const auto& [id, node] : workflow["status"]["nodes"].map()) {
    const std::string phase(node["phase"].string_or(""));
    std::string& before = phases_[id];
    const std::string_view type = node["type"].string_or("");
    if (before == phase || type == "StepGroup" || type == "TaskGroup") continue;
    before = phase;
    const std::string_view message = node["message"].string_or("");
    fmt::print("{:<10} {}{}{}\n", phase, node["name"].string_or(""), message.empty() ? "" : ": ",
               message);
  }
  std::fflush(stdout);
}

void LiveView::print_logs(const value::Value& workflow) {
  const std::string uid(workflow["metadata"]["uid"].string_or(""));
  const std::string name(workflow["metadata"]["name"].string_or(""));
  for (const auto& [id, node] : workflow["status"]["nodes"].map()) {
    if (node["type"].string_or("") != "Pod") continue;
    const std::string pod = pod_of(name, node);
    const std::string path = options_.config.log_path(uid, pod);
    std::ifstream in(path, std::ios::binary);
    if (!in) continue;
    std::size_t& offset = log_offsets_[pod];
    in.seekg(static_cast<std::streamoff>(offset));
    std::string line;
    while (std::getline(in, line) && !in.eof()) {  // a line without its end comes the next time
      offset += line.size() + 1;
      fmt::print("{}\n", format_log_line(pod, line, {.color = session_.color()}));
    }
  }
  std::fflush(stdout);
}

}  // namespace tiphys::cli
