#include "cli/delivery_metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "clock/rfc3339.h"

namespace tiphys::cli {

namespace {

using store::DeliveryRow;
using store::DeliveryTotal;
using store::DeliveryTotals;

struct Counter {
  const char* name;
  const char* type;
  const char* help;
  std::int64_t (*of)(const DeliveryTotal& t);
};

constexpr Counter kCounters[] = {
    {"tiphys_notifications_accepted_total", "counter", "notifications that were decided",
     [](const DeliveryTotal& t) { return t.accepted; }},
    {"tiphys_notifications_delivered_total", "counter", "those that arrived",
     [](const DeliveryTotal& t) { return t.delivered; }},
    {"tiphys_notifications_dead_total", "counter", "those that were given up",
     [](const DeliveryTotal& t) { return t.dead; }},
    {"tiphys_notifications_discarded_total", "counter", "those that nobody wanted any more",
     [](const DeliveryTotal& t) { return t.discarded; }},
    {"tiphys_notifications_retries_total", "counter", "attempts after the first",
     [](const DeliveryTotal& t) { return t.retried; }},
    {"tiphys_notifications_pending", "gauge", "those that are still to be sent",
     [](const DeliveryTotal& t) { return t.pending(); }},
};

// Of Prometheus' label values: backslash, quote and line feed.
std::string label(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? "\\n" : std::string(1, c);
  }
  return out;
}

std::string labels_of(const std::pair<std::string, std::string>& key) {
  return fmt::format("channel=\"{}\",kind=\"{}\"", label(key.first), label(key.second));
}

void add_histogram(std::string& out, const std::string& labels, const DeliveryTotal& t) {
  constexpr const char* kName = "tiphys_notification_delivery_seconds";
  std::int64_t below = 0;
  for (std::size_t i = 0; i < t.in_time.size(); ++i) {
    below += t.in_time.at(i);
    const std::string bound = i < store::kDeliveryBuckets.size()
                                  ? fmt::format("{}", store::kDeliveryBuckets.at(i))
                                  : "+Inf";
    out += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", kName, labels, bound, below);
  }
  out += fmt::format("{}_sum{{{}}} {}\n", kName, labels, t.seconds);
  out += fmt::format("{}_count{{{}}} {}\n", kName, labels, t.delivered);
}

}  // namespace

std::string prometheus_text(const DeliveryTotals& totals) {
  if (totals.empty()) return "";
  std::string out;
  for (const Counter& c : kCounters) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", c.name, c.help, c.name, c.type);
    for (const auto& [key, t] : totals) {
      out += fmt::format("{}{{{}}} {}\n", c.name, labels_of(key), c.of(t));
    }
  }
  out +=
      "# HELP tiphys_notification_delivery_seconds from the decision to the delivery\n"
      "# TYPE tiphys_notification_delivery_seconds histogram\n";
  for (const auto& [key, t] : totals) add_histogram(out, labels_of(key), t);
  return out;
}

std::vector<std::string> lines_of(const DeliveryTotals& totals) {
  std::vector<std::string> out;
  for (const auto& [key, t] : totals) {
    std::string line =
        fmt::format("notifications{{{}}} accepted {} delivered {} dead {} retries {}",
                    labels_of(key), t.accepted, t.delivered, t.dead, t.retried);
    if (t.pending() > 0) line += fmt::format(" pending {}", t.pending());
    if (t.delivered > 0) {
      line += fmt::format(" mean {:.3f} s", t.seconds / static_cast<double>(t.delivered));
    }
    out.push_back(std::move(line));
  }
  return out;
}

value::Value as_value(const DeliveryTotals& totals) {
  value::List all;
  for (const auto& [key, t] : totals) {
    all.emplace_back(value::Map{{"name", "notifications"},
                                {"channel", key.first},
                                {"kind", key.second},
                                {"accepted", t.accepted},
                                {"delivered", t.delivered},
                                {"dead", t.dead},
                                {"discarded", t.discarded},
                                {"pending", t.pending()},
                                {"retries", t.retried},
                                {"deliverySeconds", t.seconds}});
  }
  return all;
}

diag::Result<std::string> delivery_summary(store::Store& store,
                                           const std::vector<store::WorkflowRow>& workflows) {
  std::vector<DeliveryRow> rows;
  for (const store::WorkflowRow& workflow : workflows) {
    TRY(std::vector<DeliveryRow> more, store.load_deliveries({.uid = workflow.uid}));
    std::ranges::move(more, std::back_inserter(rows));
  }
  if (rows.empty()) return "";
  std::string out = "notifications:";
  const char* between = " ";
  for (const char* state : {"delivered", "pending", "dead", "discarded"}) {
    const auto count = std::ranges::count(rows, state, &DeliveryRow::state);
    if (count > 0) out += fmt::format("{}{} {}", std::exchange(between, ", "), count, state);
  }
  out += '\n';
  clock::Instant next;
  for (const DeliveryRow& row : rows) {
    if (row.state == "dead") {
      out +=
          fmt::format("  dead: {} by {}: {}\n  send it again: tiphys notifications replay {}\n",
                      row.node.empty() ? row.workflow : row.node, row.channel, row.reason, row.id);
    }
    if (row.state == "pending" && (!next.is_set() || row.next_at < next)) next = row.next_at;
  }
  if (next.is_set()) {
    out += fmt::format("  tried again from {} on by a server, or by: tiphys notifications send\n",
                       clock::rfc3339(next));
  }
  return out;
}

}  // namespace tiphys::cli
