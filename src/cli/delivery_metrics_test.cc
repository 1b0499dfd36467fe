// What is exported of notifications is Prometheus' text format, and adds up.
#include "cli/delivery_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/memory.h"

namespace tiphys::cli {
namespace {

using testing::HasSubstr;

store::DeliveryRow row(const char* id, const char* state, std::uint32_t attempts) {
  return {.id = id,
          .uid = "u",
          .name_space = "n",
          .workflow = "w",
          .node = "w.onExit",
          .channel = "a\"b",
          .kind = "webhook",
          .destination = "",
          .state = state,
          .attempts = attempts,
          .created_at = {1'000'000'000},
          .next_at = {9'000'000'000},
          .finished_at = {1'020'000'000},
          .reason = std::string(state) == "dead" ? "no" : ""};
}

TEST(DeliveryMetrics, NothingIsToldOfNothing) {
  EXPECT_EQ(prometheus_text({}), "");
  store::MemoryStore store;
  EXPECT_EQ(*delivery_summary(store, {{.uid = "u"}}), "");
}

TEST(DeliveryMetrics, AreInPrometheusForm) {
  store::DeliveryTotals totals;
  add(totals, row("1", "delivered", 3));
  add(totals, row("2", "dead", 2));
  add(totals, row("3", "pending", 1));
  const std::string text = prometheus_text(totals);
  for (const char* line : {
           "# TYPE tiphys_notifications_accepted_total counter\n",
           "tiphys_notifications_accepted_total{channel=\"a\\\"b\",kind=\"webhook\"} 3\n",
           "tiphys_notifications_retries_total{channel=\"a\\\"b\",kind=\"webhook\"} 3\n",
           "tiphys_notifications_pending{channel=\"a\\\"b\",kind=\"webhook\"} 1\n",
           "tiphys_notification_delivery_seconds_bucket{channel=\"a\\\"b\",kind=\"webhook\",le=\"0."
           "01\"} 0\n",
           "tiphys_notification_delivery_seconds_bucket{channel=\"a\\\"b\",kind=\"webhook\",le=\"0."
           "025\"} 1\n",
           "tiphys_notification_delivery_seconds_bucket{channel=\"a\\\"b\",kind=\"webhook\",le=\"+"
           "Inf\"} 1\n",
           "tiphys_notification_delivery_seconds_sum{channel=\"a\\\"b\",kind=\"webhook\"} 0.02\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(DeliveryMetrics, ASummaryNamesWhatIsToBeDone) {
  store::MemoryStore store;
  ASSERT_TRUE(store.commit(
      {.deliveries = {row("1", "delivered", 1), row("2", "dead", 2), row("3", "pending", 1)}}));
  const std::string text = *delivery_summary(store, {{.uid = "u"}});
  EXPECT_THAT(text, HasSubstr("notifications: 1 delivered, 1 pending, 1 dead\n"));
  EXPECT_THAT(text, HasSubstr("w.onExit by a\"b: no\n"));
  EXPECT_THAT(text, HasSubstr("tiphys notifications replay 2\n"));
  EXPECT_THAT(text, HasSubstr("from 1970-01-01T00:00:09Z on"));
}

}  // namespace
}  // namespace tiphys::cli
