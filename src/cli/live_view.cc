#include "cli/live_view.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "cli/log_lines.h"

namespace tiphys::cli {

namespace {

constexpr clock::Duration kBetweenDraws = clock::Duration::milliseconds(80);
constexpr clock::Duration kClockTick = clock::Duration::seconds(1);  // durations grow on screen
constexpr int kNarrow = 40;      // columns below which a tree cannot be read
constexpr int kCostFactor = 10;  // a refresh may take a tenth of the time

struct Screen {
  int rows = 24;
  int columns = 80;
};

Screen screen() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) {
    return {size.ws_row, size.ws_col};
  }
  return {};
}

bool is_drawable_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb" &&
         screen().columns >= kNarrow;
}

int lines_of(std::string_view text) { return static_cast<int>(std::ranges::count(text, '\n')); }

// Cuts text behind `lines` lines.
std::string first_lines(const std::string& text, int lines) {
  std::size_t end = 0;
  for (; lines > 0 && end != std::string::npos; --lines) {
    end = text.find('\n', end);
    if (end != std::string::npos) ++end;
  }
  return text.substr(0, end);
}

std::string with_cleared_ends(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += "\x1b[K";
    out += c;
  }
  return out;
}

std::string headline(const value::Value& workflow, int width) {
  const value::Value& status = workflow["status"];
  std::string text = fmt::format("{}  {}  {}", workflow["metadata"]["name"].string_or(""),
                                 view::status_text(workflow), status["progress"].string_or(""));
  if (width > 0 && text.size() > static_cast<std::size_t>(width)) {
    text.resize(static_cast<std::size_t>(width));
  }
  return text + "\n";
}

}  // namespace

std::string fit_to_screen(const value::Value& workflow, const view::GetOptions& view, int rows) {
  const std::string whole = view::format_workflow(workflow, view);
  if (lines_of(whole) <= rows) return whole;
  const std::string head = headline(workflow, view.width);
  const std::string tree = view::format_tree(workflow, view);
  if (lines_of(tree) + 1 <= rows) return head + tree;
  view::GetOptions at_work = view;
  at_work.status = "Running";
  const std::string running = view::format_tree(workflow, at_work);
  if (lines_of(running) + 1 <= rows) return head + running;
  const int room = std::max(rows - 2, 0);
  return first_lines(
      head + first_lines(running, room) + fmt::format("... {} more\n", lines_of(running) - room),
      rows);
}

LiveView::LiveView(LiveOptions options, Fetch fetch)
    : options_(std::move(options)),
      fetch_(std::move(fetch)),
      is_terminal_(is_drawable_terminal()) {}

void LiveView::refresh() {
  const clock::Instant begin = now();
  std::set<std::string> dirty;
  dirty.swap(dirty_);
  for (const std::string& uid : dirty) {
    value::Value object = fetch_(uid);
    if (object.is_null()) continue;
    if (!watched_.contains(uid)) order_.push_back(uid);
    Watched& w = watched_[uid];
    w.object = std::move(object);
    w.is_over = w.object["status"]["finishedAt"].is_string();
    if (options_.show == LiveOptions::Show::kLogs) {
      logs_.try_emplace(uid, options_.config, PodLogs::Options{}).first->second.look_at(w.object);
    } else if (!draws_tree()) {
      print_changes(w);
    }
  }
  refreshed_at_ = now();
  refresh_cost_ = refreshed_at_ - begin;
}

void LiveView::tick() {
  if (options_.show == LiveOptions::Show::kNothing) return;
  const clock::Duration least = draws_tree() ? kBetweenDraws : clock::Duration{};
  const clock::Duration pause = std::max(least, clock::Duration{refresh_cost_.ns * kCostFactor});
  const clock::Instant t = now();
  const bool is_due = !dirty_.empty() && t - refreshed_at_ >= pause;
  if (is_due) refresh();
  if (draws_tree() && !watched_.empty() && (is_due || t - drawn_at_ >= kClockTick)) redraw();
  print_logs();
}

void LiveView::finish() {
  if (options_.show == LiveOptions::Show::kNothing) return;
  refresh();
  if (draws_tree()) redraw();
  print_logs();
  (void)std::fflush(stdout);
}

void LiveView::note(std::string_view text) {
  if (!draws_tree() || isatty(STDERR_FILENO) == 0) {
    fmt::print(stderr, "{}\n", text);
    return;
  }
  notes_ += fmt::format("{}\n", text);
  redraw();
}

// The cursor goes back to the first line of the drawing.
std::string LiveView::back_to_start() {
  const int lines = std::exchange(lines_drawn_, 0);
  return lines > 0 ? fmt::format("\x1b[{}A\r", lines) : "";
}

void LiveView::redraw() {
  const Screen size = screen();
  view::GetOptions view = options_.view;
  view.now = now();
  std::string out = std::exchange(notes_, "");
  // Workflows that have ended are drawn for good, above what is still moving.
  for (const std::string& uid : order_) {
    Watched& w = watched_[uid];
    if (!w.is_over || w.was_drawn_last) continue;
    w.was_drawn_last = true;
    out += view::format_workflow(w.object, view) + (order_.size() > 1 ? "\n" : "");
  }
  view.width = size.columns;
  view.cuts_lines = true;
  std::string moving;
  int room = size.rows - 1;
  for (const std::string& uid : order_) {
    const Watched& w = watched_[uid];
    if (w.is_over || room <= 0) continue;
    const std::string drawing = fit_to_screen(w.object, view, room);
    room -= lines_of(drawing);
    moving += drawing;
  }
  // Lines are written over the old ones, each cleared at its end: that does not flicker.
  print_text(back_to_start() + with_cleared_ends(out + moving) + "\x1b[J");
  (void)std::fflush(stdout);
  lines_drawn_ = lines_of(moving);
  drawn_at_ = now();
}

void LiveView::print_changes(Watched& w) {
  const view::GetOptions& filter = options_.view;
  for (const auto& [id, node] : w.object["status"]["nodes"].map()) {
    const std::string phase(node["phase"].string_or(""));
    const std::string_view type = node["type"].string_or("");
    if (type == "StepGroup" || type == "TaskGroup") continue;
    if (!filter.status.empty() && filter.status != phase) continue;
    std::string& before = w.phases[id];
    if (before == phase) continue;
    before = phase;
    const std::string_view message = node["message"].string_or("");
    print_text(fmt::format("{:<10} {}{}{}\n", phase, node["name"].string_or(""),
                           message.empty() ? "" : ": ", message));
  }
  (void)std::fflush(stdout);
}

void LiveView::print_logs() {
  if (options_.show != LiveOptions::Show::kLogs) return;
  std::FILE* to = options_.logs_to_stderr ? stderr : stdout;
  const LogStyle style{.color = options_.view.color && !options_.logs_to_stderr};
  for (auto& [uid, pods] : logs_) {
    for (const LogLine& l : pods.take(all_lines_)) {
      const std::string line = format_log_line(l.pod, l.stored, style) + "\n";
      (void)std::fwrite(line.data(), 1, line.size(), to);
    }
  }
  (void)std::fflush(to);
}

}  // namespace tiphys::cli
