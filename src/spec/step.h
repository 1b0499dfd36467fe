// Steps, DAG tasks, hooks and the arguments that they hand over, decoded from Argo's JSON form.
//
// Each struct keeps the Value that it was decoded from (`raw`): tags are replaced there, and the
// result is decoded anew. Pure data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "value/value.h"

namespace tiphys::spec {

/// `templateRef`: a template of a WorkflowTemplate or, with cluster_scope, of a
/// ClusterWorkflowTemplate.
struct TemplateRef {
  std::string name;
  std::string template_name;
  bool cluster_scope = false;

  [[nodiscard]] bool is_set() const { return !name.empty(); }
  friend bool operator==(const TemplateRef&, const TemplateRef&) = default;
};

/// One entry of `hooks:`. The hook named `exit` is an exit handler.
struct LifecycleHook {
  std::string name;
  std::string expression;
  std::string template_name;
  TemplateRef template_ref;
  value::Value arguments;  // {parameters: [], artifacts: []} or null
};

/// `continueOn`.
struct ContinueOn {
  bool error = false;
  bool failed = false;
};

/// A WorkflowStep or a DAGTask: both name a template to run, its arguments, its condition and its
/// hooks.
struct Step {
  value::Value raw;
  std::string name;
  std::string template_name;
  TemplateRef template_ref;
  value::Value inline_template;  // null when there is none
  value::Value arguments;        // null when there are none
  std::string when;
  ContinueOn continue_on;
  std::string on_exit;               // deprecated `onExit`
  std::vector<LifecycleHook> hooks;  // by name, `exit` among them
  bool is_loop = false;              // withItems, withParam or withSequence is given

  /// The hook named `exit`, or null.
  [[nodiscard]] const LifecycleHook* exit_hook() const;
};

/// Decodes `hooks:` (a map of name to hook), sorted by name.
[[nodiscard]] std::vector<LifecycleHook> decode_hooks(const value::Value& raw);
/// Decodes a step or task. The manifest's types were checked when it was loaded, so this cannot
/// fail: a member of another type counts as absent.
[[nodiscard]] Step decode_step(const value::Value& raw);
[[nodiscard]] TemplateRef decode_template_ref(const value::Value& raw);

}  // namespace tiphys::spec
