// Enters a template: resolves it, processes its arguments and makes its node.
//
// Pure.
#pragma once

#include "engine/machine.h"

namespace tiphys::engine {

/// Runs a template as a node. What cannot be started ends as an error node or as an error of
/// whoever asked (HOOKS.md 6.6); what a limit forbids now waits (limits.h).
void begin_template(Machine& m, Start&& start);

/// Makes the node of a template whose arguments are processed: leaf, composite or suspend. `body`
/// has every tag replaced.
void begin_body(Machine& m, const Start& start, std::shared_ptr<const spec::Template> body,
                const std::shared_ptr<const TemplateScope>& inner_scope);

/// What could not start because of `error`: an error node, or an error of whoever asked.
void refuse_start(Machine& m, const Start& start, const std::string& error);

}  // namespace tiphys::engine
