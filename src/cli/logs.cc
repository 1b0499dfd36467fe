#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <optional>
#include <thread>

#include "cli/commands.h"
#include "cli/log_lines.h"
#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "re2/re2.h"
#include "runtime/submit.h"

namespace tiphys::cli {

namespace {

struct LogFlags {
  std::string workflow;
  std::string pod;
  std::string container;
  std::string grep;
  std::string since;
  std::string since_time;
  std::optional<std::size_t> tail;
  bool follow = false;
  bool previous = false;
  bool timestamps = false;
};

/// Which lines are wanted.
struct Filter {
  std::unique_ptr<re2::RE2> grep;
  clock::Instant since;

  [[nodiscard]] bool passes(std::string_view stored) const {
    if (since.is_set()) {
      auto at = clock::parse_rfc3339(log_time(stored));
      if (at && *at < since) return false;
    }
    return !grep || re2::RE2::PartialMatch(
                        re2::StringPiece(log_text(stored).data(), log_text(stored).size()), *grep);
  }
};

diag::Result<Filter> filter_of(const LogFlags& o) {
  Filter filter;
  if (!o.grep.empty()) {
    filter.grep = std::make_unique<re2::RE2>(o.grep, re2::RE2::Quiet);
    if (!filter.grep->ok()) {
      return diag::fail(diag::Code::kInvalidManifest,
                        fmt::format("--grep '{}': {}", o.grep, filter.grep->error()));
    }
  }
  if (!o.since.empty()) {
    TRY(const clock::Duration d, clock::parse_go_duration(o.since));
    filter.since = now() - d;
  }
  if (!o.since_time.empty()) {
    TRY(filter.since, clock::parse_rfc3339(o.since_time));
  }
  return filter;
}

/// Prints what was added to the log of one pod since the last call.
class PodLog {
 public:
  PodLog(std::string pod, std::string path) : pod_(std::move(pod)), path_(std::move(path)) {}

  void print(const Filter& filter, const LogFlags& o, bool color) {
    std::ifstream in(path_, std::ios::binary);
    if (!in) return;
    in.seekg(static_cast<std::streamoff>(offset_));
    std::vector<std::string> lines;
    std::string line;
    while (std::getline(in, line)) {
      if (in.eof()) break;  // its end is still to come
      offset_ += line.size() + 1;
      if (filter.passes(line)) lines.push_back(line);
    }
    const std::size_t skipped =
        o.tail && !has_printed_ && lines.size() > *o.tail ? lines.size() - *o.tail : 0;
    has_printed_ = true;
    const LogStyle style{.color = color, .timestamps = o.timestamps};
    for (std::size_t i = skipped; i < lines.size(); ++i)
      fmt::print("{}\n", format_log_line(pod_, lines[i], style));
  }

 private:
  std::string pod_;
  std::string path_;
  std::size_t offset_ = 0;
  bool has_printed_ = false;
};

std::vector<std::string> pods_in_order(const value::Value& workflow, const std::string& only) {
  std::vector<std::pair<std::string, std::string>> found;  // start, pod
  const std::string name(workflow["metadata"]["name"].string_or(""));
  for (const auto& [id, node] : workflow["status"]["nodes"].map()) {
    if (node["type"].string_or("") != "Pod") continue;
    const std::string pod = pod_of(name, node);
    if (only.empty() || only == pod || only == id || only == node["displayName"].string_or("")) {
      found.emplace_back(node["startedAt"].string_or("~"), pod);
    }
  }
  std::ranges::stable_sort(found, {}, &std::pair<std::string, std::string>::first);
  std::vector<std::string> pods;
  for (auto& [at, pod] : found) pods.push_back(std::move(pod));
  return pods;
}

diag::Result<void> logs(const LogFlags& o, Session& session) {
  if (!o.container.empty() && o.container != "main") {
    return diag::fail(
        diag::Code::kNotFound,
        fmt::format("container '{}' not found: steps have the container 'main'", o.container));
  }
  TRY(const Filter filter, filter_of(o));
  TRY(Opened state, open_state());
  TRY(store::WorkflowRow row, find_workflow(*state.store, session, o.workflow));
  std::map<std::string, PodLog> open;
  for (;;) {
    TRY(row, state.store->find_workflow(row.name_space, row.name));
    TRY(const value::Value workflow, runtime::load_workflow_object(*state.store, row));
    for (const std::string& pod : pods_in_order(workflow, o.pod)) {
      auto [it, is_new] = open.try_emplace(pod, pod, state.config.log_path(row.uid, pod));
      it->second.print(filter, o, session.color());
    }
    std::fflush(stdout);
    if (!o.follow || row.finished_at.is_set()) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace

void add_logs(CLI::App& app, Session& session) {
  auto o = std::make_shared<LogFlags>();
  CLI::App* command = add_command(app, "logs", "view logs of a workflow or of one of its pods",
                                  session, [o, &session] { return logs(*o, session); });
  command->add_option("WORKFLOW", o->workflow)->required();
  command->add_option("POD", o->pod);
  command->add_option("-c,--container", o->container, "main");
  command->add_option("--grep", o->grep, "only lines that match (RE2)");
  command->add_option("--since", o->since, "only lines newer than this, e.g. 5m");
  command->add_option("--since-time", o->since_time, "only lines after this time (RFC 3339)");
  command->add_option("--tail", o->tail, "only the last lines");
  command->add_flag("-f,--follow", o->follow, "go on until the workflow ends");
  command->add_flag("-p,--previous", o->previous,
                    "accepted; a step has no previous container here");
  command->add_flag("--timestamps", o->timestamps);
}

}  // namespace tiphys::cli
