#include "runtime/removal.h"

#include "runtime/artifact_gc.h"
#include "runtime/lookup.h"
#include "value/json.h"

namespace tiphys::runtime {

diag::Result<void> order_end(store::Store& store, const std::string& uid, bool is_suspended,
                             clock::Instant now) {
  for (const std::string_view verb : {"terminate", "resume"}) {
    if (!is_suspended && verb == "resume") continue;
    TRY_VOID(store.add_command({.id = 0,
                                .uid = uid,
                                .verb = std::string(verb),
                                .arguments_json = "{}",
                                .created_at = now}));
  }
  return {};
}

diag::Result<void> remove_ended(store::Store& store, const Config& config,
                                const store::WorkflowRow& row, bool is_forced) {
  const auto metadata = value::parse_json(row.metadata_json);
  if (metadata && has_artifact_finalizer(*metadata)) {
    return delete_with_artifacts(store, config, make_lookup(config), row.uid, is_forced);
  }
  return delete_workflow(store, config, row.uid);
}

}  // namespace tiphys::runtime
