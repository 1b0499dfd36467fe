#include "runtime/volume_references.h"

#include <string_view>

#include <fmt/format.h>

#include "spec/named.h"

namespace tiphys::runtime {

namespace {

bool has_volume(const value::Value& body, const value::Value& spec, std::string_view name) {
  for (const value::Value* list : {&body["volumes"], &spec["volumes"]}) {
    if (!spec::named(*list, name).is_null()) return true;
  }
  for (const value::Value& claim : spec["volumeClaimTemplates"].list()) {
    if (claim["metadata"]["name"].string_or("") == name) return true;
  }
  return false;
}

}  // namespace

diag::Result<void> check_volume_references(const value::Value& body, const value::Value& spec) {
  const auto check = [&](const value::Value& container) -> diag::Result<void> {
    for (const value::Value& mount : container["volumeMounts"].list()) {
      const std::string_view name = mount["name"].string_or("");
      if (has_volume(body, spec, name)) continue;
      return diag::fail(diag::Code::kInvalidManifest,
                        fmt::format("volume '{}' not found in workflow spec", name));
    }
    return {};
  };
  for (const char* main : {"container", "script", "containerSet"}) TRY_VOID(check(body[main]));
  for (const value::Value* list :
       {&body["initContainers"], &body["sidecars"], &body["containerSet"]["containers"]}) {
    for (const value::Value& container : list->list()) TRY_VOID(check(container));
  }
  return {};
}

}  // namespace tiphys::runtime
