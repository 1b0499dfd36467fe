// The workflow.* variables (HOOKS.md 5.1, 5.3).
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "engine/machine.h"

namespace tiphys::engine {

/// Fills machine.globals from the metadata and the arguments.
/// Errors: kInvalidManifest with Argo's text (`either value or valueFrom must be specified ...`).
[[nodiscard]] diag::Result<void> set_globals(Machine& m);

/// The phase that workflow hooks and the exit handler see: that of the entry node, Skipped and
/// Omitted being Succeeded.
[[nodiscard]] Phase mapped_entry_phase(const Machine& m);

/// The failed nodes, as workflow.failures lists them; null when there are none.
[[nodiscard]] value::Value failures_of(const Machine& m);
/// The same of some nodes.
[[nodiscard]] value::Value failures_of(const Machine& m, std::vector<NodeIndex> order);

/// workflow.failures: a JSON list quoted once more; elements by finishing time, then name (Argo:
/// random order).
[[nodiscard]] std::string failures_text(const Machine& m);

/// Seconds since the start with six decimals, as Go's %f.
[[nodiscard]] std::string duration_text(clock::Duration d);

/// Exports a node's outputs that have a globalName: workflow.outputs.parameters.G and
/// status.outputs.
void export_outputs(Machine& m, const value::Value& outputs);

}  // namespace tiphys::engine
