// Secrets and ConfigMaps that a workflow reads and that are not there: its steps would fail.
#include <fmt/format.h>

#include "clock/go_duration.h"
#include "lint/suspicious.h"
#include "lint/walk.h"
#include "tag/substitute.h"

namespace tiphys::lint {

using value::Value;

namespace {

/// A struct that names an object, and maybe a key in it.
struct Reference {
  std::string_view type;
  std::string_view kind;
  std::string_view name_field = "name";
};

constexpr Reference kReferences[] = {
    {"v1.SecretKeySelector", "Secret"},       {"v1.SecretEnvSource", "Secret"},
    {"v1.SecretProjection", "Secret"},        {"v1.SecretVolumeSource", "Secret", "secretName"},
    {"v1.ConfigMapKeySelector", "ConfigMap"}, {"v1.ConfigMapEnvSource", "ConfigMap"},
    {"v1.ConfigMapProjection", "ConfigMap"},  {"v1.ConfigMapVolumeSource", "ConfigMap"},
};

/// Stores and locks of a cluster keep their keys in Secrets that nothing here reads.
bool is_read(std::string_view at) {
  for (const char* unread : {"/s3/", "/gcs/", "/oss/", "/azure/", "/git/", "/artifactory/",
                             "/hdfs/", "/synchronization/", "/memoize/"}) {
    if (at.find(unread) != std::string_view::npos) return false;
  }
  return true;
}

/// Whether the `valueFrom` around a selector has something else to take.
bool has_default(const Value& spec, std::string_view at) {
  const Value* v = &spec;
  std::string_view rest = at.substr(0, at.rfind('/'));
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view token = rest.substr(0, rest.find('/'));
    rest.remove_prefix(token.size());
    if (v->is_map()) {
      v = &(*v)[token];
      continue;
    }
    const auto index = clock::parse_go_int(token);
    if (!index || *index < 0 || static_cast<std::size_t>(*index) >= v->list().size()) return false;
    v = &v->list()[static_cast<std::size_t>(*index)];
  }
  return !(*v)["default"].is_null();
}

}  // namespace

void missing_references(const BasePointer& base, const FindKeys& find_keys,
                        std::vector<diag::Diagnostic>& out) {
  walk_structs(base->spec, "v1alpha1.WorkflowSpec", base->pointer,
               [&](const Value& v, std::string_view type, const std::string& at) {
                 for (const Reference& r : kReferences) {
                   const std::string_view name = text(v, r.name_field);
                   const std::string_view key = text(v, "key");
                   if (r.type != type || name.empty() || v["optional"].bool_or(false)) continue;
                   if (tag::has_tags(name) || tag::has_tags(key) || !is_read(at)) continue;
                   const std::string below = at.substr(base->pointer.size());
                   if (has_default(base->spec, below)) continue;
                   const auto keys = find_keys(r.kind, name);
                   std::string message;
                   if (!keys) {
                     message =
                         fmt::format("there is no {} '{}': what reads it will fail", r.kind, name);
                   } else if (!key.empty() && !keys->contains(std::string(key))) {
                     message = fmt::format("{} '{}' has no key '{}': what reads it will fail",
                                           r.kind, name, key);
                   } else {
                     continue;
                   }
                   const Place place = Place{base, at}.at(keys ? "key" : r.name_field);
                   out.push_back({diag::Severity::kWarning,
                                  {diag::Code::kNotFound, std::move(message), place.position()},
                                  ""});
                 }
               });
}

void refused_host_paths(const BasePointer& base, const HostPathProblem& problem,
                        std::vector<diag::Diagnostic>& out) {
  walk_structs(base->spec, "v1alpha1.WorkflowSpec", base->pointer,
               [&](const Value& v, std::string_view type, const std::string& at) {
                 const std::string path(text(v, "path"));
                 if (type != "v1.HostPathVolumeSource" || tag::has_tags(path)) return;
                 std::string message = problem(path);
                 if (message.empty()) return;
                 out.push_back(warning_at(Place{base, at}.at("path"), std::move(message)));
               });
}

}  // namespace tiphys::lint
