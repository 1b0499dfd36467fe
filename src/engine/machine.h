// The state of one running workflow, shared by the files of engine/: each of them owns one kind of
// decision.
//
// transition.h is the only place that changes a phase. start.h makes nodes, steps.h, dag.h and
// retry.h say what follows, hooks.h fires hooks, finish.h ends the workflow. Pure data; owned by
// one Engine.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/effect.h"
#include "engine/engine.h"
#include "engine/node.h"
#include "engine/node_list.h"
#include "expr/program.h"
#include "spec/template.h"
#include "vars/scope.h"

namespace tiphys::engine {

/// A template as it was given, with what is worked out once for all of its nodes.
struct LibraryEntry {
  std::shared_ptr<const spec::Template> body;
  bool has_tags = false;
};

/// A holder of templates: the workflow, a WorkflowTemplate or a ClusterWorkflowTemplate.
struct Library {
  std::map<std::string, LibraryEntry, std::less<>> templates;
  std::shared_ptr<const TemplateScope> scope;
};

/// A request to run a template as a node; see start.h.
struct Start {
  std::string node_name;
  const Site* site = nullptr;  // which template; owned by the Machine
  value::Value inline_template;
  value::Value arguments;
  NodeIndex boundary = kNoNode;
  NodeIndex owner = kNoNode;
  OwnerKind owner_kind = OwnerKind::kEntry;
  std::vector<NodeIndex> parents;
  std::shared_ptr<const spec::Step> caller;
  bool hooked = false;
  bool on_exit = false;
  bool late = false;
  std::uint16_t depth = 0;
  value::Value memoization;             // Argo's memoizationStatus, once the cache has answered
  value::Value cached;                  // the outputs that it had, when it is a hit
  bool has_locks = false;               // its synchronization was asked for
  std::vector<Lock> locks;              // to be given back by its node
  spec::NodeType waiting_type = "Pod";  // of its node
  std::optional<clock::Duration> longest_wait;  // as Pending, by its timeouts
  clock::Instant waiting_since;                 // for a lock
  NodeIndex placeholder = kNoNode;              // its node, when it had to wait for a lock
};

enum class Shutdown : std::uint8_t { kNone, kStop, kTerminate };

/// A leaf of an earlier run that a retry by hand keeps.
struct KeptLeaf {
  value::Value outputs;
  clock::Instant started_at;
  clock::Instant finished_at;
  Phase phase = Phase::kSucceeded;
  std::string message = {};
  bool had_run = true;        // it was Running before it ended
  bool is_timed_out = false;  // it was Pending for too long
};

/// What has come of artifactGC (artifact_gc.h).
struct ArtifactGc {
  bool is_wanted = false;
  std::vector<std::string> processed = {};  // strategies
  std::string error = {};                   // of an artifact that could not be removed
};

/// One of spec.hooks, except `exit`.
struct WorkflowHook {
  spec::LifecycleHook hook;
  bool has_fired = false;
  std::optional<expr::Program> program = {};  // of an expression without tags, once it was needed
};

class Machine {
 public:
  explicit Machine(Definition d);

  Definition definition;
  std::string name;
  std::string name_space;
  std::string uid;
  value::Value metadata;
  bool is_labelled = false;  // metadata holds the labels of spec.workflowMetadata, too
  value::Value spec;         // changed by set_spec()
  // Of the spec, what is asked for with each node.
  std::int64_t parallelism = 0;  // 0: no limit
  value::Value retry_strategy;
  value::Value template_defaults;

  Library local;
  std::map<std::string, Library, std::less<>> namespaced;
  std::map<std::string, Library, std::less<>> cluster;

  NodeList nodes;
  std::deque<NodeIndex> settle_queue;             // final nodes whose owners have to be told
  std::vector<std::pair<NodeIndex, Phase>> held;  // transitions made while suspended
  std::deque<Start> deferred;                     // waiting for spec.parallelism, or for resume
  std::deque<NodeIndex> deferred_retries;  // the same, of Retry nodes that are to be tried again
  std::vector<NodeIndex> roomy;            // composites whose own limit may let somebody in again
  std::map<std::uint32_t, Start> asking;   // by ticket: what waits for a cache's answer
  std::map<std::uint32_t, Start> locking;  // by ticket: what waits for locks
  std::map<NodeIndex, std::vector<Lock>> held_locks;
  std::vector<Lock> workflow_locks;  // held, or waited for while workflow_ticket is set
  std::uint32_t workflow_ticket = 0;
  std::uint32_t last_ticket = 0;
  std::map<std::pair<NodeIndex, TimerKind>, clock::Instant> timers;
  std::vector<NodeIndex> failed;  // nodes that are Failed or Error

  ArtifactGc artifact_gc;
  bool has_begun = false;
  bool is_over = false;
  Phase phase = Phase::kRunning;    // means something once has_begun
  std::optional<Phase> told_phase;  // the last one that those outside have heard of
  std::string message;
  clock::Instant created_at;
  clock::Instant started_at;
  clock::Instant finished_at;
  Shutdown shutdown = Shutdown::kNone;
  bool is_suspended = false;
  bool spec_changed = false;
  bool deadline_passed = false;
  std::uint32_t run = 1;
  // Of a retry by hand, by name: the leaves that do not run again, and how the other nodes ended in
  // which nothing does.
  std::map<std::string, KeptLeaf, std::less<>> kept;
  std::map<std::string, Phase, std::less<>> unchanged;

  NodeIndex entry = kNoNode;
  NodeIndex exit = kNoNode;
  bool exit_started = false;
  // The entry node's phase that workflow hooks are asked about: while a workflow is suspended there
  // can be several of them.
  std::optional<Phase> asked_about;
  std::string entry_error;  // of a hook: the entry node counts as Error
  // What the workflow ends with when that error came after the entry node's end; see ending_of().
  std::optional<std::pair<Phase, std::string>> before_hook_error;
  std::vector<WorkflowHook> hooks;
  std::uint32_t open_hooks = 0;

  vars::MapScope globals;
  value::Map output_parameters;  // name -> value
  value::Map output_artifacts;   // name -> artifact
  std::int64_t progress_done = 0;
  std::int64_t progress_all = 0;
  std::uint32_t active_pods = 0;
  std::uint32_t active_leaves = 0;
  bool has_room = false;  // spec.parallelism may let somebody in again
  std::optional<std::pair<Phase, std::string>>
      ending;  // the workflow ends so as soon as its leaves have ended

  // Of the current apply().
  clock::Instant now;
  Effects* effects = nullptr;

  /// The parsed form of `source`; parsed once. Errors: kBadExpression.
  [[nodiscard]] diag::Result<expr::Program> program(const std::string& source);

  [[nodiscard]] Node& at(NodeIndex i) { return nodes[i]; }
  [[nodiscard]] const Node& at(NodeIndex i) const { return nodes[i]; }

  /// The site equal to `s`, kept as long as the Machine lives.
  [[nodiscard]] const Site* site(const Site& s);
  /// Outputs that are nothing but an exit code; shared by all nodes that have no others.
  [[nodiscard]] std::shared_ptr<const value::Value> exit_code_only(int code);

  void set_spec(value::Value changed);
  /// Marks the node's row as changed.
  void touch(NodeIndex i);
  void set_timer(NodeIndex node, TimerKind kind, clock::Instant at);

 private:
  struct SiteOrder {
    bool operator()(const Site& a, const Site& b) const;
  };

  std::map<std::string, expr::Program, std::less<>> programs_;
  std::set<Site, SiteOrder> sites_;
  std::map<int, std::shared_ptr<const value::Value>> exit_codes_;
};

/// The variables of the workflow as a template sees them: `late` ones (workflow hooks, exit
/// handler) see the mapped phase of the entry node and workflow.failures, the others see `Running`
/// (HOOKS.md 5.2). Borrows the machine.
class GlobalScope final : public vars::Scope {
 public:
  GlobalScope(const Machine& machine, bool late) : machine_(&machine), late_(late) {}
  [[nodiscard]] std::optional<value::Value> find(std::string_view name) const override;
  [[nodiscard]] bool has_below(std::string_view name) const override;
  void each(std::string_view root, const Visit& visit) const override;

 private:
  const Machine* machine_;
  bool late_;
};

}  // namespace tiphys::engine
