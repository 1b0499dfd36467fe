// Features that manifests ask for and tiphys does not act on: walks an object by its types and
// looks each field up in the table of effects.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lint/field_effects.h"
#include "lint/lint.h"
#include "spec/json_pointer.h"
#include "spec/schema.h"

namespace tiphys::lint {

using diag::Diagnostic;
using value::Value;

namespace {

bool is_in_use(const Value& v) {
  if (v.is_bool()) return v.as_bool();
  if (v.is_list()) return !v.list().empty();
  if (v.is_map()) return true;
  return !v.is_null() && v.string_or("-") != "";
}

// What a pod has, where steps are pods.
bool is_of_pods(std::string_view type, std::string_view field) {
  constexpr std::string_view kFields[] = {"dnsPolicy", "dnsConfig", "hostAliases", "podResources",
                                          "resourceClaims"};
  return type.starts_with("v1.") || std::ranges::find(kFields, field) != std::end(kFields);
}

/// Collects warnings, one for each feature and template.
class Inspector {
 public:
  Inspector(const spec::Positions* positions, bool has_cluster)
      : positions_(positions), has_cluster_(has_cluster) {}

  /// Looks at `v`, which is of the struct `type` and stands at `at`.
  void object(const Value& v, std::string_view type, const std::string& at) {
    const spec::Fields* fields = spec::fields_of(type);
    if (fields == nullptr || !v.is_map()) return;
    const FieldEffects* effects = find_effects(type);
    const std::string outer_where = where_;
    const std::size_t outer_begin = begin_;
    if (type == "v1alpha1.Template") {
      const std::string_view name = v["name"].string_or("");
      where_ = name.empty() ? at.substr(at.rfind('/') + 1) : fmt::format("template '{}'", name);
      begin_ = at.size();
      is_daemon_ = v["daemon"].bool_or(false);
    }
    for (const auto& [name, member] : v.map()) {
      const spec::Field* field = spec::find_field(*fields, name);
      if (field == nullptr || !is_in_use(member)) continue;
      const std::string place = spec::pointer_to(at, name);
      if (effects != nullptr && effect_of(*effects, name) == FieldEffect::kPending) {
        if (name == "readinessProbe" && is_asked(member)) continue;
        if (!has_cluster_ || !is_of_pods(type, name)) tell(place);
      } else {
        of_type(member, field->type, place);
      }
    }
    where_ = outer_where;
    begin_ = outer_begin;
  }

  /// Begins with a spec at `at`: what is found outside of templates is the workflow's.
  void spec(const Value& v, const std::string& at) {
    begin_ = at.size();
    object(v, "v1alpha1.WorkflowSpec", at);
  }

  std::vector<Diagnostic> take() { return std::move(findings_); }

 private:
  void of_type(const Value& v, std::string_view type, const std::string& at) {
    if (type.starts_with('*')) type.remove_prefix(1);
    if (type == "P") type = "[]v1alpha1.WorkflowStep";
    if (type.starts_with("[]")) {
      std::size_t i = 0;
      for (const Value& element : v.list()) {
        of_type(element, type.substr(2), spec::pointer_to(at, i++));
      }
    } else if (type.starts_with("{}")) {
      for (const auto& [key, member] : v.map()) {
        of_type(member, type.substr(2), spec::pointer_to(at, key));
      }
    } else {
      object(v, type, at);
    }
  }

  // A daemon's probe, if it is of a kind that needs nothing inside of the step.
  [[nodiscard]] bool is_asked(const Value& probe) const {
    return is_daemon_ && (probe["httpGet"].is_map() || probe["tcpSocket"].is_map());
  }

  // The path below the template, without the places in lists: container.securityContext.
  [[nodiscard]] std::string path_of(std::string_view place) const {
    std::string path;
    place.remove_prefix(begin_);
    while (!place.empty()) {
      place.remove_prefix(1);
      const std::string_view token = place.substr(0, place.find('/'));
      const bool is_index = token.find_first_not_of("0123456789") == std::string_view::npos;
      if (!is_index) path += path.empty() ? std::string(token) : fmt::format(".{}", token);
      place.remove_prefix(token.size());
    }
    return path;
  }

  void tell(const std::string& place) {
    Diagnostic d;
    d.severity = diag::Severity::kWarning;
    d.error.code = diag::Code::kInvalidManifest;
    d.error.message = fmt::format("{}: {} is not acted on yet", where_, path_of(place));
    if (!told_.insert(d.error.message).second) return;
    if (positions_ != nullptr) d.error.at = positions_->key(place);
    findings_.push_back(std::move(d));
  }

  const spec::Positions* positions_;
  const bool has_cluster_;
  std::string where_ = "the workflow";
  bool is_daemon_ = false;
  std::size_t begin_ = 0;  // of the path that is told, in a pointer
  std::set<std::string> told_;
  std::vector<Diagnostic> findings_;
};

}  // namespace

std::vector<Diagnostic> inactive_features(const Value& object, const spec::Positions* positions,
                                          bool has_cluster) {
  Inspector inspector(positions, has_cluster);
  const bool is_cron = object["kind"].string_or("") == "CronWorkflow";
  const Value& spec = object["spec"];
  inspector.spec(is_cron ? spec["workflowSpec"] : spec, is_cron ? "/spec/workflowSpec" : "/spec");
  return inspector.take();
}

}  // namespace tiphys::lint
