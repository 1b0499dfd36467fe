// The Workflow that a CronWorkflow makes.
//
// Its name is that of the CronWorkflow with the scheduled time (Unix seconds), as Argo's: one time
// gives one workflow, whoever makes it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "clock/instant.h"
#include "cron/status.h"
#include "value/value.h"

namespace tiphys::cron {

inline constexpr std::string_view kLabel = "workflows.argoproj.io/cron-workflow";
inline constexpr std::string_view kBackfillLabel = "workflows.argoproj.io/backfill";
inline constexpr std::string_view kCompletedLabel = "cronworkflows.argoproj.io/completed";
inline constexpr std::string_view kScheduleAnnotation =
    "cronworkflows.argoproj.io/last-used-schedule";

/// NAME-SECONDS.
[[nodiscard]] std::string name_of_run(std::string_view cron_name, clock::Instant scheduled);

/// The Workflow of a scheduled time. Tags `{{cronworkflow.X}}` in its spec and in workflowMetadata
/// have their values; `status` is as it was before.
[[nodiscard]] value::Value workflow_of(const value::Value& cron, const Status& status,
                                       clock::Instant scheduled);

/// The Workflow that somebody submits from a CronWorkflow at `now`: it gets a name by generateName.
[[nodiscard]] value::Value workflow_by_hand(const value::Value& cron, const Status& status,
                                            clock::Instant now);

/// The uid of the CronWorkflow that owns a workflow; "" when none does.
[[nodiscard]] std::string_view owner_of(const value::Value& workflow_metadata);

}  // namespace tiphys::cron
