// CronWorkflows of the store: how they are put there, found, and checked.
#pragma once

#include <string>

#include "cli/command.h"
#include "cron/record.h"
#include "diag/error.h"
#include "store/store.h"
#include "view/cron_view.h"

namespace tiphys::cli {

/// The record that stands beside it; an empty one when there is none.
[[nodiscard]] cron::Record cron_record(store::Store& store, const store::ObjectRow& row);

/// With its status, and when it is due next. Errors: kInvalidManifest for a damaged row.
[[nodiscard]] diag::Result<view::CronRow> cron_row(store::Store& store,
                                                   const store::ObjectRow& row);

/// What Argo would refuse about it, with the templates and defaults of the store: the first error.
[[nodiscard]] diag::Result<void> check_cron(const value::Value& object, store::Store& store);

/// The Workflow that `submit --from cronwf/NAME` submits. Errors: kNotFound, kIo.
[[nodiscard]] diag::Result<value::Value> workflow_from_cron(store::Store& store,
                                                            const std::string& name_space,
                                                            const std::string& name);

}  // namespace tiphys::cli
