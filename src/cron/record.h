// What is stored of a CronWorkflow beside its manifest: its status, and what that status is about.
//
// The scheduler alone writes it, people alone write the manifest, so that neither undoes what the
// other did. A status counts only for the manifest that it was made for: `cron update` makes a new
// generation, which begins anew. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "cron/status.h"
#include "diag/error.h"
#include "value/value.h"

namespace tiphys::cron {

/// The kind under which records are stored, with the CronWorkflow's namespace and name.
inline constexpr const char* kRecordKind = "CronWorkflowStatus";

struct Record {
  std::string uid;              // of the CronWorkflow
  std::int64_t generation = 1;  // metadata.generation
  clock::Instant since;         // times before are none of these schedules'
  std::string schedules;        // those that were last used, with their time zone
  Status status = {};
};

[[nodiscard]] std::string to_json(const Record& record);
/// Errors: kInvalidManifest for a text that is no JSON.
[[nodiscard]] diag::Result<Record> parse_record(std::string_view json);

/// Whether the record is about this CronWorkflow as it stands.
[[nodiscard]] bool is_about(const Record& record, const value::Value& cron);

/// The CronWorkflow as people see it, with status, and Argo's label of a stopped one.
[[nodiscard]] value::Value with_status(const value::Value& cron, const Record& record);

}  // namespace tiphys::cron
