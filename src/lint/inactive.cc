// Features that manifests may ask for and tiphys does not act on. One table; a row goes when its
// feature comes.
#include <fmt/format.h>

#include "lint/lint.h"
#include "spec/yaml_reader.h"

namespace tiphys::lint {

using diag::Diagnostic;
using value::Value;

namespace {

constexpr const char* kOfTemplates[] = {
    "resource",
    "plugin",
    "metrics",
};

constexpr const char* kOfSpecs[] = {
    "artifactRepositoryRef",
    "artifactGC",
    "metrics",
    "executorPlugins",
};

bool is_in_use(const Value& v) {
  if (v.is_bool()) return v.as_bool();
  if (v.is_list()) return !v.list().empty();
  return !v.is_null();
}

/// Collects warnings, one for each feature and template.
class Inspector {
 public:
  explicit Inspector(const spec::Positions* positions) : positions_(positions) {}

  void spec(const Value& spec, const std::string& at) {
    for (const char* field : kOfSpecs) {
      if (is_in_use(spec[field])) tell("the workflow", at, field);
    }
    std::size_t i = 0;
    for (const Value& t : spec["templates"].list()) {
      body(t, spec::pointer_to(at + "/templates", i++));
    }
  }

  std::vector<Diagnostic> take() { return std::move(findings_); }

 private:
  void tell(const std::string& where, const std::string& at, std::string_view field) {
    Diagnostic d;
    d.severity = diag::Severity::kWarning;
    d.error.code = diag::Code::kInvalidManifest;
    d.error.message = fmt::format("{}: {} is not acted on yet", where, field);
    if (positions_ != nullptr) d.error.at = positions_->key(spec::pointer_to(at, field));
    findings_.push_back(std::move(d));
  }

  void body(const Value& t, const std::string& at) {
    const std::string where = fmt::format("template '{}'", t["name"].string_or(""));
    for (const char* field : kOfTemplates) {
      if (is_in_use(t[field])) tell(where, at, field);
    }
    for (const Value& group : t["steps"].list()) {
      for (const Value& step : group.list()) {
        if (step["inline"].is_map()) body(step["inline"], at);
      }
    }
    for (const Value& task : t["dag"]["tasks"].list()) {
      if (task["inline"].is_map()) body(task["inline"], at);
    }
  }

  const spec::Positions* positions_;
  std::vector<Diagnostic> findings_;
};

}  // namespace

std::vector<Diagnostic> inactive_features(const Value& object, const spec::Positions* positions) {
  Inspector inspector(positions);
  const bool is_cron = object["kind"].string_or("") == "CronWorkflow";
  const Value& spec = object["spec"];
  inspector.spec(is_cron ? spec["workflowSpec"] : spec, is_cron ? "/spec/workflowSpec" : "/spec");
  return inspector.take();
}

}  // namespace tiphys::lint
