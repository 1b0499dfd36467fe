// The only place where the phase of a node changes, and where it is noticed that a node has
// settled.
//
// A node is final when its phase is; it has settled when its hooks are final, too. Only then is its
// owner told. Settling is done from a queue, not by recursion, so that a long chain of skipped
// steps needs no deep stack. Pure.
#pragma once

#include <optional>
#include <string>

#include "engine/machine.h"

namespace tiphys::engine {

/// What create_node() needs to know about a node besides its Start.
struct NodeSpec {
  spec::NodeType type = "Pod";
  Phase phase = Phase::kPending;
  std::string message = {};
  bool has_flag = false;
};

/// Makes a node, links it below start.parents and sees to its hooks; a node made in a final phase
/// is queued to settle.
NodeIndex create_node(Machine& m, const Start& start, const NodeSpec& spec);

/// As create_node(), for a node that is changed (inputs, body, frame ...) before anyone may see it:
/// the caller finishes with entered().
NodeIndex create_node_quietly(Machine& m, const Start& start, const NodeSpec& spec);
void entered(Machine& m, NodeIndex n);

/// Changes the phase; the message too unless it is nullopt. Requires that the node is not final.
/// Hooks are evaluated here, at every transition, so that no phase that a node was ever in goes
/// unseen.
void set_phase(Machine& m, NodeIndex n, Phase phase,
               std::optional<std::string> message = std::nullopt);

/// A hook of the node could not be evaluated or started: the node is Error with that message, now
/// if it is final already, or else when it ends. Hooks that follow see it so.
void overrule(Machine& m, NodeIndex n, const std::string& error);

/// Gives a final node another failure, of which nobody is told.
void refail(Machine& m, NodeIndex n, Phase phase, const std::string& message);

/// Changes the phase of the workflow itself.
void set_workflow_phase(Machine& m, Phase phase);

/// Tells those who watch that the node, or with kNoNode the workflow, waits for a person.
void note_waiting(Machine& m, NodeIndex n);

/// Changes only the message.
void set_message(Machine& m, NodeIndex n, std::string message);

/// Links `child` below `parent` (once).
void add_child(Machine& m, NodeIndex parent, NodeIndex child);

/// Looks again at a final node whose hooks may be final by now.
void reconsider(Machine& m, NodeIndex n);

/// Tells the owners of all settled nodes, until the queue is empty.
void drain(Machine& m);

/// Takes what a leaf tells of its progress: `done/all`. Returns whether that is one, and news.
bool set_progress(Machine& m, NodeIndex n, std::string_view text);

}  // namespace tiphys::engine
