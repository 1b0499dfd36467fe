// Watches the loop at work: counts what it spends and how long a hook takes from the exit that
// fired it, and passes on what is to be logged or drawn.
//
// It is told what has happened and never decides anything: taken out, the engine does the same.
// Used by the loop's thread, except sent().
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "observe/stats.h"
#include "runtime/leaf_trace.h"
#include "runtime/workflow_run.h"
#include "store/store.h"

namespace tiphys::runtime {

class Observer {
 public:
  Observer();
  /// From now on, draws what happens.
  void trace_to(observe::Trace trace) { trace_.emplace(std::move(trace)); }

  /// How far a workflow was before an event.
  struct Before {
    std::size_t nodes = 0;
    std::size_t effects = 0;
  };
  [[nodiscard]] static Before before(const WorkflowRun& run) {
    return {.nodes = run.engine().node_count(), .effects = run.pending_effects().size()};
  }

  void adopted(const WorkflowRun& run);
  /// So many messages had come when the loop looked.
  void looked_at_inbox(std::size_t messages);
  /// The event has changed something.
  void applied(const WorkflowRun& run, const engine::Event& event, const Before& before);
  void committed(const store::Batch& batch, clock::Instant from, clock::Duration took);
  /// The effects of a workflow go to the executors now; and now they are there.
  void dispatching(const WorkflowRun& run, const std::vector<engine::Effect>& effects);
  void dispatched();
  /// A leaf's request is written to its connection. From any thread.
  void sent(const std::string& key, clock::Instant at);
  void leaf_ended(const std::string& key);
  static void workflow_ended(const WorkflowRun& run);

  [[nodiscard]] observe::Stats stats() const;
  [[nodiscard]] observe::Usage usage() const;

 private:
  void note_latency(const std::string& key, clock::Instant at);
  void draw(const WorkflowRun& run, const engine::Event& event);
  void note_causes(const WorkflowRun& run, const engine::LeafFinished& ended, const Before& before);

  const clock::Instant begun_at_;
  std::uint64_t events_at_commit_ = 0;
  std::optional<LeafTrace> trace_;
  std::vector<std::string> handed_over_;  // hooks' processes among what is dispatched now

  mutable std::mutex mutex_;  // guards what follows
  observe::Stats stats_;
  std::unordered_map<std::string, clock::Instant> causes_;  // hook's leaf, until it is on its way
};

}  // namespace tiphys::runtime
