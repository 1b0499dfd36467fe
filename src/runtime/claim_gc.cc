#include "runtime/claim_gc.h"

#include "kube/pod_spec.h"

namespace tiphys::runtime {

std::vector<std::string> claims_to_remove(const value::Value& spec, std::string_view workflow,
                                          std::string_view phase) {
  std::vector<std::string> names;
  const std::string_view strategy = spec["volumeClaimGC"]["strategy"].string_or("");
  if (phase != "Succeeded" && strategy != "OnWorkflowCompletion") return names;
  for (const value::Value& claim : spec["volumeClaimTemplates"].list()) {
    names.push_back(kube::claim_name(workflow, claim));
  }
  return names;
}

}  // namespace tiphys::runtime
