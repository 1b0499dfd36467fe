// podGC: when the logs of a workflow's pods are removed.
//
// A pod's work folder goes with its end in any case; what podGC adds is its logs, and what a
// cluster keeps of it. They go only after the end of the pod is committed, so archiveLogs has them
// by then. What an engine that died has left is found again at the end of the workflow, or in its
// folder by the next server; what this one has seen to already is not asked for again. Used by the
// loop's thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clock/instant.h"
#include "engine/engine.h"
#include "runtime/config.h"
#include "spec/labels.h"
#include "value/value.h"

namespace tiphys::runtime {

/// spec.podGC.
struct PodGcRules {
  std::string strategy;
  spec::Selector selector;
  std::optional<clock::Duration> delay;  // deleteDelayDuration

  /// nullopt without a podGC that removes anything.
  [[nodiscard]] static std::optional<PodGcRules> from_spec(const value::Value& spec);
  /// Whether the pod of `node` (an element of status.nodes) goes while, or after, its workflow is
  /// in `workflow_phase`.
  [[nodiscard]] bool takes(const engine::Definition& definition, const value::Value& node,
                           std::string_view workflow_phase) const;
};

class PodGc {
 public:
  using OnRemove = std::function<void(const std::string& name_space, const std::string& pod)>;

  /// `on_remove` is told of each pod that goes.
  PodGc(const Config& config, OnRemove on_remove)
      : config_(config), on_remove_(std::move(on_remove)) {}
  PodGc(const PodGc&) = delete;
  PodGc& operator=(const PodGc&) = delete;
  /// Removes what has no delay of its own and is not due yet: nobody else would soon.
  ~PodGc();

  /// The end of a leaf is committed.
  void leaf_ended(const std::string& uid, const engine::Engine& engine, engine::NodeIndex leaf,
                  clock::Instant now);
  /// The workflow has ended: looks at all of its pods.
  void workflow_ended(const std::string& uid, const engine::Engine& engine, clock::Instant now);

  /// Removes the logs that are due at `now`, on the steady clock.
  void carry_out(clock::Instant now);
  [[nodiscard]] std::optional<clock::Instant> next() const;

 private:
  struct Item {
    std::string uid;
    std::string name_space;
    std::string pod;
    bool has_delay = false;
  };
  /// Whether the rules take the pod.
  bool add(const std::string& uid, const engine::Engine& engine, engine::NodeIndex leaf,
           const PodGcRules& rules, clock::Instant now);
  void remove(const Item& item) const;

  const Config& config_;
  const OnRemove on_remove_;
  std::multimap<clock::Instant, Item> by_time_;
  std::map<std::string, std::vector<bool>> seen_to_;  // at a pod's own end: by uid, then by node
};

}  // namespace tiphys::runtime
