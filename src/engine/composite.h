// What Steps and DAG nodes have in common while they run: the variables of their children, and the
// limits on them.
//
// Pure.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/machine.h"
#include "engine/outputs.h"

namespace tiphys::engine {

/// The frame of a Steps or DAG node.
struct Composite : Frame {
  Composite(Kind k, const Machine& m, bool late)
      : Frame(k), machine(&m), globals(m, late), scope(&globals) {}

  const Machine* machine;

  std::shared_ptr<const spec::Template> body;        // inputs and globals replaced
  std::shared_ptr<const TemplateScope> inner_scope;  // where its steps look templates up
  GlobalScope globals;
  vars::MapScope scope;  // inputs, and outputs of finished children
  Artifacts artifacts;   // `steps.a.outputs.artifacts.x`, `inputs.artifacts.y` -> artifact
  std::optional<std::set<std::string, std::less<>>> results_read;  // labels; made on demand
  std::string error;                // of a hook: the composite will be Error
  bool is_exit_hook_error = false;  // the hook is an exit hook
  bool has_hooks = false;           // some child has hooks: they may read each other's status
  bool fails_fast = false;          // `failFast` of the template: nothing new after a failure
  bool has_failure = false;         // of a child
  std::int64_t parallelism = 0;     // 0: no limit
  std::uint32_t active = 0;         // children that count against it
  std::deque<Start> waiting;        // children that it holds back
  std::vector<NodeIndex> daemons;   // children that are up as daemons
};

/// `frame` as that of a Steps or DAG node; null for any other, and for null.
[[nodiscard]] inline Composite* as_composite(Frame* frame) {
  return frame == nullptr || frame->kind == Frame::Kind::kRetry ? nullptr
                                                                : static_cast<Composite*>(frame);
}

/// The frame of the node `boundary`, which must be a running Steps or DAG node.
[[nodiscard]] Composite& composite_of(Machine& m, NodeIndex boundary);
[[nodiscard]] const Composite& composite_of(const Machine& m, NodeIndex boundary);

/// Whether a child of the composite has failed whose template says `failFast: true`: nothing new
/// starts in it, and it ends as Failed with kFailingFast when what runs has ended.
[[nodiscard]] bool is_failing_fast(const Machine& m, NodeIndex boundary);
inline constexpr std::string_view kFailingFast =
    "template has failed or errored children and failFast enabled";

/// Fills in what is common: body, inputs as variables and artifacts, parallelism, hooks.
void set_up_composite(Composite& c, const Machine& m, std::shared_ptr<const spec::Template> body,
                      std::shared_ptr<const TemplateScope> inner_scope);

/// The artifacts that its children can name: its own, and the workflow's global ones.
[[nodiscard]] Artifacts artifacts_in_scope(const Composite& c);

/// The artifacts in scope of a hook of `n`: those of the composite, and its own.
[[nodiscard]] Artifacts with_own_artifacts(const Composite& c, const Node& n);

/// Whether the composite around a node has ended before it: an error made it final while the node
/// still ran.
[[nodiscard]] bool is_abandoned(const Machine& m, const Node& n);

/// Keeps the status of a child where its siblings' hooks can read it.
void note_phase(Machine& m, NodeIndex n, Phase phase);

/// Whether some tag or expression of the composite reads `<label>.outputs.result` (Argo collects it
/// only then).
[[nodiscard]] bool is_result_read(Machine& m, const Node& n);

/// A hook of a step or task could not be made: the group, or the DAG, will be Error with this text.
void on_composite_error(Machine& m, OwnerKind kind, NodeIndex owner, const std::string& error);

/// A step or task whose tags are replaced: `steps.` and `tasks.` strictly, hooks left as they are,
/// artifacts resolved. If its `when` is false it comes back with only `when` replaced, and
/// `is_skipped` is set.
struct ResolvedStep {
  std::shared_ptr<const spec::Step> step;
  bool is_skipped = false;
};
[[nodiscard]] diag::Result<ResolvedStep> resolve_step(const std::shared_ptr<const spec::Step>& step,
                                                      const Composite& c);

/// One item of a loop: the step with the item's tags replaced, in its hooks as well.
struct ExpandedStep {
  std::string suffix;  // of the step's name: "(0:x)"
  std::shared_ptr<const spec::Step> step;
};
[[nodiscard]] diag::Result<std::vector<ExpandedStep>> expand_step(const spec::Step& step,
                                                                  const Composite& c, bool is_task);

}  // namespace tiphys::engine
