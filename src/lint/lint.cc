#include "lint/lint.h"

#include <fmt/format.h>

#include <algorithm>

#include "cron/schedule.h"
#include "lint/suspicious.h"
#include "lint/validator.h"
#include "spec/names.h"

namespace tiphys::lint {

using diag::Diagnostic;
using value::Value;

namespace {

using Bases = std::map<std::string, BasePointer>;

/// Where the workflow's spec stands in an object of this kind; null: the kind holds none.
const char* spec_pointer_of(std::string_view kind) {
  if (kind == "CronWorkflow") return "/spec/workflowSpec";
  const bool holds_spec =
      kind == "Workflow" || kind == "WorkflowTemplate" || kind == "ClusterWorkflowTemplate";
  return holds_spec ? "/spec" : nullptr;
}

BasePointer base_of(const spec::Manifest& m) {
  const char* pointer = spec_pointer_of(m.kind);
  if (pointer == nullptr) return nullptr;
  const Value& spec = m.object["spec"];
  return std::make_shared<Base>(Base{m.kind == "CronWorkflow" ? spec["workflowSpec"] : spec, m.kind,
                                     m.name, pointer, m.positions});
}

constexpr const char* kVersion = "argoproj.io/v1alpha1";

void check_version(const spec::Manifest& m, Validator& v, const BasePointer& base,
                   std::vector<Diagnostic>& out) {
  const std::string_view version = text(m.object, "apiVersion");
  if (version.empty() || version == kVersion) return;
  const Place at{base, "/apiVersion"};
  const std::string fix = fmt::format("write {}", kVersion);
  if (std::ranges::count(version, '/') > 1) {
    v.report(at, fmt::format("unexpected GroupVersion string: {}", version), fix);
  } else {
    out.push_back(
        warning_at(at, fmt::format("a cluster does not know the apiVersion '{}'", version), fix));
  }
}

/// Argo's and Kubernetes' rules for the object's own name.
void check_name(const spec::Manifest& m, Validator& v, const BasePointer& base) {
  const bool is_template = m.kind == "WorkflowTemplate" || m.kind == "ClusterWorkflowTemplate";
  constexpr std::size_t kLengthMax = 63;
  if (is_template && m.name.size() > kLengthMax) {
    v.report({base, "/metadata/name"},
             fmt::format("{}workflow template name \"{}\" must not be more than 63 characters long "
                         "(currently {})",
                         m.kind == "WorkflowTemplate" ? "" : "cluster ", m.name, m.name.size()));
  }
  const bool is_generated = m.name.empty();
  if (is_generated && m.generate_name.empty()) return;
  // What is added to a generated name makes a dash at its end right.
  const std::string name = is_generated ? m.generate_name + "x" : m.name;
  const spec::NameErrors errors = spec::check_dns1123_subdomain(name);
  if (errors.empty()) return;
  const char* field = is_generated ? "generateName" : "name";
  v.report({base, std::string("/metadata/") + field},
           fmt::format("metadata.{}: Invalid value: \"{}\": {}", field,
                       is_generated ? m.generate_name : m.name, errors.front()));
}

void check_times(const Value& spec, Validator& v, const Place& at) {
  if (spec["schedules"].list().empty()) {
    v.report(at, "cron workflow must have at least one schedule");
  }
  std::size_t i = 0;
  for (const Value& schedule : spec["schedules"].list()) {
    const Place place = at.at("schedules", i++);
    const auto parsed = cron::Schedule::parse(schedule.string_or(""));
    if (parsed) continue;
    v.report(place, fmt::format("cron schedule {} is malformed: {}", schedule.string_or(""),
                                parsed.error().message));
  }
  const std::string_view zone = text(spec, "timezone");
  if (const auto found = cron::load_zone(zone); !found) {
    v.report(at.at("timezone"),
             fmt::format("invalid timezone \"{}\": {}", zone, found.error().message));
  }
}

void check_cron(const spec::Manifest& m, Validator& v, const BasePointer& base) {
  const Value& spec = m.object["spec"];
  const Place at{base, "/spec"};
  if (m.name.size() > 52) {
    v.report({base, "/metadata/name"},
             fmt::format("cron workflow name \"{}\" must not be more than 52 characters long "
                         "(currently {})",
                         m.name, m.name.size()));
  }
  check_times(spec, v, at);
  const std::string_view policy = text(spec, "concurrencyPolicy");
  if (!policy.empty() && policy != "Allow" && policy != "Forbid" && policy != "Replace") {
    v.report(at.at("concurrencyPolicy"),
             fmt::format("'{}' is not a valid concurrencyPolicy", policy));
  }
  if (spec["startingDeadlineSeconds"].int_or(0) < 0) {
    v.report(at.at("startingDeadlineSeconds"), "startingDeadlineSeconds must be positive");
  }
}

ValidateOptions options_for(const spec::Manifest& m, const BasePointer& base) {
  ValidateOptions o;
  o.is_template = m.kind == "WorkflowTemplate" || m.kind == "ClusterWorkflowTemplate";
  // A value may come when the workflow is submitted; nobody submits that of a CronWorkflow.
  o.allow_empty_arguments = m.kind != "CronWorkflow";
  o.ignore_entrypoint = o.is_template && text(base->spec, "entrypoint").empty();
  return o;
}

/// Argo runs them, but nobody has meant them.
void loose_enums(const BasePointer& base, const std::string& name_space, const LintInput& input,
                 const Bases& bases, std::vector<Diagnostic>& out) {
  const auto find = [&](std::string_view kind, std::string_view space,
                        std::string_view name) -> std::optional<Value> {
    const auto it = bases.find(fmt::format("{}/{}", kind, name));
    if (it != bases.end()) return Value(value::Map{{"spec", it->second->spec}});
    return input.find_stored ? input.find_stored(kind, space, name) : std::nullopt;
  };
  const Place at = Place{base, base->pointer}.at("arguments");
  for (const OutsideOfEnum& o : outside_of_enums(base->spec, name_space, find)) {
    out.push_back(warning_at(at.at("parameters", o.index).at("value"), o.message));
  }
}

void check_manifest(const spec::Manifest& m, const LintInput& input, const Bases& bases,
                    std::vector<Diagnostic>& out) {
  const BasePointer base = base_of(m);
  if (!base) return;
  Validator v(input.find_stored, options_for(m, base));
  v.bases = bases;
  v.name_space = m.name_space;
  check_version(m, v, base, out);
  check_name(m, v, base);
  if (m.kind == "CronWorkflow") check_cron(m, v, base);
  const std::size_t own = v.findings().size();
  v.workflow(
      base, m.kind == "CronWorkflow" ? m.object["spec"]["workflowMetadata"] : m.object["metadata"]);
  std::vector<Diagnostic>& found = v.findings();
  for (std::size_t i = own; m.kind == "CronWorkflow" && i < found.size(); ++i) {
    found[i].error.message = "cannot validate Workflow: " + found[i].error.message;
  }
  const bool is_sound = found.empty();
  if (input.options.warn_of_suspicious) loose_enums(base, m.name_space, input, bases, out);
  if (input.options.is_run && m.kind != "Workflow") {
    for (Diagnostic& d : found) d.severity = diag::Severity::kWarning;
  }
  out.insert(out.end(), std::make_move_iterator(found.begin()),
             std::make_move_iterator(found.end()));
  if (input.options.warn_of_suspicious) suspicious(base, is_sound, out);
  if (input.options.warn_of_unused && is_sound) unused(base, out);
  if (input.options.find_keys) missing_references(base, input.options.find_keys, out);
  if (input.options.host_path_problem) {
    refused_host_paths(base, input.options.host_path_problem, out);
  }
  for (Diagnostic& d : resource_findings(m.object, m.positions.get(), input.options.has_cluster)) {
    // A run may never come to it, and says so when it does.
    if (input.options.is_run) d.severity = diag::Severity::kWarning;
    out.push_back(std::move(d));
  }
  if (input.options.warn_of_inactive) {
    for (Diagnostic& d :
         inactive_features(m.object, m.positions.get(), input.options.has_cluster)) {
      // A run may never come to it, and says so when it does.
      if (input.options.is_run) d.severity = diag::Severity::kWarning;
      out.push_back(std::move(d));
    }
  }
}

}  // namespace

std::vector<Diagnostic> check(const LintInput& input) {
  Bases bases;
  for (const spec::Manifest& m : input.manifests) {
    if (m.kind != "WorkflowTemplate" && m.kind != "ClusterWorkflowTemplate") continue;
    bases[fmt::format("{}/{}", m.kind, m.name)] = base_of(m);
  }
  std::vector<Diagnostic> out;
  for (const spec::Manifest& m : input.manifests) check_manifest(m, input, bases, out);
  return out;
}

}  // namespace tiphys::lint
