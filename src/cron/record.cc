#include "cron/record.h"

#include "cron/workflow_of.h"
#include "value/json.h"

namespace tiphys::cron {

using value::Map;
using value::Value;

namespace {

void set_in(Map& metadata, const char* field, std::string_view key, std::string_view text) {
  const Value* have = metadata.find(field);
  Map map = have == nullptr ? Map() : have->map();
  map.set(std::string(key), text);
  metadata.set(field, std::move(map));
}

}  // namespace

std::string to_json(const Record& record) {
  return value::to_json(Map{{"uid", record.uid},
                            {"generation", record.generation},
                            {"since", record.since.ns},
                            {"schedules", record.schedules},
                            {"status", to_value(record.status)}},
                        {.key_order = value::KeyOrder::kAsGiven});
}

diag::Result<Record> parse_record(std::string_view json) {
  TRY(const Value v, value::parse_json(json));
  return Record{.uid = std::string(v["uid"].string_or("")),
                .generation = v["generation"].int_or(1),
                .since = {v["since"].int_or(0)},
                .schedules = std::string(v["schedules"].string_or("")),
                .status = status_of(v["status"])};
}

bool is_about(const Record& record, const Value& cron) {
  const Value& metadata = cron["metadata"];
  return record.uid == metadata["uid"].string_or("") &&
         record.generation == metadata["generation"].int_or(1);
}

Value with_status(const Value& cron, const Record& record) {
  Map metadata = cron["metadata"].map();
  const bool is_valid = is_about(record, cron);
  if (is_valid && record.status.phase == kStopped) {
    set_in(metadata, "labels", kCompletedLabel, "true");
  }
  if (is_valid && record.status.last_scheduled.is_set()) {
    set_in(metadata, "annotations", kScheduleAnnotation, record.schedules);
  }
  Map object = cron.map();
  object.set("metadata", std::move(metadata));
  object.set("status", to_value(is_valid ? record.status : Status()));
  return object;
}

}  // namespace tiphys::cron
