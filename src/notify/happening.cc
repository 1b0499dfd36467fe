#include "notify/happening.h"

#include <array>

#include "spec/schema.h"

namespace tiphys::notify {

namespace {

using enum Happening;

constexpr std::array<std::string_view, kHappenings> kNames = {
    "workflow.pending", "workflow.running", "workflow.succeeded", "workflow.failed",
    "workflow.error",   "workflow.invalid", "workflow.waiting",   "workflow.overdue",
    "node.pending",     "node.running",     "node.succeeded",     "node.failed",
    "node.error",       "node.skipped",     "node.omitted",       "node.waiting"};

constexpr HappeningSet kFailures =
    set_of(kWorkflowFailed) | set_of(kWorkflowError) | set_of(kWorkflowInvalid);

constexpr ReadyTrigger kTriggers[] = {
    {.name = "on-started", .on = set_of(kWorkflowRunning), .what = "a workflow begins to run"},
    {.name = "on-succeeded", .on = set_of(kWorkflowSucceeded), .what = "it has Succeeded"},
    {.name = "on-failed", .on = kFailures, .what = "it is Failed or Error, or could not begin"},
    {.name = "on-error", .on = set_of(kWorkflowError), .what = "it is Error"},
    {.name = "on-finished", .on = kEndings, .what = "it is over, one way or the other"},
    {.name = "on-invalid",
     .on = set_of(kWorkflowInvalid),
     .what = "it failed before it could begin: its spec is invalid"},
    {.name = "on-stopped", .on = kFailures, .is_stop = true, .what = "somebody stopped it"},
    {.name = "on-recovered",
     .on = set_of(kWorkflowSucceeded),
     .is_recovery = true,
     .what = "it has Succeeded after the one before had failed"},
    {.name = "on-overdue",
     .on = set_of(kWorkflowOverdue),
     .what = "it still runs after spec.overdueAfter"},
    {.name = "on-waiting",
     .on = set_of(kNodeWaiting) | set_of(kWorkflowWaiting),
     .what = "it waits for a person: a suspend step, or it is suspended"},
    {.name = "on-step-succeeded",
     .on = set_of(kNodeSucceeded),
     .nodes = NodeScope::kSteps,
     .what = "a step has Succeeded"},
    {.name = "on-step-failed",
     .on = set_of(kNodeFailed) | set_of(kNodeError),
     .nodes = NodeScope::kSteps,
     .what = "a step, or one attempt of it, is Failed or Error"},
};

}  // namespace

std::string_view to_string(Happening h) { return kNames[static_cast<std::size_t>(h)]; }

std::optional<Happening> parse_happening(std::string_view type) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == type) return static_cast<Happening>(i);
  }
  return std::nullopt;
}

Happening happening_of(std::string_view node_phase, bool waits) {
  if (waits) return kNodeWaiting;
  constexpr std::size_t kFirst = static_cast<std::size_t>(kNodePending);
  constexpr std::array<std::string_view, 7> kPhases = {"Pending", "Running", "Succeeded", "Failed",
                                                       "Error",   "Skipped", "Omitted"};
  for (std::size_t i = 0; i < kPhases.size(); ++i) {
    if (kPhases[i] == node_phase) return static_cast<Happening>(kFirst + i);
  }
  return kNodePending;
}

std::vector<std::string_view> happening_names() { return {kNames.begin(), kNames.end()}; }

std::span<const ReadyTrigger> ready_triggers() { return kTriggers; }

const ReadyTrigger* find_ready_trigger(std::string_view name) {
  for (const ReadyTrigger& trigger : kTriggers) {
    if (trigger.name == name) return &trigger;
  }
  return nullptr;
}

std::string nearest_ready_trigger(std::string_view name) {
  std::vector<std::string_view> names;
  for (const ReadyTrigger& trigger : kTriggers) names.push_back(trigger.name);
  return spec::nearest_name(name, names);
}

}  // namespace tiphys::notify
