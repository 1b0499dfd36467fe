#include "runtime/leaf_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tiphys::runtime {

namespace {

constexpr int kEngineGroup = 1;
constexpr int kStepGroup = 2;
constexpr int kHookGroup = 3;

}  // namespace

LeafTrace::LeafTrace(observe::Trace trace) : trace_(std::move(trace)) {
  trace_.name_group(kEngineGroup, "engine");
  trace_.name_lane({.group = kEngineGroup}, "commits");
  trace_.name_group(kStepGroup, "steps");
  trace_.name_group(kHookGroup, "hooks");
}

// What began before the last one on a lane ended, as messages of two executors may cross, gets
// another lane: slices of one lane must not overlap.
observe::Trace::Place LeafTrace::take_lane(bool is_hook, clock::Instant at) {
  Lanes& lanes = is_hook ? hooks_ : steps_;
  const auto lane = std::ranges::find_if(lanes, [at](clock::Instant free) { return free <= at; });
  const observe::Trace::Place place = {.group = is_hook ? kHookGroup : kStepGroup,
                                       .lane = static_cast<int>(lane - lanes.begin()) + 1};
  if (lane == lanes.end()) {
    lanes.push_back(kBusy);
    trace_.name_lane(place, fmt::format("{} {}", is_hook ? "hook" : "step", place.lane));
  } else {
    *lane = kBusy;
  }
  return place;
}

void LeafTrace::began(const std::string& key, bool is_hook, clock::Instant at) {
  if (running_.contains(key)) return;
  running_.emplace(key, Running{.place = take_lane(is_hook, at), .from = at});
}

void LeafTrace::ended(const std::string& key, bool is_hook, const WorkflowRun& run,
                      const engine::LeafFinished& what) {
  began(key, is_hook, what.started_at);
  const Running running = running_.extract(key).mapped();
  const engine::Node& node = run.engine().node(what.leaf.node);
  value::Map arguments{{"workflow", run.engine().metadata()["name"]},
                       {"node", node.name},
                       {"type", node.type.name()},
                       {"phase", engine::to_string(what.phase)}};
  if (what.exit_code) arguments.set("exitCode", *what.exit_code);
  trace_.slice(running.place, run.engine().display_name(what.leaf.node), running.from,
               what.finished_at, arguments);
  if (const auto arrow = arrows_.extract(key); !arrow.empty()) {
    trace_.arrow_to(arrow.mapped(), running.place, running.from);
  }
  Lanes& lanes = is_hook ? hooks_ : steps_;
  lanes[static_cast<std::size_t>(running.place.lane) - 1] = what.finished_at;
  ended_place_ = running.place;
  ended_at_ = std::max(what.finished_at, running.from);
}

void LeafTrace::fired(const std::string& hook_key) {
  arrows_[hook_key] = ++last_arrow_;
  trace_.arrow_from(last_arrow_, ended_place_, ended_at_);
}

void LeafTrace::committed(const store::Batch& batch, clock::Instant from, clock::Duration took) {
  trace_.slice({.group = kEngineGroup}, "commit", from, from + took,
               {{"logRows", static_cast<std::int64_t>(batch.events.size())},
                {"nodeRows", static_cast<std::int64_t>(batch.nodes.size())}});
  trace_.flush();
}

}  // namespace tiphys::runtime
