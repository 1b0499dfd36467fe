// Counters of notifications, and how a run's own have fared.
#pragma once

#include <string>
#include <vector>

#include "store/store.h"
#include "value/value.h"

namespace tiphys::cli {

/// In Prometheus' text format: `tiphys_notifications_accepted_total`, `_delivered_total`,
/// `_dead_total`, `_discarded_total`, `_retries_total`, `_pending`, and the histogram
/// `tiphys_notification_delivery_seconds` from the decision to the delivery; by `channel` and
/// `kind`. "" when there are none. Pure.
[[nodiscard]] std::string prometheus_text(const store::DeliveryTotals& totals);
/// A line for each channel. Pure.
[[nodiscard]] std::vector<std::string> lines_of(const store::DeliveryTotals& totals);
/// A list of {channel, kind, accepted, ...}. Pure.
[[nodiscard]] value::Value as_value(const store::DeliveryTotals& totals);

/// What has become of the notifications of these workflows, in a few lines that end in line feeds;
/// "" when there were none. Errors: kIo.
[[nodiscard]] diag::Result<std::string> delivery_summary(
    store::Store& store, const std::vector<store::WorkflowRow>& workflows);

}  // namespace tiphys::cli
