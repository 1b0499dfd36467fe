#include "runtime/run_log.h"

#include <string>
#include <utility>
#include <variant>

#include "observe/log.h"

namespace tiphys::runtime {

namespace {

using observe::is_logged;
using observe::log;
using observe::LogLevel;

value::Map fields_of(const WorkflowRun& run, value::Map more) {
  const value::Value metadata = run.engine().metadata();
  value::Map fields{{"workflow", metadata["name"]}, {"namespace", metadata["namespace"]}};
  for (auto& [name, v] : more.entries()) fields.set(name, std::move(v));
  return fields;
}

std::string name_of(const WorkflowRun& run, engine::NodeIndex node) {
  return node < run.engine().node_count() ? run.engine().node(node).name : "";
}

/// What a debug line says of an event.
struct Describe {
  const WorkflowRun& run;

  value::Map operator()(const engine::Begin& /*e*/) const { return {{"event", "Begin"}}; }
  value::Map operator()(const engine::LeafRunning& e) const {
    return {{"event", "LeafRunning"}, {"node", name_of(run, e.leaf.node)}};
  }
  value::Map operator()(const engine::LeafProgress& e) const {
    return {{"event", "LeafProgress"}, {"node", name_of(run, e.leaf.node)}};
  }
  value::Map operator()(const engine::LeafFinished& e) const {
    return {{"event", "LeafFinished"},
            {"node", name_of(run, e.leaf.node)},
            {"phase", engine::to_string(e.phase)}};
  }
  value::Map operator()(const engine::TimerFired& e) const {
    return {{"event", "TimerFired"}, {"node", name_of(run, e.node)}};
  }
  value::Map operator()(const engine::CacheAnswered& e) const {
    return {{"event", "CacheAnswered"}, {"error", observe::without_urls(e.error)}};
  }
  value::Map operator()(const engine::LocksAnswered& e) const {
    return {{"event", "LocksAnswered"}, {"lock", e.waiting}};
  }
  value::Map operator()(const engine::ArtifactsCollected& e) const {
    return {{"event", "ArtifactsCollected"}, {"strategy", e.strategy}};
  }
  value::Map operator()(const engine::Control& /*e*/) const { return {{"event", "Control"}}; }
};

void log_new_hooks(const WorkflowRun& run, std::size_t nodes_before) {
  for (std::size_t i = nodes_before; i < run.engine().node_count(); ++i) {
    const engine::Node& node = run.engine().node(static_cast<engine::NodeIndex>(i));
    if (!is_hook(node)) continue;
    log(LogLevel::kInfo, "hook fired",
        fields_of(run, {{"hook", node.name}, {"node", name_of(run, node.owner)}}));
  }
}

}  // namespace

bool is_hook(const engine::Node& node) {
  using Kind = engine::OwnerKind;
  return node.owner_kind == Kind::kHook || node.owner_kind == Kind::kExitHook ||
         node.owner_kind == Kind::kWorkflowHook || node.owner_kind == Kind::kExitHandler;
}

void log_adopted(const WorkflowRun& run) {
  if (!is_logged(LogLevel::kInfo)) return;
  log(LogLevel::kInfo, run.has_begun() ? "workflow adopted" : "workflow started",
      fields_of(run, {{"uid", run.uid()}}));
}

void log_ended(const WorkflowRun& run) {
  if (!is_logged(LogLevel::kInfo)) return;
  const value::Value status = run.engine().workflow_status();
  log(LogLevel::kInfo, "workflow ended",
      fields_of(run, {{"phase", run.engine().phase()},
                      {"error", observe::without_urls(status["message"].string_or(""))}}));
}

void log_applied(const WorkflowRun& run, const engine::Event& event, std::size_t nodes_before) {
  if (is_logged(LogLevel::kDebug)) {
    log(LogLevel::kDebug, "event", fields_of(run, std::visit(Describe{run}, event.body)));
  }
  if (!is_logged(LogLevel::kInfo)) return;
  if (const auto* ended = std::get_if<engine::LeafFinished>(&event.body);
      ended != nullptr && ended->phase != engine::Phase::kSucceeded) {
    log(LogLevel::kInfo, "node failed",
        fields_of(run, {{"node", name_of(run, ended->leaf.node)},
                        {"phase", engine::to_string(ended->phase)},
                        {"error", observe::without_urls(ended->message)}}));
  }
  if (const auto* answered = std::get_if<engine::LocksAnswered>(&event.body);
      answered != nullptr && !answered->is_acquired) {
    log(LogLevel::kInfo, "waiting for a lock",
        fields_of(run, {{"lock", answered->waiting}, {"error", answered->error}}));
  }
  log_new_hooks(run, nodes_before);
}

void log_committed(const store::Batch& batch, clock::Duration took) {
  if (!is_logged(LogLevel::kDebug)) return;
  log(LogLevel::kDebug, "commit",
      {{"logRows", static_cast<std::int64_t>(batch.events.size())},
       {"nodeRows", static_cast<std::int64_t>(batch.nodes.size())},
       {"ms", static_cast<double>(took.ns / 1000) / 1000}});
}

void log_dispatching(const WorkflowRun& run, const std::vector<engine::Effect>& effects) {
  if (!is_logged(LogLevel::kDebug)) return;
  for (const engine::Effect& effect : effects) {
    if (const auto* start = std::get_if<engine::StartLeaf>(&effect)) {
      log(LogLevel::kDebug, "dispatch", fields_of(run, {{"node", name_of(run, start->leaf.node)}}));
    } else if (const auto* cancel = std::get_if<engine::CancelLeaf>(&effect)) {
      log(LogLevel::kDebug, "cancel", fields_of(run, {{"node", name_of(run, cancel->leaf.node)}}));
    }
  }
}

}  // namespace tiphys::runtime
