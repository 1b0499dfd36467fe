// Files to manifests: YAML or JSON documents, checked against the fields that Argo v4.1.2 knows.
//
// Reading is strict, as `argo submit` and `argo lint` are: an unknown field, a wrong type or a
// duplicate key is an error at its place in the file. What a manifest *means* is checked by lint/.
// Pure: the caller reads the files.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "spec/positions.h"
#include "value/value.h"

namespace tiphys::spec {

/// One document. `object` is in Argo's JSON form: parameter values are strings, items are typed as
/// Argo types them.
struct Manifest {
  std::string kind;  // Workflow, WorkflowTemplate, ClusterWorkflowTemplate, CronWorkflow, Secret,
                     // ConfigMap ...
  std::string name;  // metadata.name, else empty
  std::string generate_name;
  std::string name_space;
  value::Value object;
  std::shared_ptr<const Positions> positions;
};

/// What an unknown field is: an error, as for `argo lint` and `argo submit`, or a warning, after
/// which it has no effect, as for Kubernetes' API.
enum class UnknownFields { kError, kWarning };

/// Reads every document of `text` (several YAML documents, or JSON). `file` is for positions only.
///
/// Appends what is wrong to `findings` (never stops at the first) and returns the documents that
/// could be read; one with errors is left out. Documents of kinds that are not known at all are
/// returned unchecked.
[[nodiscard]] std::vector<Manifest> load_manifests(std::string_view text, const std::string& file,
                                                   std::vector<diag::Diagnostic>& findings,
                                                   UnknownFields unknown = UnknownFields::kError);

}  // namespace tiphys::spec
