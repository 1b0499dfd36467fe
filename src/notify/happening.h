// What can happen to a workflow or one of its nodes, and the ready-made triggers that name a choice
// of it.
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::notify {

/// One for each `type` of an event.
enum class Happening : std::uint8_t {
  kWorkflowPending,
  kWorkflowRunning,
  kWorkflowSucceeded,
  kWorkflowFailed,
  kWorkflowError,
  kWorkflowInvalid,  // it failed before it could begin
  kWorkflowWaiting,  // it is suspended as a whole
  kWorkflowOverdue,  // it still runs
  kNodePending,
  kNodeRunning,
  kNodeSucceeded,
  kNodeFailed,
  kNodeError,
  kNodeSkipped,
  kNodeOmitted,
  kNodeWaiting,  // a suspend node without a duration: for a person
};
inline constexpr std::size_t kHappenings = 16;

/// A set of them: bit 1 << Happening.
using HappeningSet = std::uint32_t;
[[nodiscard]] constexpr HappeningSet set_of(Happening h) {
  return HappeningSet{1} << static_cast<unsigned>(h);
}
[[nodiscard]] constexpr bool contains(HappeningSet set, Happening h) {
  return (set & set_of(h)) != 0;
}
inline constexpr HappeningSet kOfNodes = 0xff00;
inline constexpr HappeningSet kOfWorkflows = 0x00ff;
/// The workflow is over, one way or the other.
inline constexpr HappeningSet kEndings =
    set_of(Happening::kWorkflowSucceeded) | set_of(Happening::kWorkflowFailed) |
    set_of(Happening::kWorkflowError) | set_of(Happening::kWorkflowInvalid);

/// `workflow.failed` ...
[[nodiscard]] std::string_view to_string(Happening h);
[[nodiscard]] std::optional<Happening> parse_happening(std::string_view type);
[[nodiscard]] std::vector<std::string_view> happening_names();
/// What a node's change to a phase (`Failed`) is.
[[nodiscard]] Happening happening_of(std::string_view node_phase, bool waits);

/// Which nodes a trigger is about.
enum class NodeScope : std::uint8_t {
  kAll,   // every node; loops' and groups' own ones are never told
  kSteps  // what runs itself, and is no hook
};

/// A trigger that rules and annotations name.
struct ReadyTrigger {
  std::string_view name = {};
  HappeningSet on = 0;
  NodeScope nodes = NodeScope::kAll;
  bool is_recovery = false;    // only if the one before of its kind had failed
  bool is_stop = false;        // only if somebody has stopped or terminated it
  std::string_view what = {};  // for lists
};

[[nodiscard]] std::span<const ReadyTrigger> ready_triggers();
/// Null when there is none of this name.
[[nodiscard]] const ReadyTrigger* find_ready_trigger(std::string_view name);
[[nodiscard]] std::string nearest_ready_trigger(std::string_view name);

}  // namespace tiphys::notify
