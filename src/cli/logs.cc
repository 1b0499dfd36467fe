#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include "cli/commands.h"
#include "cli/log_lines.h"
#include "cli/pod_logs.h"
#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "runtime/definition.h"
#include "runtime/pod_containers.h"
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

diag::Result<engine::Definition> definition_of(store::Store& store, const store::WorkflowRow& row) {
  TRY(const auto events, store.load_events(row.uid));
  if (events.empty()) {
    return diag::fail(diag::Code::kInternal, fmt::format("workflow '{}' has no log", row.name));
  }
  return runtime::parse_definition(events.front().payload);
}

template <typename Names>
diag::Result<void> no_container(const std::string& name, const std::string& where,
                                const Names& names) {
  return diag::fail(diag::Code::kNotFound,
                    fmt::format("container '{}' not found in {}: use one of {}", name, where,
                                fmt::join(names, ", ")));
}

// Which pods `-l` means, and which containers `-c`.
diag::Result<void> add_selection(const LogFlags& o, store::Store& store,
                                 const store::WorkflowRow& row, PodLogs::Options& options) {
  options.container = o.container;
  const bool asks_for_more = !o.container.empty() && o.container != "main";
  if (o.selector.empty() && !asks_for_more) return {};
  TRY(engine::Definition found, definition_of(store, row));
  const auto definition = std::make_shared<const engine::Definition>(std::move(found));
  if (!o.selector.empty()) {
    TRY(spec::Selector selector, spec::Selector::parse(o.selector));
    options.is_wanted = [selector = std::move(selector), definition](const value::Value& node) {
      return selector.matches(runtime::pod_labels(*definition, node));
    };
  }
  if (!asks_for_more) return {};
  const std::vector<std::string> all = runtime::all_containers(*definition);
  if (std::ranges::find(all, o.container) == all.end()) {
    return no_container(o.container, fmt::format("workflow '{}'", row.name), all);
  }
  options.containers_of = [definition](const value::Value& node) {
    return runtime::pod_containers(*definition, node);
  };
  return {};
}

void print_lines(const std::vector<LogLine>& lines, const LogStyle& style) {
  for (const LogLine& l : lines) print_text(format_log_line(l.pod, l.stored, style) + "\n");
  (void)std::fflush(stdout);
}

diag::Result<void> logs(const LogFlags& o, Session& session) {
  TRY(const LogFilter filter, filter_of(o));
  TRY(Opened state, open_state());
  TRY(store::WorkflowRow row, find_workflow(*state.store, session, o.workflow));
  PodLogs::Options options{.only = o.pod};
  TRY_VOID(add_selection(o, *state.store, row, options));
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
  if (!pods.other_containers().empty()) {
    return no_container(o.container, fmt::format("pod '{}'", o.pod), pods.other_containers());
  }
  return diag::fail(diag::Code::kNotFound,
                    fmt::format("pod '{}' not found in workflow '{}'", o.pod, row.name));
}

}  // namespace

void add_logs(Command app, Session& session) {
  auto o = std::make_shared<LogFlags>();
  const Command command = add_command(app, "logs", "view logs of a workflow or of one of its pods",
                                      session, [o, &session] { return logs(*o, session); });
  command.add_option("WORKFLOW", o->workflow, "its name; @latest is the newest").required();
  command.add_option("POD", o->pod, "a pod, or the id or display name of its node");
  command.add_option("-c,--container", o->container,
                     "main, or a sidecar, init container or container of a containerSet");
  command.add_option("--grep", o->grep, "only lines that match (RE2)");
  command.add_option("-l,--selector", o->selector, "only pods with these labels, e.g. app=web");
  command.add_option("--since", o->since, "only lines newer than this, e.g. 5m");
  command.add_option("--since-time", o->since_time, "only lines after this time (RFC 3339)");
  command.add_option("--tail", o->tail, "only the last lines of each pod");
  command.add_flag("-f,--follow", o->follow, "go on until the workflow ends");
  command.add_flag("-p,--previous", o->previous, "accepted; a step has no previous container here");
  command.add_flag("--timestamps", o->timestamps, "each line with its time");
}

}  // namespace tiphys::cli
