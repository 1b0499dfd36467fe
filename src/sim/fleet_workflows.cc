#include "sim/fleet_workflows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <utility>
#include <vector>

#include "sim/agenda.h"
#include "sim/cluster.h"

namespace tiphys::sim {

namespace {

using value::List;
using value::Map;
using value::Value;

class Maker {
 public:
  explicit Maker(Random& random) : random_(random) {}

  engine::Definition make(const std::string& uid) {
    const Map work{{"image", "x"}, {"command", List{"true"}}};
    templates_.emplace_back(Map{{"name", "work"}, {"container", work}});
    templates_.emplace_back(Map{{"name", "send"}, {"http", Map{{"url", "http://localhost/"}}}});
    Map patient{{"name", "patient"}, {"container", work}};
    patient.set("retryStrategy", Map{{"limit", 2}, {"backoff", Map{{"duration", "2"}}}});
    templates_.emplace_back(std::move(patient));
    const std::string entry = composite(0);
    Map hooks{{"begun", hook("workflow.status == \"Running\"")}};
    if (random_.chance(50)) hooks.set("bad", hook("workflow.status == \"Failed\""));
    if (random_.chance(50)) hooks.set("good", hook("workflow.status == \"Succeeded\""));
    Map spec{{"entrypoint", entry}, {"hooks", std::move(hooks)}};
    if (random_.chance(50)) spec.set("onExit", leaf());
    spec.set("templates", templates_);
    engine::Definition out;
    out.workflow = Map{{"metadata", Map{{"name", uid},
                                        {"namespace", "default"},
                                        {"uid", uid},
                                        {"creationTimestamp", "2026-01-01T00:00:00Z"}}},
                       {"spec", std::move(spec)}};
    return out;
  }

 private:
  std::string leaf() {
    constexpr std::array kLeaves = {"work", "send", "patient"};
    return kLeaves[random_.below(kLeaves.size())];
  }
  Map hook(const std::string& expression) {
    return Map{{"expression", expression}, {"template", random_.chance(50) ? "send" : "work"}};
  }
  Map call(const std::string& kind, const std::string& name, int depth) {
    Map out{{"name", name}};
    out.set("template", depth < 1 && random_.chance(20) ? composite(depth + 1) : leaf());
    Map hooks;
    for (const char* phase : {"Running", "Succeeded", "Failed"}) {
      if (!random_.chance(40)) continue;
      hooks.set(fmt::format("on-{}", phase == std::string("Running") ? "run" : phase),
                hook(fmt::format("{}[\"{}\"].status == \"{}\"", kind, name, phase)));
    }
    if (!hooks.empty()) out.set("hooks", std::move(hooks));
    if (random_.chance(20)) out.set("withItems", List{"p", "q"});
    if (random_.chance(40)) out.set("continueOn", Map{{"failed", true}});
    return out;
  }
  std::string composite(int depth) {
    const std::string name = fmt::format("part{}", ++count_);
    const std::size_t size = 1 + random_.below(3);
    Map body{{"name", name}};
    if (random_.chance(50)) {
      List groups;
      for (std::size_t i = 0; i < size; ++i) {
        List group{call("steps", fmt::format("s{}", i), depth)};
        if (random_.chance(40)) group.emplace_back(call("steps", fmt::format("t{}", i), depth));
        groups.emplace_back(std::move(group));
      }
      body.set("steps", std::move(groups));
    } else {
      List tasks;
      for (std::size_t i = 0; i < size; ++i) {
        Map task = call("tasks", fmt::format("s{}", i), depth);
        if (i > 0 && random_.chance(60)) task.set("dependencies", List{fmt::format("s{}", i - 1)});
        tasks.emplace_back(std::move(task));
      }
      body.set("dag", Map{{"failFast", false}, {"tasks", std::move(tasks)}});
    }
    templates_.emplace_back(std::move(body));
    return name;
  }

  Random& random_;
  List templates_;
  int count_ = 0;
};

}  // namespace

engine::Definition fleet_workflow(Random& random, const std::string& uid) {
  return Maker(random).make(uid);
}

Phases phases_of(const engine::Engine& engine) {
  Phases out{{"", engine.phase()}};
  for (engine::NodeIndex i = 0; i < engine.node_count(); ++i) {
    const engine::Node& n = engine.node(i);
    out[n.name] = std::string(n.type.name()) + " " + std::string(engine::to_string(n.phase));
  }
  return out;
}

Phases undisturbed(const engine::Definition& definition, std::uint64_t seed,
                   const std::string& uid) {
  engine::Engine engine(definition);
  std::deque<engine::Event> events{{.at = kBeginning, .body = engine::Begin{}}};
  std::vector<engine::SetTimer> timers;
  clock::Instant now = kBeginning;
  while (!events.empty() || !timers.empty()) {
    if (events.empty()) {
      const auto next = std::ranges::min_element(timers, {}, &engine::SetTimer::at);
      now = std::max(now, next->at);
      events.push_back({.at = now, .body = next->timer});
      timers.erase(next);
    }
    engine::Effects effects;
    engine.apply(events.front(), effects);
    events.pop_front();
    for (const engine::Effect& effect : effects.outside) {
      if (const auto* timer = std::get_if<engine::SetTimer>(&effect)) timers.push_back(*timer);
      const auto* start = std::get_if<engine::StartLeaf>(&effect);
      if (start == nullptr) continue;
      now = now + clock::Duration::seconds(1);
      events.push_back(
          {.at = now, .body = engine::LeafRunning{.leaf = start->leaf, .started_at = now}});
      engine::LeafFinished end = outcome_of(seed, uid, engine.node(start->leaf.node).name);
      end.leaf = start->leaf;
      end.started_at = end.finished_at = now;
      events.push_back({.at = now, .body = std::move(end)});
    }
  }
  return phases_of(engine);
}

}  // namespace tiphys::sim
