#include "runtime/pod_patch.h"

#include "spec/merge.h"
#include "spec/named.h"
#include "spec/yaml_reader.h"

namespace tiphys::runtime {

namespace {

using value::List;
using value::Map;
using value::Value;

Value patched_list(const Value& containers, const Value& patches) {
  List list;
  for (const Value& c : containers.list()) {
    const Value& patch = spec::named(patches, c["name"].string_or(""));
    list.push_back(patch.is_null() ? c : spec::strategic_merge(c, patch));
  }
  return list;
}

Value patched(const Value& body, const Value& patch) {
  Map changed = body.map();
  const Value& containers = patch["containers"];
  for (const char* kind : {"container", "script"}) {
    const Value& main = spec::named(containers, "main");
    if (main.is_null() || !body[kind].is_map()) continue;
    Map merged = spec::strategic_merge(body[kind], main).map();
    merged.erase("name");
    changed.set(kind, std::move(merged));
  }
  if (body["containerSet"].is_map()) {
    Map set = body["containerSet"].map();
    set.set("containers", patched_list(body["containerSet"]["containers"], containers));
    changed.set("containerSet", std::move(set));
  }
  if (body["sidecars"].is_list()) {
    changed.set("sidecars", patched_list(body["sidecars"], containers));
  }
  if (body["initContainers"].is_list()) {
    changed.set("initContainers", patched_list(body["initContainers"], patch["initContainers"]));
  }
  if (patch["volumes"].is_list()) {
    changed.set("volumes", spec::strategic_merge(Map{{"volumes", body["volumes"]}},
                                                 Map{{"volumes", patch["volumes"]}})["volumes"]);
  }
  return changed;
}

}  // namespace

diag::Result<Value> patched_template(const Value& body, const std::string& workflow_patch) {
  Value result = body;
  for (const std::string& text :
       {workflow_patch, std::string(body["podSpecPatch"].string_or(""))}) {
    if (text.empty()) continue;
    auto patch = spec::read_yaml(text, {.file = "podSpecPatch", .is_strict = false});
    if (!patch || !patch->value.is_map()) {
      return diag::fail(diag::Code::kInvalidManifest, "Error applying PodSpecPatch");
    }
    result = patched(result, patch->value);
  }
  return result;
}

}  // namespace tiphys::runtime
