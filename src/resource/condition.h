// `successCondition` and `failureCondition` of resource templates: label selectors whose keys are
// paths into an object: `status.phase in (Succeeded, Done), status.replicas > 1`.
//
// Keys are read as Argo's GJSON does: members and places in lists, with dots between them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "spec/labels.h"
#include "value/value.h"

namespace tiphys::resource {

class Condition {
 public:
  /// Errors: kInvalidManifest with Kubernetes' text.
  [[nodiscard]] static diag::Result<Condition> parse(std::string_view text);

  /// Whether all requirements hold; true when there are none.
  [[nodiscard]] bool holds(const value::Value& object) const;
  /// The first requirement that holds, as Argo prints it: `{status.phase == [Failed]}`.
  [[nodiscard]] std::optional<std::string> first_that_holds(const value::Value& object) const;

 private:
  std::vector<spec::Requirement> requirements_;
};

/// The condition that `resource`, a template's part, has under `field`; nullopt when there is none.
/// Errors: kInvalidManifest with Argo's text.
[[nodiscard]] diag::Result<std::optional<Condition>> read_condition(const value::Value& resource,
                                                                    std::string_view field);

}  // namespace tiphys::resource
