// Seeded simulation: whatever the workflow, the faults and the order of events, no hook is missed
// or fires twice, no node leaves a final phase, nothing is left unfinished, and replaying the log
// gives the same state.
//
// TIPHYS_SIM_SEED=N runs one seed; TIPHYS_SIM_COUNT=N sets how many (default 400).
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "sim/generator.h"
#include "sim/world.h"
#include "value/json.h"

namespace tiphys::sim {
namespace {

using engine::Phase;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

const value::Value* step_named(const value::Value& workflow, const std::string& name) {
  for (const value::Value& t : workflow["spec"]["templates"].list()) {
    for (const value::Value& group : t["steps"].list()) {
      for (const value::Value& step : group.list()) {
        if (step["name"].string_or("") == name) return &step;
      }
    }
  }
  return nullptr;
}

// The hooks that a step's node must have by its final phase, and may not have.
std::string check_hooks(const engine::Engine& engine, const std::map<std::string, Phase>& nodes) {
  for (engine::NodeIndex i = 0; i < engine.node_count(); ++i) {
    const engine::Node& n = engine.node(i);
    if (n.owner_kind != engine::OwnerKind::kStepGroup && n.owner_kind != engine::OwnerKind::kTask)
      continue;
    const bool has_run = n.started_at.is_set() && std::string_view(n.type) != "Skipped";
    for (const char* hook : {"succeeded", "failed"}) {
      const bool is_there = nodes.contains(n.name + ".hooks." + hook);
      const std::string phase = hook[0] == 's' ? "Succeeded" : "Failed";
      if (is_there && engine::to_string(n.phase) != phase)
        return n.name + " fired " + hook + " wrongly";
    }
    if (!has_run && nodes.contains(n.name + ".onExit"))
      return n.name + " was skipped and has an exit hook";
  }
  return "";
}

struct Expected {
  std::string hook;
  std::string status;
};

// Every step of a finished workflow, by its manifest, must have fired the hooks of the phases that
// it went through.
std::string check_expected(const engine::Engine& engine, const std::map<std::string, Phase>& nodes,
                           const value::Value& workflow) {
  for (engine::NodeIndex i = 0; i < engine.node_count(); ++i) {
    const engine::Node& n = engine.node(i);
    if (n.owner_kind != engine::OwnerKind::kStepGroup || std::string_view(n.type) == "Skipped")
      continue;
    if (engine.display_name(i).find('(') != std::string::npos) continue;
    const value::Value* step = step_named(workflow, engine.display_name(i));
    if (step == nullptr) continue;
    // Step names repeat between templates; the template tells which one it is.
    if ((*step)["template"].string_or("") != n.site->template_name) continue;
    const value::Value& hooks = (*step)["hooks"];
    const bool never_ran =
        n.message().starts_with("workflow shutdown") || n.message().starts_with("Stopped with");
    if (!hooks["running"].is_null() && !never_ran && !nodes.contains(n.name + ".hooks.running")) {
      return n.name + " missed its Running hook";
    }
    if (!hooks["succeeded"].is_null() && n.phase == Phase::kSucceeded &&
        !nodes.contains(n.name + ".hooks.succeeded")) {
      return n.name + " missed its Succeeded hook";
    }
    if (!hooks["failed"].is_null() && n.phase == Phase::kFailed &&
        !nodes.contains(n.name + ".hooks.failed")) {
      return n.name + " missed its Failed hook";
    }
  }
  return "";
}

std::string state_of(const engine::Engine& engine) {
  std::string text = value::to_json(engine.workflow_status());
  for (engine::NodeIndex i = 0; i < engine.node_count(); ++i)
    text += value::to_json(engine.node_status(i));
  return text;
}

std::string unfinished(const engine::Engine& engine) {
  std::string names;
  for (engine::NodeIndex i = 0; i < engine.node_count(); ++i) {
    const engine::Node& n = engine.node(i);
    if (!n.is_settled)
      names += n.name + " " + n.type + " " + std::string(engine::to_string(n.phase)) + "; ";
  }
  return names;
}

engine::Definition definition_of(const value::Value& workflow) {
  engine::Definition definition;
  definition.workflow = workflow;
  return definition;
}

std::string run_seed(std::uint64_t seed) {
  Random random(seed);
  const value::Value workflow = random_workflow(random);
  const Faults faults{.crash_before_commit = random.chance(50) ? 5U : 0U,
                      .crash_after_commit = random.chance(50) ? 5U : 0U,
                      .told_twice = random.chance(50) ? 10U : 0U,
                      .skips_running = random.chance(50) ? 30U : 0U,
                      .leaf_fails = static_cast<unsigned>(random.below(50))};
  World world(seed, definition_of(workflow), faults);
  const bool is_stopped = random.chance(20);
  const std::uint64_t stop_at = random.below(40);
  std::uint64_t steps = 0;
  while (!world.engine().is_finished()) {
    if (++steps > 20'000) return "no end after 20000 steps";
    if (is_stopped && steps == stop_at) {
      world.command(random.chance(50) ? engine::Control::Verb::kStop
                                      : engine::Control::Verb::kTerminate);
    }
    if (!world.step() && !world.engine().is_finished()) {
      return "stuck: nothing is running and the workflow has not ended; unfinished: " +
             unfinished(world.engine());
    }
    if (!world.complaint().empty()) return world.complaint();
  }
  std::map<std::string, Phase> nodes;
  for (engine::NodeIndex i = 0; i < world.engine().node_count(); ++i) {
    const engine::Node& n = world.engine().node(i);
    if (!nodes.emplace(n.name, n.phase).second) return "two nodes are named " + n.name;
  }
  for (const auto& [key, count] : world.work_done()) {
    if (count != 1) return "leaf " + key + " was run " + std::to_string(count) + " times";
  }
  if (std::string why = check_hooks(world.engine(), nodes); !why.empty()) return why;
  if (!is_stopped) {
    if (std::string why = check_expected(world.engine(), nodes, workflow); !why.empty()) return why;
  }
  return state_of(world.replay()) == state_of(world.engine()) ? "" : "replay gives another state";
}

TEST(Simulation, HoldsItsInvariantsForEverySeed) {
  const std::uint64_t only = number_from("TIPHYS_SIM_SEED", 0);
  const std::uint64_t count = number_from("TIPHYS_SIM_COUNT", 400);
  for (std::uint64_t seed = only == 0 ? 1 : only; seed <= (only == 0 ? count : only); ++seed) {
    const std::string why = run_seed(seed);
    ASSERT_EQ(why, "") << "TIPHYS_SIM_SEED=" << seed << " reproduces it";
  }
}

// The checks above must be able to fail: a world without crashes and one with them do different
// things.
TEST(Simulation, CrashesReallyHappen) {
  Random random(7);
  const value::Value workflow = random_workflow(random);
  World world(7, definition_of(workflow), {.crash_before_commit = 40, .crash_after_commit = 40});
  for (int i = 0; i < 5000 && !world.engine().is_finished(); ++i) world.step();
  EXPECT_TRUE(world.engine().is_finished());
  EXPECT_GT(world.crashes(), 0U);
}

}  // namespace
}  // namespace tiphys::sim
