// A whole workflow: its arguments, its global names, the templates that it starts with.
#include <fmt/format.h>

#include <algorithm>

#include "lint/validator.h"
#include "spec/labels.h"
#include "spec/names.h"
#include "spec/schema.h"

namespace tiphys::lint {

using value::List;
using value::Map;
using value::Value;

namespace {

bool exports_by_tag(const Value& spec) {
  for (const Value& t : spec["templates"].list()) {
    for (const Value& a : t["outputs"]["artifacts"].list()) {
      if (has_simple_tag(text(a, "globalName"))) return true;
    }
  }
  return false;
}

/// A step that names a template of this workflow, or of the one that it refers to.
Value call_of(std::string_view template_name, const Value& reference) {
  if (!reference.is_map()) return Value(Map{{"template", template_name}});
  Map ref{{"name", reference["name"]}, {"template", template_name}};
  if (reference["clusterScope"].bool_or(false)) ref.set("clusterScope", Value(true));
  return Value(Map{{"templateRef", Value(std::move(ref))}});
}

/// `own`, and of `other` what isn't named there.
Value united(const Value& own, const Value& other) {
  List out = own.list();
  for (const Value& entry : other.list()) {
    bool is_there = false;
    for (const Value& e : own.list()) is_there = is_there || e["name"] == entry["name"];
    if (!is_there) out.push_back(entry);
  }
  return Value(std::move(out));
}

}  // namespace

void Validator::report(const Place& at, std::string message, std::string suggestion) {
  diag::Position position = at.position();
  const std::string key = fmt::format("{}:{}:{}:{}", position.file, position.line, position.column,
                                      position.is_known() ? "" : message);
  // The same fault is met again for each caller of a template, with other words in front.
  std::string_view bare = message;
  while (bare.starts_with("templates.") && bare.find(' ') != std::string_view::npos) {
    bare.remove_prefix(bare.find(' ') + 1);
  }
  const std::string tail(bare.substr(bare.size() - std::min<std::size_t>(bare.size(), 40)));
  if (!told_.insert(key + tail).second) return;
  findings_.push_back({diag::Severity::kError,
                       {diag::Code::kInvalidManifest, std::move(message), std::move(position)},
                       std::move(suggestion)});
}

BasePointer Validator::find_base(std::string_view kind, std::string_view name) {
  const std::string key = fmt::format("{}/{}", kind, name);
  if (const auto it = bases.find(key); it != bases.end()) return it->second;
  if (const auto it = stored_.find(key); it != stored_.end()) return it->second;
  BasePointer found;
  if (find_stored_) {
    const bool is_cluster = kind == "ClusterWorkflowTemplate";
    if (auto object = find_stored_(kind, is_cluster ? "" : name_space, name)) {
      found = std::make_shared<Base>(
          Base{(*object)["spec"], std::string(kind), std::string(name), "/spec", nullptr});
    }
  }
  stored_[key] = found;
  return found;
}

Value Validator::merged_arguments(const Value& own, const BasePointer& referenced) const {
  if (!referenced) return own;
  const Value& other = referenced->spec["arguments"];
  return Value(Map{{"parameters", united(own["parameters"], other["parameters"])},
                   {"artifacts", united(own["artifacts"], other["artifacts"])}});
}

void Validator::executor_plugins(const Value& plugins, const Place& at) {
  std::size_t i = 0;
  for (const Value& plugin : plugins.list()) {
    const Place place = at.at(std::to_string(i++));
    const Value& container = plugin["spec"]["sidecar"]["container"];
    const char* missing = nullptr;
    if (text(plugin["metadata"], "name").empty()) {
      missing = "executor plugin metadata name is mandatory";
    } else if (container["ports"].list().empty()) {
      missing = "at least one port is mandatory";
    } else if (!container["resources"]["requests"].is_map()) {
      missing = "resources requests are mandatory";
    } else if (!container["resources"]["limits"].is_map()) {
      missing = "resources limits are mandatory";
    } else if (!container["securityContext"].is_map()) {
      missing = "security context is mandatory";
    }
    if (missing != nullptr) report(place, fmt::format("spec.executorPlugins: {}", missing));
  }
}

void Validator::declare_globals(const BasePointer& base, const Value& metadata,
                                const BasePointer& referenced, const Value& given) {
  const auto declare = [&](std::string name) {
    global_names_.add(name);
    globals_.set(std::move(name), Value(placeholder()));
  };
  for (const char* name : {"name", "namespace", "mainEntrypoint", "serviceAccountName", "uid",
                           "annotations", "annotations.json", "labels", "labels.json", "status"}) {
    declare(std::string("workflow.") + name);
  }
  const List& parameters = given["parameters"].list();
  if (!parameters.empty()) {
    declare("workflow.parameters");
    declare("workflow.parameters.json");
  }
  for (const Value& p : parameters) {
    const std::string name = fmt::format("workflow.parameters.{}", text(p, "name"));
    declare(name);
    if (p["value"].is_string()) globals_.set(name, p["value"]);
  }
  const auto declare_keys = [&](const Value& map, std::string_view kind) {
    for (const auto& [key, v] : map.map()) declare(fmt::format("workflow.{}.{}", kind, key));
  };
  const auto declare_metadata = [&](const Value& from) {
    declare_keys(from["annotations"], "annotations");
    declare_keys(from["labels"], "labels");
    declare_keys(from["labelsFrom"], "labels");
  };
  declare_metadata(metadata);
  declare_metadata(base->spec["workflowMetadata"]);
  if (referenced) declare_metadata(referenced->spec["workflowMetadata"]);
  if (base->spec["priority"].is_int()) declare("workflow.priority");
  // Argo declares this for onExit only, and behind the entrypoint; hooks see it as well.
  if (base->spec["hooks"].is_map()) declare("workflow.failures");
  if (referenced && referenced->spec["hooks"].is_map()) declare("workflow.failures");
}

void Validator::validate_exit_handler(const BasePointer& base, const BasePointer& referenced) {
  std::string name(text(base->spec, "onExit"));
  if (name.empty() && referenced) name = text(referenced->spec, "onExit");
  if (name.empty()) return;
  global_names_.add("workflow.failures");
  globals_.set("workflow.failures", Value(placeholder()));
  if (exports_by_tag(base->spec) || (referenced && exports_by_tag(referenced->spec))) {
    global_names_.add("workflow.outputs.artifacts.*");
  }
  Place at{base, base->pointer};
  bool is_sound = false;
  // Argo hands the workflow's own arguments over, not the merged ones.
  if (!referenced) {
    Place named = at;
    const std::size_t before = findings_.size();
    holder(call_of(name, {}), named, {.arguments = base->spec["arguments"]}, "", is_sound);
    if (!is_sound && findings_.size() > before) {
      findings_[before].error.at = at.at("onExit").position();
    }
    return;
  }
  holder(call_of(name, base->spec["workflowTemplateRef"]), at,
         {.arguments = base->spec["arguments"]}, "", is_sound);
}

void Validator::validate_spec_rules(const BasePointer& base) {
  const Value& spec = base->spec;
  const Place at{base, base->pointer};
  hooks(spec["hooks"], at.at("hooks"), "", "hooks");
  const std::string_view strategy = text(spec["podGC"], "strategy");
  static const std::vector<std::string_view> kStrategies = {
      "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess"};
  if (!strategy.empty() && std::ranges::find(kStrategies, strategy) == kStrategies.end()) {
    const std::string near = spec::nearest_name(strategy, kStrategies);
    report(at.at("podGC").at("strategy"),
           fmt::format("podGC.strategy unknown strategy '{}'", strategy),
           near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
  }
  if (spec["podGC"]["labelSelector"].is_map()) {
    if (auto s = spec::Selector::from_object(spec["podGC"]["labelSelector"]); !s) {
      report(at.at("podGC").at("labelSelector"),
             "podGC.labelSelector invalid: " + s.error().message);
    }
  }
  if (spec["podResources"].is_map()) {
    pod_resources("spec.podResources", spec["podResources"], at.at("podResources"));
  }
}

void Validator::validate_all_templates(const BasePointer& base, const BasePointer& referenced) {
  const Value& reference = base->spec["workflowTemplateRef"];
  const BasePointer& holder_base = referenced ? referenced : base;
  for (const Value& t : holder_base->spec["templates"].list()) {
    const std::string_view name = text(t, "name");
    if (name.empty()) continue;  // told by the check of names
    bool is_sound = false;
    holder(call_of(name, referenced ? reference : Value()), {base, base->pointer},
           {.is_fake = true}, fmt::format("templates.{} ", name), is_sound);
  }
}

void Validator::workflow(const BasePointer& base, const Value& metadata) {
  const Value& spec = base->spec;
  const Place at{base, base->pointer};
  const std::string_view name = text(metadata, "name");
  if (name.size() > 63 && !options_.is_template) {
    report({base, "/metadata/name"},
           fmt::format("workflow name \"{}\" must not be more than 63 characters long (currently "
                       "{})",
                       name, name.size()));
  }
  BasePointer referenced;
  std::string entrypoint(text(spec, "entrypoint"));
  const Value& reference = spec["workflowTemplateRef"];
  if (reference.is_map()) {
    const Place ref_at = at.at("workflowTemplateRef");
    if (!spec["templates"].list().empty()) {
      report(at.at("templates"),
             "Templates is invalid field in spec if workflow referred WorkflowTemplate reference");
      return;
    }
    const bool is_cluster = reference["clusterScope"].bool_or(false);
    referenced = find_base(is_cluster ? "ClusterWorkflowTemplate" : "WorkflowTemplate",
                           text(reference, "name"));
    if (!referenced) {
      report(ref_at, fmt::format("{}workflowtemplate{}.argoproj.io \"{}\" not found",
                                 is_cluster ? "cluster" : "", options_.is_operated ? "" : "s",
                                 text(reference, "name")));
      return;
    }
    if (entrypoint.empty()) entrypoint = text(referenced->spec, "entrypoint");
  }
  names("spec.templates", spec["templates"], at.at("templates"), false);
  executor_plugins(spec["executorPlugins"], at.at("executorPlugins"));
  const Value given = merged_arguments(spec["arguments"], referenced);
  arguments("spec.arguments.", given, at.at("arguments"), options_.allow_empty_arguments);
  declare_globals(base, metadata, referenced, given);
  if (!options_.ignore_entrypoint && entrypoint.empty()) {
    report(at, "spec.entrypoint is required");
  } else if (!options_.ignore_entrypoint) {
    bool is_sound = false;
    const Supplied supplied{.is_fake = options_.is_template, .arguments = given};
    const std::size_t before = findings_.size();
    holder(call_of(entrypoint, reference), at, supplied, "", is_sound);
    if (!is_sound && findings_.size() > before && !referenced) {
      findings_[before].error.at = at.at("entrypoint").position();
    }
  }
  validate_exit_handler(base, referenced);
  validate_spec_rules(base);
  validate_all_templates(base, referenced);
}

diag::Result<void> validate_workflow(const Value& workflow, const FindStored& find_stored) {
  Validator validator(find_stored, {.is_operated = true});
  validator.name_space = text(workflow["metadata"], "namespace");
  auto base = std::make_shared<Base>(Base{workflow["spec"], "Workflow",
                                          std::string(text(workflow["metadata"], "name")), "/spec",
                                          nullptr});
  validator.workflow(base, workflow["metadata"]);
  if (validator.findings().empty()) return {};
  return std::unexpected(validator.findings().front().error);
}

}  // namespace tiphys::lint
