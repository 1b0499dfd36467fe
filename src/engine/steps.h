// Steps nodes: groups one after the other, the steps of a group beside each other.
//
// Pure.
#pragma once

#include <memory>

#include "engine/machine.h"

namespace tiphys::engine {

/// Makes a Steps node and starts its first group.
void begin_steps(Machine& m, const Start& start, std::shared_ptr<const spec::Template> body,
                 std::shared_ptr<const TemplateScope> inner_scope);

/// A step of the group has settled, or is not started and accounted for.
void on_step_settled(Machine& m, NodeIndex group);

/// A step could not be started: the group is Error.
void on_step_error(Machine& m, NodeIndex group, const std::string& node_name,
                   const std::string& error);
/// Whether no more steps of the group are to be started, as it will be Error or Failed.
[[nodiscard]] bool is_halted(Machine& m, NodeIndex group);
/// A daemon of a group before the current one has failed: so have its group and the Steps node,
/// which ends when what runs has ended, unless `continueOn` forgives it.
void on_step_daemon_failed(Machine& m, NodeIndex daemon);
/// A step was Pending for too long: the group is Failed.
void on_step_timed_out(Machine& m, NodeIndex group);

}  // namespace tiphys::engine
