#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/delivery_metrics.h"
#include "cli/metric_values.h"
#include "cli/selection.h"
#include "metrics/registry.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

struct MetricsOptions {
  SelectionFlags which;
  std::string output;
};

diag::Result<void> metrics(const MetricsOptions& o, const Session& session) {
  if (!o.output.empty() && o.output != "prometheus" && o.output != "json") {
    return wrong_usage(
        fmt::format("unknown output format '{}': want prometheus or json", o.output));
  }
  TRY(Opened state, open_state());
  TRY(const auto rows, select_workflows(*state.store, session, o.which, false));
  TRY(metrics::Samples samples, metric_samples(*state.store, rows));
  for (const std::string& problem : samples.problems) fmt::print(stderr, "warning: {}\n", problem);
  const metrics::Registry registry(std::move(samples.samples));
  TRY(const store::DeliveryTotals totals, state.store->delivery_totals());
  if (o.output == "prometheus") {
    print_text(registry.prometheus_text() + prometheus_text(totals));
  } else if (o.output == "json") {
    value::List all = registry.as_value().list();
    const value::Value of_notifications = as_value(totals);
    for (const value::Value& v : of_notifications.list()) all.push_back(v);
    print_text(value::to_json(
                   value::Value(std::move(all)),
                   {.key_order = value::KeyOrder::kAsGiven, .indent = 2, .escape_html = false}) +
               "\n");
  } else {
    for (const std::string& line : registry.lines()) print_text(line + "\n");
    for (const std::string& line : lines_of(totals)) print_text(line + "\n");
    if (registry.is_empty() && totals.empty()) print_text("No metrics found\n");
  }
  return {};
}

}  // namespace

void add_metrics(Command app, Session& session) {
  auto o = std::make_shared<MetricsOptions>();
  const Command command =
      add_command(app, "metrics", "show the metrics that workflows and templates declare", session,
                  [o, &session] { return metrics(*o, session); });
  command.add_option("-o,--output", o->output, "prometheus: its text format; json");
  add_filters(command, o->which);
}

}  // namespace tiphys::cli
