// What Notifications tells when a channel fails time after time.
#include <fmt/format.h>

#include <algorithm>

#include "observe/log.h"
#include "runtime/notifications.h"

namespace tiphys::runtime {

namespace {

using value::Map;
using value::Value;

// How the ids of notices begin that tell of an outage of the channel.
std::string outage_prefix(const std::string& channel) {
  return fmt::format("msg_outage.{}.", channel);
}

}  // namespace

// Nobody sees that nothing arrives: so it is told, once, where something still does.
void Notifications::note_outage(const Item& item, bool is_delivered, clock::Instant now) {
  using Turn = notify::Outages::Turn;
  const store::DeliveryRow& row = item.row;
  const Turn turn = outages_.note(row.channel, is_delivered, item.outage_after);
  if (turn == Turn::kEnds) {
    observe::log(observe::LogLevel::kInfo, "notifications arrive again",
                 {{"channel", row.channel}});
  }
  if (turn != Turn::kBegins) return;
  observe::log(observe::LogLevel::kError, "notifications fail",
               {{"channel", row.channel},
                {"attempts", std::int64_t{item.outage_after}},
                {"error", observe::without_urls(row.reason)}});
  if (item.outage_channel.empty() || is_outage_told(item)) return;
  const Value notify = Map{
      {"channel", item.outage_channel},
      {"message",
       Map{{"title", fmt::format("Notifications through '{}' fail", row.channel)},
           {"text", fmt::format("{} attempts in a row have failed. The last: {}\n"
                                "What waits: tiphys notifications list --channel {}",
                                item.outage_after, observe::without_urls(row.reason), row.channel)},
           {"severity", "bad"}}}};
  const std::string space = space_of(row, item.payload);
  const auto target = find_target(store_, notify, space);
  if (!target) {
    observe::log(observe::LogLevel::kError, "an outage cannot be told",
                 {{"channel", item.outage_channel}, {"error", target.error().message}});
    return;
  }
  Map event{{"type", "channel.failing"}, {"trigger", row.channel}};
  if (item.payload["event"]["workflow"].is_map()) {
    event.set("workflow", item.payload["event"]["workflow"]);
  }
  (void)enqueue({.id = outage_prefix(row.channel) + row.id.substr(row.id.find('_') + 1),
                 .uid = row.uid,
                 .name_space = space,
                 .workflow = row.workflow,
                 .node = "",
                 .event = std::move(event),
                 .notify = notify,
                 .leaf = ""},
                *target, now);
}

// Another engine may have told of it: there is a notice, and nothing has arrived since.
bool Notifications::is_outage_told(const Item& item) const {
  const auto notices = store_.load_deliveries({.channel = item.outage_channel});
  if (!notices) return false;
  const std::string prefix = outage_prefix(item.row.channel);
  clock::Instant told_at;
  for (const store::DeliveryRow& row : *notices) {
    if (row.id.starts_with(prefix)) told_at = std::max(told_at, row.created_at);
  }
  if (!told_at.is_set()) return false;
  const auto arrived = store_.load_deliveries({.channel = item.row.channel, .state = "delivered"});
  return arrived && std::ranges::none_of(*arrived, [&](const store::DeliveryRow& row) {
           return row.finished_at > told_at;
         });
}

}  // namespace tiphys::runtime
