#include "cron/conditions.h"

#include <string>

#include "expr/environment.h"
#include "expr/program.h"
#include "expr/when.h"
#include "tag/substitute.h"
#include "value/json.h"

namespace tiphys::cron {

namespace {

using value::Map;
using value::Value;

std::string json_of(const Value& map) {
  return map.is_map() ? value::to_json(map.map().sorted()) : "null";
}

}  // namespace

CronScope::CronScope(const Value& object, const Status& status, clock::Instant now) {
  const Value& metadata = object["metadata"];
  const auto set = [this](const std::string& name, const Value& v) {
    flat_.set("cronworkflow." + name, v);
    nested_.set("cronworkflow." + name, v);
  };
  set("name", metadata["name"].string_or(""));
  set("namespace", metadata["namespace"].string_or(""));
  set("failed", status.failed);
  set("succeeded", status.succeeded);
  set("lastScheduledTime",
      status.last_scheduled.is_set() ? Value(status.last_scheduled.ns) : Value());
  for (const char* field : {"labels", "annotations"}) {
    const std::string name = std::string("cronworkflow.") + field;
    Map all = metadata[field].map();
    for (const auto& [key, v] : all) flat_.set(name + "." + key, v);
    const std::string json = json_of(metadata[field]);
    flat_.set(name + ".json", json);
    all.set("json", json);
    nested_.set(name, std::move(all));
  }
  flat_.set(std::string(expr::kClockVariable), now.ns);
}

std::optional<Value> CronScope::find(std::string_view name) const {
  auto v = flat_.find(name);
  return v ? v : nested_.find(name);
}

void CronScope::each(std::string_view root, const Visit& visit) const { nested_.each(root, visit); }

diag::Result<bool> may_begin(const Value& object, const Status& status, clock::Instant now) {
  const std::string_view when = object["spec"]["when"].string_or("");
  if (when.empty()) return true;
  TRY(const std::string condition,
      tag::substitute(when, CronScope(object, status, now), {.all = true}));
  return expr::evaluate_cron_when(condition);
}

diag::Result<bool> is_to_stop(const Value& object, const Status& status, clock::Instant now) {
  const Value& strategy = object["spec"]["stopStrategy"];
  if (!strategy.is_map()) return false;
  const CronScope scope(object, status, now);
  auto program = expr::Program::parse(strategy["expression"].string_or(""));
  auto stops = program ? program->run_bool(scope)
                       : diag::Result<bool>(std::unexpected(std::move(program).error()));
  if (!stops) stops.error().message.insert(0, "failed to evaluate stop expression: ");
  return stops;
}

}  // namespace tiphys::cron
