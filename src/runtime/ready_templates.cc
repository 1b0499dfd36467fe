#include "runtime/ready_templates.h"

#include <string>
#include <vector>

#include "notify/library.h"
#include "spec/manifest.h"
#include "value/json.h"

namespace tiphys::runtime {

std::optional<value::Value> find_template(store::Store& store, std::string_view kind,
                                          std::string_view name_space, std::string_view name) {
  const bool is_cluster = kind == "ClusterWorkflowTemplate";
  if (auto row = store.find_object(kind, is_cluster ? "" : name_space, name)) {
    auto object = value::parse_json(row->json);
    return object ? std::optional(std::move(*object)) : std::nullopt;
  }
  const notify::LibraryTemplate* ready = is_cluster ? notify::find_in_library(name) : nullptr;
  if (ready == nullptr) return std::nullopt;
  std::vector<diag::Diagnostic> findings;
  const auto manifests = spec::load_manifests(ready->yaml, std::string(name), findings);
  CHECK(manifests.size() == 1);  // it is a part of the program, and a test reads them all
  return manifests.front().object;
}

}  // namespace tiphys::runtime
