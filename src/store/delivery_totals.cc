#include "store/delivery_totals.h"

#include <algorithm>

#include "value/json.h"

namespace tiphys::store {

namespace {

using value::List;
using value::Map;
using value::Value;

}  // namespace

void add(DeliveryTotals& totals, const DeliveryRow& row) {
  DeliveryTotal& t = totals[{row.channel, row.kind}];
  ++t.accepted;
  if (row.attempts > 1) t.retried += row.attempts - 1;
  if (row.state == "dead") ++t.dead;
  if (row.state == "discarded") ++t.discarded;
  if (row.state != "delivered") return;
  ++t.delivered;
  const double seconds = (row.finished_at - row.created_at).in_seconds();
  t.seconds += seconds;
  const auto bucket = std::ranges::lower_bound(kDeliveryBuckets, seconds);
  ++t.in_time.at(static_cast<std::size_t>(bucket - kDeliveryBuckets.begin()));
}

void add(DeliveryTotals& totals, const DeliveryTotals& more) {
  for (const auto& [key, other] : more) {
    DeliveryTotal& t = totals[key];
    t.accepted += other.accepted;
    t.delivered += other.delivered;
    t.dead += other.dead;
    t.discarded += other.discarded;
    t.retried += other.retried;
    t.seconds += other.seconds;
    for (std::size_t i = 0; i < t.in_time.size(); ++i) t.in_time.at(i) += other.in_time.at(i);
  }
}

std::string to_json(const DeliveryTotals& totals) {
  List all;
  for (const auto& [key, t] : totals) {
    List in_time;
    for (const std::int64_t count : t.in_time) in_time.emplace_back(count);
    all.emplace_back(Map{{"channel", key.first},
                         {"kind", key.second},
                         {"accepted", t.accepted},
                         {"delivered", t.delivered},
                         {"dead", t.dead},
                         {"discarded", t.discarded},
                         {"retried", t.retried},
                         {"seconds", t.seconds},
                         {"inTime", std::move(in_time)}});
  }
  return value::to_json(Value(std::move(all)));
}

diag::Result<DeliveryTotals> parse_totals(const std::string& json) {
  auto parsed = value::parse_json(json);
  if (!parsed || !parsed->is_list()) {
    return diag::fail(diag::Code::kDamaged, "the totals of notifications cannot be read");
  }
  DeliveryTotals totals;
  for (const Value& v : parsed->list()) {
    DeliveryTotal& t =
        totals[{std::string(v["channel"].string_or("")), std::string(v["kind"].string_or(""))}];
    t.accepted = v["accepted"].int_or(0);
    t.delivered = v["delivered"].int_or(0);
    t.dead = v["dead"].int_or(0);
    t.discarded = v["discarded"].int_or(0);
    t.retried = v["retried"].int_or(0);
    const Value& seconds = v["seconds"];
    t.seconds = seconds.is_float() ? seconds.as_float() : static_cast<double>(seconds.int_or(0));
    const List& in_time = v["inTime"].list();
    for (std::size_t i = 0; i < std::min(in_time.size(), t.in_time.size()); ++i) {
      t.in_time.at(i) = in_time[i].int_or(0);
    }
  }
  return totals;
}

bool is_outdated(const DeliveryRow& row, const Retention& retention) {
  if (row.state == "pending" || !row.finished_at.is_set()) return false;
  return row.finished_at <
         (row.state == "dead" ? retention.dead_before : retention.delivered_before);
}

}  // namespace tiphys::store
