// Which nodes `get --status` and `get --node-field-selector` show.
//
// The selector is Kubernetes' field selector: `key=value`, `key==value`, `key!=value`, joined by
// commas that all must hold. Keys: displayName, templateName, phase, name, id, templateRef.name,
// templateRef.template, inputs.parameters.NAME.value (Argo's SelectorMatchesNode). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::view {

class NodeFilter {
 public:
  /// Empty texts let every node through. Errors (kInvalidManifest): both are given; the selector
  /// does not parse.
  [[nodiscard]] static diag::Result<NodeFilter> parse(std::string_view status,
                                                      std::string_view selector);
  [[nodiscard]] bool matches(const value::Value& node) const;

 private:
  struct Term {
    std::string key;
    std::string value;
    bool is_equal = true;
  };
  std::vector<Term> terms_;
};

/// The template that a node runs, without the name of the WorkflowTemplate that has it.
[[nodiscard]] std::string_view template_of(const value::Value& node);

}  // namespace tiphys::view
