#include "engine/daemon.h"

#include "engine/composite.h"
#include "engine/transition.h"

namespace tiphys::engine {

namespace {

void end_daemon(Machine& m, NodeIndex i) {
  Node& n = m.at(i);
  if (is_fulfilled(n.phase)) return;
  n.live().exit_hook_decided = true;  // its template is over: nothing more starts there
  if (n.type == "Pod") {
    // The workflow waits for the process, though the node is final already.
    n.is_closing = true;
    if (!n.is_cancelled) m.effects->want(CancelLeaf{{m.run, i}});
    n.is_cancelled = true;
  }
  set_phase(m, i, Phase::kSucceeded, "");
}

}  // namespace

void become_daemon(Machine& m, NodeIndex i) {
  Node& n = m.at(i);
  if (n.is_daemon || is_fulfilled(n.phase)) return;
  n.is_daemon = true;
  m.touch(i);
  if (n.boundary == kNoNode) {
    end_daemon(m, i);  // nothing is left that could need it
    return;
  }
  if (!is_abandoned(m, n)) composite_of(m, n.boundary).daemons.push_back(i);
  m.settle_queue.push_back(i);
}

void end_daemons(Machine& m, NodeIndex composite) {
  if (m.at(composite).frame() == nullptr) return;
  std::vector<NodeIndex> daemons;
  daemons.swap(composite_of(m, composite).daemons);
  for (const NodeIndex i : daemons) end_daemon(m, i);
}

bool on_daemon_gone(Machine& m, NodeIndex i) {
  Node& n = m.at(i);
  if (!n.is_closing) return false;
  n.is_closing = false;
  n.settle_down(false);
  --m.active_leaves;
  return true;
}

}  // namespace tiphys::engine
