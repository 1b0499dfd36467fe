#include "cli/stored_cron.h"

#include <fmt/format.h>

#include "cli/check.h"
#include "clock/rfc3339.h"
#include "cron/timetable.h"
#include "cron/workflow_of.h"
#include "lint/lint.h"
#include "runtime/cron_scheduler.h"
#include "runtime/new_names.h"
#include "runtime/workflow_defaults.h"
#include "spec/manifest.h"
#include "spec/merge.h"
#include "value/json.h"

namespace tiphys::cli {

using value::Map;
using value::Value;

cron::Record cron_record(store::Store& store, const store::ObjectRow& row) {
  auto stored = store.find_object(cron::kRecordKind, row.name_space, row.name);
  if (!stored) return {};
  return cron::parse_record(stored->json).value_or(cron::Record());
}

diag::Result<view::CronRow> cron_row(store::Store& store, const store::ObjectRow& row) {
  TRY(const Value object, value::parse_json(row.json));
  const cron::Record record = cron_record(store, row);
  view::CronRow shown{.object = cron::with_status(object, record),
                      .schedules = cron::schedules_text(object["spec"], false)};
  auto table = cron::Timetable::of(object["spec"], runtime::machine_zone());
  if (!table) return shown;
  const bool has_run = cron::is_about(record, object) && record.status.last_scheduled.is_set();
  shown.next = table->next(now(), has_run ? record.status.last_scheduled : row.created_at);
  return shown;
}

diag::Result<void> check_cron(const Value& object, store::Store& store) {
  const std::string space(object["metadata"]["namespace"].string_or("default"));
  TRY(const Value defaults, runtime::find_workflow_defaults(store, {}, space));
  Map spec = object["spec"].map();
  spec.set("workflowSpec", spec::validated_spec(object["spec"]["workflowSpec"], defaults["spec"]));
  Map complete = object.map();
  complete.set("spec", std::move(spec));
  std::vector<diag::Diagnostic> findings;
  const auto manifests =
      spec::load_manifests(value::to_json(complete), "", findings, spec::UnknownFields::kWarning);
  for (diag::Diagnostic& d :
       lint::check({.manifests = manifests,
                    .find_stored = stored_finder(store, space),
                    .options = {.warn_of_inactive = false, .warn_of_suspicious = false}})) {
    findings.push_back(std::move(d));
  }
  for (const diag::Diagnostic& d : findings) {
    if (d.severity == diag::Severity::kError) {
      return diag::fail(diag::Code::kInvalidManifest, d.error.message);
    }
  }
  return {};
}

diag::Result<Value> workflow_from_cron(store::Store& store, const std::string& name_space,
                                       const std::string& name) {
  TRY(const store::ObjectRow row, store.find_object("CronWorkflow", name_space, name));
  TRY(const Value object, value::parse_json(row.json));
  return cron::workflow_by_hand(object, cron_record(store, row).status, now());
}

}  // namespace tiphys::cli
