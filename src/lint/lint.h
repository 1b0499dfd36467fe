// Semantic validation of manifests: what Argo v4.1.2 refuses, and what it accepts but cannot work.
//
// Errors have Argo's own texts, because a run gives them as the workflow's message; everything that
// Argo accepts is at most a warning, so that no workflow is refused that runs there. Pure: the
// caller reads files and the store.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "spec/manifest.h"
#include "value/value.h"

namespace tiphys::lint {

/// Gives a stored WorkflowTemplate or ClusterWorkflowTemplate (the whole object), or nullopt.
using FindStored = std::function<std::optional<value::Value>(
    std::string_view kind, std::string_view name_space, std::string_view name)>;

/// The keys of a Secret or ConfigMap; nullopt when there is none of this name.
using FindKeys = std::function<std::optional<std::set<std::string>>(std::string_view kind,
                                                                    std::string_view name)>;

/// Why a path of the machine may not be shown to steps; "" when it may.
using HostPathProblem = std::function<std::string(const std::string& path)>;

struct Options {
  bool warn_of_inactive = true;  // tell features that tiphys does not act on
  bool warn_of_suspicious = true;
  bool warn_of_unused =
      false;  // what a run does not care about: templates that nothing reaches ...
  // For a run: what is wrong in kinds other than Workflow is a warning, since Kubernetes stores
  // such templates, too, and the workflow may not need them.
  bool is_run = false;
  bool has_cluster = false;  // steps are pods: resource templates can ask for its objects
  HostPathProblem host_path_problem = {};  // null: hostPath volumes are not looked at
  FindKeys find_keys = {};                 // null: Secrets and ConfigMaps are not looked for
};

/// What is linted together: templates among `manifests` are found before stored ones.
struct LintInput {
  const std::vector<spec::Manifest>& manifests;
  FindStored find_stored = {};
  Options options = {};
};

/// Everything that is wrong with the manifests, in their order. A manifest without errors would be
/// accepted by Argo.
[[nodiscard]] std::vector<diag::Diagnostic> check(const LintInput& input);

/// The checks that Argo makes when a workflow starts, arguments included. `workflow` is the whole
/// object, defaults merged into it; one with workflowTemplateRef needs `find_stored`.
///
/// Errors: kInvalidManifest with the first thing that is wrong, in Argo's words, without the
/// `invalid spec: ` that a run puts in front; no position.
[[nodiscard]] diag::Result<void> validate_workflow(const value::Value& workflow,
                                                   const FindStored& find_stored);

/// A parameter of a workflow that the template of its workflowTemplateRef does not allow.
struct OutsideOfEnum {
  std::size_t index = 0;  // in spec.arguments.parameters
  std::string name;
  std::string message;  // `WorkflowTemplate 'wt' allows small, large for 'size', not 'huge'`
};
/// Those parameters. Argo takes such values: it looks at the workflow's own parameter of a name,
/// and only the template's has the enum. `find_stored` finds the template; `name_space` is the
/// workflow's.
[[nodiscard]] std::vector<OutsideOfEnum> outside_of_enums(const value::Value& spec,
                                                          std::string_view name_space,
                                                          const FindStored& find_stored);

/// A feature in use that tiphys does not act on, as a warning: one for each feature and template.
/// Where steps are pods of a cluster, pods have some that steps here lack. `positions` may be null.
[[nodiscard]] std::vector<diag::Diagnostic> inactive_features(const value::Value& object,
                                                              const spec::Positions* positions,
                                                              bool has_cluster);

/// What is wrong with resource templates: objects of a cluster where there is none; flags,
/// conditions and paths that cannot be read. `positions` may be null.
[[nodiscard]] std::vector<diag::Diagnostic> resource_findings(const value::Value& object,
                                                              const spec::Positions* positions,
                                                              bool has_cluster);

}  // namespace tiphys::lint
