// A node of a running workflow, and what each kind of composite node remembers while it runs.
//
// Nodes are numbered in the order of their creation, which is the same in every replay of the log.
// What only a running composite needs (its Frame) is dropped when the node is final, so that
// finished nodes stay small. Pure data; owned by one Engine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "clock/instant.h"
#include "engine/phase.h"
#include "spec/template.h"
#include "value/value.h"

namespace tiphys::engine {

/// The number of a node within its workflow.
using NodeIndex = std::uint32_t;
inline constexpr NodeIndex kNoNode = UINT32_MAX;

/// Who started a node, and is told when it has settled (is final, its hooks included).
enum class OwnerKind : std::uint8_t {
  kEntry,         // the workflow: the entrypoint
  kExitHandler,   // the workflow: onExit
  kWorkflowHook,  // the workflow: one of spec.hooks
  kStepGroup,     // a StepGroup node
  kTask,          // a DAG node
  kTaskGroup,     // a TaskGroup node: one item of a loop
  kRetry,         // a Retry node: one attempt
  kHook,          // the node whose hook this is
  kExitHook,      // the node whose exit hook this is
  kNone,          // nobody: a StepGroup, whose Steps node makes it final itself
};

/// Where names of templates are looked up: the workflow itself, or a stored template.
struct TemplateScope {
  std::string label;                        // `local/NAME`, `namespaced/NAME`, `cluster/NAME`
  const struct Library* library = nullptr;  // owned by the Machine
};

/// Running state of a composite node; see steps.h, dag.h, retry.h.
struct Frame {
  Frame() = default;
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  virtual ~Frame() = default;
};

/// The hooks of one node: which have fired and how many of their nodes are not final.
struct HookState {
  std::vector<bool> fired;  // by index into the caller's hooks
  std::uint32_t open = 0;
  bool exit_decided = false;
};

struct Node {
  std::string name;
  std::string display_name;
  std::string id;
  const char* type = "Pod";
  Phase phase = Phase::kPending;
  OwnerKind owner_kind = OwnerKind::kEntry;
  bool hooked = false;
  bool retried = false;
  bool has_flag = false;      // nodeFlag is written, be it empty
  bool on_exit = false;       // part of an exit handler: runs on in spite of `stop`
  bool late = false;          // part of a workflow hook or exit handler: sees the final status
  bool is_settled = false;    // final, and its hooks are final, and the owner has been told
  bool is_cancelled = false;  // its process was told to end
  bool is_daemon = false;     // a daemon that came up: its owner went on when it did
  bool is_up_told = false;    // the owner was told that the daemon is up
  bool is_closing = false;    // a daemon that is final while its process still ends
  bool counts_parallelism = false;
  bool is_dirty = false;    // its row changed during this apply()
  std::uint16_t depth = 0;  // of templates around it
  NodeIndex owner = kNoNode;
  NodeIndex boundary = kNoNode;
  std::string message;
  std::string kill_message;    // what a leaf that was killed will say
  std::string waits_for_lock;  // its name; the node has not begun
  std::string template_name;
  spec::TemplateRef template_ref;
  std::shared_ptr<const TemplateScope> scope;  // where the template's name was looked up
  std::vector<NodeIndex> children;
  std::vector<NodeIndex> outbound;
  value::Value inputs;
  value::Value outputs;      // {parameters, artifacts, result, exitCode} or null
  value::Value memoization;  // {hit, key, cacheName} or null
  clock::Instant created_at;
  clock::Instant started_at;
  clock::Instant finished_at;
  HookState hooks;
  std::shared_ptr<const spec::Step> caller;    // the step or task, with its hooks; null for others
  std::string caller_label;                    // `steps.a` / `tasks.a`: its own variables
  std::shared_ptr<const spec::Template> body;  // every tag replaced; dropped when the node is final
  std::unique_ptr<Frame> frame;
};

}  // namespace tiphys::engine
