#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <optional>
#include <thread>

#include "cli/commands.h"
#include "cli/log_lines.h"
#include "cli/pod_logs.h"
#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "runtime/definition.h"
#include "runtime/pod_labels.h"
#include "runtime/submit.h"
#include "spec/labels.h"

namespace tiphys::cli {

namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(100);

struct LogFlags {
  std::string workflow;
  std::string pod;
  std::string container;
  std::string grep;
  std::string selector;
  std::string since;
  std::string since_time;
  std::optional<std::int64_t> tail;  // negative: all, as argo's default
  bool follow = false;
  bool previous = false;
  bool timestamps = false;
};

diag::Result<LogFilter> filter_of(const LogFlags& o) {
  clock::Instant since;
  if (!o.since.empty() && !o.since_time.empty()) {
    return wrong_usage("at most one of --since or --since-time may be used");
  }
  if (!o.since.empty()) {
    TRY(const clock::Duration d, clock::parse_go_duration(o.since));
    since = now() - d;
  }
  if (!o.since_time.empty()) {
    TRY(since, clock::parse_rfc3339(o.since_time));
  }
  return LogFilter::make(o.grep, since);
}

// Which pods `-l` means.
diag::Result<std::function<bool(const value::Value&)>> selection_of(const LogFlags& o,
                                                                    store::Store& store,
                                                                    const std::string& uid) {
  if (o.selector.empty()) return nullptr;
  TRY(spec::Selector selector, spec::Selector::parse(o.selector));
  TRY(const auto events, store.load_events(uid));
  if (events.empty()) return nullptr;
  TRY(engine::Definition definition, runtime::parse_definition(events.front().payload));
  return [selector = std::move(selector),
          definition = std::move(definition)](const value::Value& node) {
    return selector.matches(runtime::pod_labels(definition, node));
  };
}

void print_lines(const std::vector<LogLine>& lines, const LogStyle& style) {
  for (const LogLine& l : lines) print_text(format_log_line(l.pod, l.stored, style) + "\n");
  (void)std::fflush(stdout);
}

diag::Result<void> logs(const LogFlags& o, Session& session) {
  if (!o.container.empty() && o.container != "main") {
    return diag::fail(
        diag::Code::kNotFound,
        fmt::format("container '{}' not found: a step has the container 'main'", o.container));
  }
  TRY(const LogFilter filter, filter_of(o));
  TRY(Opened state, open_state());
  TRY(store::WorkflowRow row, find_workflow(*state.store, session, o.workflow));
  PodLogs::Options options{.only = o.pod};
  TRY(options.is_wanted, selection_of(o, *state.store, row.uid));
  if (o.tail && *o.tail >= 0) options.tail = static_cast<std::size_t>(*o.tail);
  PodLogs pods(state.config, options);
  const LogStyle style{.color = session.color(), .timestamps = o.timestamps};
  std::optional<std::uint64_t> seen;
  for (;;) {
    TRY(const std::uint64_t version, state.store->data_version());
    if (!seen || *seen != version) {
      seen = version;
      TRY(row, state.store->find_workflow(row.name_space, row.name));
      TRY(const value::Value workflow, runtime::load_workflow_object(*state.store, row));
      pods.look_at(workflow);
    }
    print_lines(pods.take(filter), style);
    if (!o.follow || row.finished_at.is_set() || std::ferror(stdout) != 0) break;
    std::this_thread::sleep_for(kBetweenLooks);
  }
  if (o.pod.empty() || pods.pod_count() > 0) return {};
  return diag::fail(diag::Code::kNotFound,
                    fmt::format("pod '{}' not found in workflow '{}'", o.pod, row.name));
}

}  // namespace

void add_logs(CLI::App& app, Session& session) {
  auto o = std::make_shared<LogFlags>();
  CLI::App* command = add_command(app, "logs", "view logs of a workflow or of one of its pods",
                                  session, [o, &session] { return logs(*o, session); });
  command->add_option("WORKFLOW", o->workflow, "its name; @latest is the newest")->required();
  command->add_option("POD", o->pod, "a pod, or the id or display name of its node");
  command->add_option("-c,--container", o->container, "main");
  command->add_option("--grep", o->grep, "only lines that match (RE2)");
  command->add_option("-l,--selector", o->selector, "only pods with these labels, e.g. app=web");
  command->add_option("--since", o->since, "only lines newer than this, e.g. 5m");
  command->add_option("--since-time", o->since_time, "only lines after this time (RFC 3339)");
  command->add_option("--tail", o->tail, "only the last lines of each pod");
  command->add_flag("-f,--follow", o->follow, "go on until the workflow ends");
  command->add_flag("-p,--previous", o->previous,
                    "accepted; a step has no previous container here");
  command->add_flag("--timestamps", o->timestamps, "each line with its time");
}

}  // namespace tiphys::cli
