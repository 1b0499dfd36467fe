// `when` and `stopStrategy` of a CronWorkflow, and the variables `cronworkflow.*` that they read.
//
// Argo binds these variables in the two expressions only. Pure: the time is an argument.
#pragma once

#include "clock/instant.h"
#include "cron/status.h"
#include "diag/error.h"
#include "value/value.h"
#include "vars/scope.h"

namespace tiphys::cron {

/// cronworkflow.name, .namespace, .labels (.json), .annotations (.json), .lastScheduledTime (a
/// time, nil at first), .failed and .succeeded. A label is found under its name, dots or not.
class CronScope final : public vars::Scope {
 public:
  CronScope(const value::Value& object, const Status& status, clock::Instant now);

  [[nodiscard]] std::optional<value::Value> find(std::string_view name) const override;
  void each(std::string_view root, const Visit& visit) const override;

 private:
  vars::MapScope flat_;    // what a tag names
  vars::MapScope nested_;  // what an expression sees: labels are maps
};

/// Whether `when` lets a run begin; true without one. Errors: kBadExpression and those of tags.
[[nodiscard]] diag::Result<bool> may_begin(const value::Value& object, const Status& status,
                                           clock::Instant now);

/// Whether stopStrategy.expression holds; false without one. Errors: kBadExpression, with `failed
/// to evaluate stop expression: ` in front as in Argo.
[[nodiscard]] diag::Result<bool> is_to_stop(const value::Value& object, const Status& status,
                                            clock::Instant now);

}  // namespace tiphys::cron
