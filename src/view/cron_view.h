// CronWorkflows as `argo cron get` and `argo cron list` print them. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "clock/instant.h"
#include "value/value.h"

namespace tiphys::view {

/// A CronWorkflow with its status, and when it is due next.
struct CronRow {
  value::Value object;
  std::string schedules;
  std::optional<clock::Instant> next = {};
};

/// `zone`: where times without a time zone are.
[[nodiscard]] std::string format_cron(const CronRow& row, const std::string& zone, bool utf8,
                                      clock::Instant now);
[[nodiscard]] std::string format_cron_list(const std::vector<CronRow>& rows, bool show_namespace,
                                           clock::Instant now);

}  // namespace tiphys::view
