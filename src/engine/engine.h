// The workflow engine: events in, effects out.
//
// A pure, deterministic state machine. It has no clock (each Event carries its time), does no I/O
// and owns no thread; the cost of an event is proportional to what it touches. Applying the same
// events to an engine made from the same Definition always gives the same nodes and the same
// effects, which is how a crashed engine is restored. Used by one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "diag/error.h"
#include "engine/effect.h"
#include "engine/event.h"
#include "engine/node.h"
#include "value/value.h"
#include "vars/scope.h"

namespace tiphys::engine {

/// What a workflow is made of, fixed when it is submitted.
struct Definition {
  value::Value workflow;  // the Workflow object: metadata, spec (workflowTemplateRef and defaults
                          // already merged in)
  value::Value
      templates;  // list: the WorkflowTemplates and ClusterWorkflowTemplates that it can reach
  value::Value config_maps;  // {name: {key: value}}: those that arguments and inputs read
  /// What `hostNodeName` says: the machine of the steps.
  std::string host = "localhost";
  /// `resubmit --memoized`: {node name without the workflow's: {id, outputs}} of the pods that had
  /// succeeded.
  value::Value original = {};
  /// Not empty: the workflow is Error with this text (its workflowTemplateRef names nothing).
  std::string unresolved = {};
  std::string invalid = {};  // not empty: the spec is invalid, and this is the workflow's message
};

/// What an executor has to run for a leaf node. Values share the engine's data.
struct Leaf {
  std::string node_name;
  std::string node_id;
  std::string type;  // Pod, HTTP or Plugin
  std::string pod_name;
  value::Value body;     // the Template, every tag replaced
  value::Value volumes;  // spec.volumes
  bool wants_result = false;
};

class Machine;

class Engine {
 public:
  explicit Engine(Definition definition);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  /// Applies one event and appends to `effects` what follows. Events that no longer matter (a
  /// second LeafFinished, a timer of a node that has ended) change nothing. Returns whether
  /// anything changed: such an event belongs in the log.
  bool apply(const Event& event, Effects& effects);

  /// "" before Begin, then Pending, Running, Succeeded, Failed or Error.
  [[nodiscard]] std::string phase() const;
  [[nodiscard]] bool is_finished() const;
  /// Whether it has finished and artifacts of it are being removed (artifactGC).
  [[nodiscard]] bool is_collecting() const;
  /// The artifacts that artifactGC's `strategy` gives up, as {"node": number, "artifact": {...}}.
  [[nodiscard]] value::List garbage(std::string_view strategy) const;
  /// What it was made from.
  [[nodiscard]] const Definition& definition() const;
  [[nodiscard]] std::size_t node_count() const;
  [[nodiscard]] const Node& node(NodeIndex index) const;
  /// Argo's node id, and the name that is shown.
  [[nodiscard]] std::string node_id(NodeIndex index) const;
  [[nodiscard]] std::string display_name(NodeIndex index) const;
  /// What to run for a leaf that has not ended.
  [[nodiscard]] Leaf leaf(NodeIndex index) const;
  /// After a replay: the effects that were asked for and have not been answered.
  [[nodiscard]] std::vector<Effect> outstanding() const;
  /// What a notification of the leaf may tell; see facts.h.
  [[nodiscard]] value::Value facts(NodeIndex leaf) const;
  /// What rules may read of a change of phase that the last apply() told of; see facts.h.
  [[nodiscard]] value::Value facts(const Transition& transition) const;
  /// The same of a workflow that is still running at `now`.
  [[nodiscard]] value::Value overdue_facts(clock::Instant now) const;
  /// When the workflow began to run; not set before that.
  [[nodiscard]] clock::Instant started_at() const;
  /// Which run this is: 1, and one more for each retry by hand.
  [[nodiscard]] std::uint32_t run() const;

  /// Appends what the store keeps of a node (node_record.h).
  void append_node_record(std::string& out, NodeIndex index) const;
  /// Argo's NodeStatus of a node.
  [[nodiscard]] value::Value node_status(NodeIndex index) const;
  /// Argo's WorkflowStatus without `nodes`, and the object's metadata and spec as they stand.
  [[nodiscard]] value::Value workflow_status() const;
  [[nodiscard]] value::Value metadata() const;
  [[nodiscard]] value::Value spec() const;
  /// The variables workflow.* that do not change, and the global outputs so far.
  [[nodiscard]] const vars::Scope& globals() const;
  /// Whether the spec differs from what the last call saw (or was submitted).
  [[nodiscard]] bool take_spec_changed();
  [[nodiscard]] bool is_suspended() const;

 private:
  std::unique_ptr<Machine> machine_;
};

}  // namespace tiphys::engine
