// What the tests of the engine share: a workflow that is driven event by event, without any
// executor. For *_test.cc files only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "value/json.h"

namespace tiphys::engine {

/// Drives one workflow; leaves end in the order in which they were started.
class EngineTest : public testing::Test {
 protected:
  void start(const std::string& spec_json) {
    auto spec = value::parse_json(spec_json);
    ASSERT_TRUE(spec) << spec.error().message;
    definition_.workflow =
        value::Map{{"metadata", value::Map{{"name", "wf"},
                                           {"namespace", "default"},
                                           {"uid", "u"},
                                           {"creationTimestamp", "2026-01-01T00:00:00Z"}}},
                   {"spec", *spec}};
    engine_ = std::make_unique<Engine>(definition_);
    send(Begin{});
  }

  template <typename Body>
  bool send(Body body) {
    now_ = now_ + clock::Duration::seconds(1);
    Effects effects;
    effects.wants_transitions = watches_;
    const bool changed = engine_->apply({.at = now_, .body = std::move(body)}, effects);
    for (const Transition& t : effects.transitions) events_.push_back(engine_->facts(t));
    for (const Effect& e : effects.outside) {
      if (const auto* s = std::get_if<StartLeaf>(&e)) waiting_.push_back(s->leaf);
      if (const auto* c = std::get_if<CancelLeaf>(&e))
        cancelled_.push_back(engine_->node(c->leaf.node).name);
      if (const auto* t = std::get_if<SetTimer>(&e)) timers_.push_back(t->timer);
      if (const auto* q = std::get_if<LookUpCache>(&e)) questions_.push_back(*q);
      if (const auto* a = std::get_if<AcquireLocks>(&e)) wanted_.push_back(*a);
      if (const auto* r = std::get_if<ReleaseLocks>(&e)) returned_.push_back(*r);
      if (const auto* s = std::get_if<SaveToCache>(&e)) saved_.push_back(*s);
    }
    return changed;
  }

  void finish(const LeafId& leaf, Phase phase, const std::string& message = "") {
    send(LeafRunning{.leaf = leaf, .started_at = now_});
    send(LeafFinished{.leaf = leaf,
                      .phase = phase,
                      .message = message,
                      .exit_code = phase == Phase::kSucceeded ? 0 : 1,
                      .outputs = {},
                      .started_at = now_,
                      .finished_at = now_});
  }

  /// Answers the last one who asked for the mutex `m`.
  void answer(bool is_acquired) {
    send(LocksAnswered{.run = 1,
                       .ticket = wanted_.back().ticket,
                       .is_acquired = is_acquired,
                       .waiting = is_acquired ? "" : "default/Mutex/m",
                       .message = is_acquired ? "" : "waiting",
                       .error = {}});
  }

  /// Ends all leaves, also those that start meanwhile; the ones whose node name ends with a word of
  /// `failing` fail.
  void run_all(const std::vector<std::string>& failing = {}) {
    while (!waiting_.empty()) {
      const LeafId leaf = waiting_.front();
      waiting_.erase(waiting_.begin());
      const std::string name = engine_->node(leaf.node).name;
      const bool fails =
          std::ranges::any_of(failing, [&](const std::string& f) { return name.ends_with(f); });
      finish(leaf, fails ? Phase::kFailed : Phase::kSucceeded,
             fails ? "main: Error (exit code 1)" : "");
    }
  }

  [[nodiscard]] std::string phase_of(const std::string& name) const {
    for (NodeIndex i = 0; i < engine_->node_count(); ++i) {
      if (engine_->node(i).name == name) return std::string(to_string(engine_->node(i).phase));
    }
    return "absent";
  }
  /// Argo's NodeStatus of a node; null when there is none of this name.
  [[nodiscard]] value::Value status(const std::string& name) const {
    for (NodeIndex i = 0; i < engine_->node_count(); ++i) {
      if (engine_->node(i).name == name) return engine_->node_status(i);
    }
    return {};
  }
  [[nodiscard]] const Node& node(const std::string& name) const {
    for (NodeIndex i = 0; i < engine_->node_count(); ++i) {
      if (engine_->node(i).name == name) return engine_->node(i);
    }
    ADD_FAILURE() << "no node " << name;
    return engine_->node(0);
  }
  [[nodiscard]] std::string input(const std::string& name, const std::string& parameter) const {
    for (const value::Value& p : node(name).inputs["parameters"].list()) {
      if (p["name"].string_or("") == parameter) return std::string(p["value"].string_or("(none)"));
    }
    return "(none)";
  }
  [[nodiscard]] std::string message() const {
    return std::string(engine_->workflow_status()["message"].string_or(""));
  }

  Definition definition_;
  bool watches_ = false;
  std::vector<value::Value> events_;  // of each transition, while watches_
  std::unique_ptr<Engine> engine_;
  clock::Instant now_{1'767'225'600'000'000'000};
  std::vector<LeafId> waiting_;
  std::vector<std::string> cancelled_;
  std::vector<TimerFired> timers_;
  std::vector<LookUpCache> questions_;
  std::vector<AcquireLocks> wanted_;
  std::vector<ReleaseLocks> returned_;
  std::vector<SaveToCache> saved_;
};

inline constexpr const char* kLeaf =
    R"({"name":"leaf","container":{"image":"x","command":["true"]}})";

}  // namespace tiphys::engine
