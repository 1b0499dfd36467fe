// Seeded simulation: whatever the workflow, the faults and the order of events, no hook is missed
// or fires twice, no node leaves a final phase, nothing is left unfinished, and replaying the log
// gives the same state.
//
// TIPHYS_SIM_SEED=N runs one seed and TIPHYS_SIM_TRACE=1 prints its events; TIPHYS_SIM_COUNT=N sets
// how many (default 400), TIPHYS_SIM_FIRST=N with which to begin.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <set>

#include "sim/generator.h"
#include "sim/world.h"
#include "value/json.h"

namespace tiphys::sim {
namespace {

using Verb = engine::Control::Verb;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
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
      names += n.name + " " + std::string(n.type.name()) + " " +
               std::string(engine::to_string(n.phase)) + "; ";
  }
  return names;
}

engine::Definition definition_of(const value::Value& workflow) {
  engine::Definition definition;
  definition.workflow = workflow;
  return definition;
}

Verb random_verb(Random& random) {
  constexpr std::array kVerbs = {Verb::kStop, Verb::kTerminate, Verb::kSuspend, Verb::kResume};
  return kVerbs[random.below(kVerbs.size())];
}

// Of a retry by hand: none, or which nodes it shall restart, or parameters.
value::Value random_options(const engine::Engine& engine, Random& random) {
  if (random.chance(60) || engine.node_count() == 0) return {};
  value::Map options;
  if (random.chance(60)) {
    const auto node = static_cast<engine::NodeIndex>(random.below(engine.node_count()));
    options.set("restartSuccessful", true);
    options.set("nodeFieldSelector", "name=" + engine.node(node).name);
  }
  if (random.chance(40)) options.set("parameters", value::List{"m=1"});
  return options;
}

// Most steps of a workflow that was retried change nothing: old leaves tell their ends again.
constexpr std::uint64_t kStepsMax = 200'000;

// To the end; gives what is wrong.
std::string run_to_end(World& world, Random& random, unsigned commands) {
  for (std::uint64_t steps = 0; !world.engine().is_finished(); ++steps) {
    if (steps > kStepsMax) return "no end; unfinished: " + unfinished(world.engine());
    if (random.below(1000) < commands) (void)world.command(random_verb(random));
    if (world.engine().is_finished()) break;
    // A person looks in now and then, and where nothing else is left.
    if (steps % 500 == 499) (void)world.command(Verb::kResume);
    if (!world.step() && !world.command(Verb::kResume) && !world.engine().is_finished()) {
      return "stuck: nothing is running and the workflow has not ended; unfinished: " +
             unfinished(world.engine());
    }
    if (!world.complaint().empty()) return world.complaint();
  }
  return world.complaint();
}

std::string run_seed(std::uint64_t seed) {
  Random random(seed);
  const value::Value workflow = random_workflow(random);
  const Faults faults{.crash_before_commit = random.chance(50) ? 2U : 0U,
                      .crash_after_commit = random.chance(50) ? 2U : 0U,
                      .told_twice = random.chance(50) ? 10U : 0U,
                      .skips_running = random.chance(50) ? 30U : 0U,
                      .clock_jumps = random.chance(30) ? 10U : 0U,
                      .leaf_fails = static_cast<unsigned>(random.below(50))};
  World world(seed, definition_of(workflow), faults);
  const unsigned commands = random.chance(50) ? 0U : static_cast<unsigned>(random.below(60));
  std::string why = run_to_end(world, random, commands);
  while (why.empty() && random.chance(30) &&
         world.command(Verb::kRetry, random_options(world.engine(), random)))
    why = run_to_end(world, random, commands);
  if (!why.empty()) return why + "\n" + value::to_json(workflow);
  std::set<std::string> names;
  for (engine::NodeIndex i = 0; i < world.engine().node_count(); ++i) {
    const engine::Node& n = world.engine().node(i);
    if (!names.insert(n.name).second) return "two nodes are named " + n.name;
  }
  for (const auto& [key, count] : world.work_done()) {
    if (count != 1) return "leaf " + key + " was run " + std::to_string(count) + " times";
  }
  return state_of(world.replay()) == state_of(world.engine()) ? "" : "replay gives another state";
}

TEST(Simulation, HoldsItsInvariantsForEverySeed) {
  const std::uint64_t only = number_from("TIPHYS_SIM_SEED", 0);
  const std::uint64_t first = only == 0 ? number_from("TIPHYS_SIM_FIRST", 1) : only;
  const std::uint64_t count = only == 0 ? number_from("TIPHYS_SIM_COUNT", 400) : 1;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const std::string why = run_seed(seed);
    if (!why.empty()) FAIL() << why << "\nTIPHYS_SIM_SEED=" << seed << " reproduces it";
  }
}

// The checks above must be able to fail: a world without crashes and one with them do different
// things.
TEST(Simulation, CrashesReallyHappen) {
  Random random(7);
  const value::Value workflow = random_workflow(random);
  World world(7, definition_of(workflow), {.crash_before_commit = 40, .crash_after_commit = 40});
  EXPECT_EQ(run_to_end(world, random, 0), "");
  EXPECT_GT(world.crashes(), 0U);
}

}  // namespace
}  // namespace tiphys::sim
