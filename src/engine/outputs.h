// Outputs: from finished nodes into variables, and from variables into the outputs of composites.
//
// Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/machine.h"

namespace tiphys::engine {

/// Artifacts by variable name, as `steps.a.outputs.artifacts.x`.
using Artifacts = std::map<std::string, value::Value, std::less<>>;

/// Sets `<label>.status`, `.id`, `.startedAt`, `.finishedAt`, `.exitCode`, `.outputs.*` of a node;
/// of a Retry node, those of its last attempt.
void add_node_variables(const Machine& m, const Node& n, const std::string& label,
                        vars::MapScope& scope);
/// The same for its artifacts.
void add_node_artifacts(const Machine& m, const Node& n, const std::string& label,
                        Artifacts& artifacts);

/// The outputs that a template declares, of a node that was skipped: its defaults, or null
/// ("absent").
void add_skipped_outputs(const spec::Template& body, const std::string& label,
                         vars::MapScope& scope);

/// Artifacts without a location, so that references to those of a skipped step resolve (steps
/// only).
void add_skipped_artifacts(const spec::Template& body, const std::string& label,
                           Artifacts& artifacts);

/// The outputs of the items of a loop as JSON lists (`steps.a.outputs.result`, `.parameters`,
/// `.parameters.p`). Errors: a result that is no JSON, with Argo's text.
[[nodiscard]] diag::Result<void> add_aggregate(const Machine& m,
                                               const std::vector<NodeIndex>& items,
                                               const std::string& label, vars::MapScope& scope);

/// True for null and for arguments without any parameter or artifact.
[[nodiscard]] bool has_no_arguments(const value::Value& arguments);

/// Argument parameters that are just a reference to an absent output lose their value and are
/// marked, so that the input's default applies.
[[nodiscard]] value::Value drop_absent_arguments(const value::Value& arguments,
                                                 const vars::Scope& scope);
inline constexpr std::string_view kAbsentMark = "x-tiphys-absent";

/// Replaces `from` and `fromExpression` of argument artifacts by the artifact that they mean.
/// Errors: kInvalidManifest `unable to resolve references: ...`, unless the artifact is optional
/// (then it is dropped).
[[nodiscard]] diag::Result<value::Value> resolve_artifact_arguments(const value::Value& arguments,
                                                                    const vars::Scope& scope,
                                                                    const Artifacts& artifacts);

/// The outputs of a Steps or DAG template, from the variables of its children; null when it
/// declares none. Errors: Argo's text.
[[nodiscard]] diag::Result<value::Value> composite_outputs(const spec::Template& body,
                                                           const vars::Scope& scope,
                                                           const Artifacts& artifacts);

/// The node whose outputs count: the last attempt of a Retry node, else the node itself.
[[nodiscard]] const Node& with_outputs(const Machine& m, const Node& n);

/// Where a node's successors hang: itself, or the last nodes inside it (Argo's getOutboundNodes).
void append_outbound(const Machine& m, NodeIndex n, std::vector<NodeIndex>& out);

}  // namespace tiphys::engine
