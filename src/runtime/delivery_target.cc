#include "runtime/delivery_target.h"

#include <fmt/format.h>

#include <algorithm>

#include "clock/go_duration.h"
#include "value/json.h"

namespace tiphys::runtime {

using value::Value;

std::string DeliveryTarget::endpoint() const {
  if (channel != kind) return channel;
  std::string_view url = config["url"].string_or(config["host"].string_or(""));
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
  }
  url = url.substr(0, url.find('/'));
  if (const std::size_t user = url.rfind('@'); user != std::string_view::npos) {
    url.remove_prefix(user + 1);
  }
  return fmt::format("{} {}", kind, url);
}

std::string DeliveryTarget::memory_of(const store::DeliveryRow& row) const {
  return fmt::format("{}|{}|{}", endpoint(), row.destination, row.uid);
}

std::string DeliveryTarget::lane_of(const store::DeliveryRow& row) const {
  switch (order) {
    case Order::kOfWorkflow:
      return memory_of(row);
    case Order::kOfDestination:
      return fmt::format("{}|{}", endpoint(), row.destination);
    case Order::kNone:
      return row.id;
  }
  CHECK(false);
}

std::optional<DeliveryTarget::Order> parse_order(const Value& given) {
  if (given.is_null()) return DeliveryTarget::Order::kOfWorkflow;
  const std::string_view word = given.string_or("");
  if (word == "workflow") return DeliveryTarget::Order::kOfWorkflow;
  if (word == "destination") return DeliveryTarget::Order::kOfDestination;
  if (word == "none") return DeliveryTarget::Order::kNone;
  return std::nullopt;
}

diag::Result<DeliveryTarget> find_target(store::Store& store, const Value& notify,
                                         const std::string& name_space) {
  DeliveryTarget target;
  if (const std::string name(notify["channel"].string_or("")); !name.empty()) {
    TRY(const store::ObjectRow row, store.find_object("NotificationChannel", name_space, name));
    TRY(const Value object, value::parse_json(row.json));
    const Value& spec = object["spec"];
    target.channel = name;
    target.kind = spec["kind"].string_or("");
    target.config = spec["config"];
    target.retries = spec["retries"];
    target.at_once = static_cast<std::size_t>(std::max<std::int64_t>(0, spec["atOnce"].int_or(0)));
    target.order = parse_order(spec["order"]).value_or(target.order);
    target.outage_channel = spec["outageChannel"].string_or("");
    target.outage_after =
        static_cast<std::uint32_t>(spec["outageAfter"].int_or(target.outage_after));
  } else {
    target.kind = notify["kind"].string_or("");
    target.channel = target.kind;
    target.config = notify["config"];
  }
  target.how = notify::find_channel(target.kind);
  if (target.how == nullptr) {
    std::string kinds;
    for (const std::string_view kind : notify::channel_kinds()) {
      kinds += fmt::format("{}{}", kinds.empty() ? "" : ", ", kind);
    }
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("no channel of kind '{}': use one of {}", target.kind, kinds));
  }
  if (const auto problems = target.how->problems(target.config); !problems.empty()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("channel '{}': {}", target.channel, problems.front()));
  }
  return target;
}

std::string space_of(const store::DeliveryRow& row, const Value& payload) {
  return std::string(payload["space"].string_or(row.name_space));
}

notify::Schedule schedule_of(const Value& own, const Value& of_channel) {
  const Value& given = own.is_list() ? own : of_channel;
  if (!given.is_list()) return notify::Schedule::standard();
  notify::Schedule schedule;
  for (const Value& wait : given.list()) {
    if (auto d = clock::parse_duration(wait.string_or("0s"))) schedule.waits.push_back(*d);
  }
  if (schedule.waits.empty()) schedule.waits.emplace_back();
  return schedule;
}

}  // namespace tiphys::runtime
