// Finds templates by name or reference, and gives them their inputs.
//
// Pure.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/machine.h"

namespace tiphys::engine {

/// A template that was found, merged with spec.templateDefaults.
struct ResolvedTemplate {
  std::shared_ptr<const spec::Template> body;
  std::shared_ptr<const TemplateScope> inner_scope;  // where its own steps look templates up
  bool has_tags = false;

  /// Whether every node made of it gets the body as it is: there is nothing to replace.
  [[nodiscard]] bool is_constant() const { return !has_tags && body->raw["inputs"].map().empty(); }
};

/// Errors: kNotFound `template X not found`, `workflow template X not found`, `template 'X' type is
/// unknown`.
[[nodiscard]] diag::Result<ResolvedTemplate> resolve_template(const Machine& m, const Start& start);
[[nodiscard]] diag::Result<ResolvedTemplate> resolve_template(const Machine& m,
                                                              const spec::Step& step,
                                                              const TemplateScope& from);

/// Variables of the node itself: pod.name, node.name, steps.name, retries ...
using Locals = std::vector<std::pair<std::string, std::string>>;

/// Gives the inputs their values (argument, else default), then replaces globals, locals and inputs
/// (unknown tags stay). Errors: kInvalidManifest `inputs.parameters.N was not supplied` and the
/// like.
[[nodiscard]] diag::Result<std::shared_ptr<const spec::Template>> process_arguments(
    const Machine& m, const ResolvedTemplate& found, const value::Value& arguments,
    const vars::Scope& globals, const Locals& locals);

/// Replaces more locals (retries, lastRetry) in a processed template.
[[nodiscard]] diag::Result<std::shared_ptr<const spec::Template>> substitute_locals(
    const std::shared_ptr<const spec::Template>& body, const vars::Scope& globals,
    const Locals& locals);

/// The retryStrategy in force for a template: its own, else spec.retryStrategy; null when there is
/// none.
[[nodiscard]] const value::Value& retry_strategy_of(const Machine& m, const spec::Template& body);

/// An integer that a manifest may give as number or as text (Kubernetes' IntOrString).
[[nodiscard]] std::optional<std::int64_t> integer_of(const value::Value& v);

}  // namespace tiphys::engine
