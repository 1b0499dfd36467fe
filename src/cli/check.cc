#include "cli/check.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/channels.h"
#include "cli/rules.h"
#include "diag/render.h"
#include "executor/host_paths.h"
#include "runtime/ready_templates.h"
#include "runtime/workflow_defaults.h"
#include "spec/merge.h"
#include "store/secrets.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using value::List;
using value::Map;
using value::Value;

// `all` with what `own` names in front, in the order of the file: so it is found at its place
// there.
Value own_first(const Value& all, const Value& own) {
  const auto name_of = [](const Value& v) { return v["name"].string_or(""); };
  std::map<std::string_view, const Value*> by_name;  // there can be thousands of templates
  for (const Value& v : all.list()) by_name.emplace(name_of(v), &v);
  List ordered;
  std::set<std::string_view> taken;
  for (const Value& v : own.list()) {
    const auto it = by_name.find(name_of(v));
    ordered.push_back(it == by_name.end() ? v : *it->second);
    taken.insert(name_of(v));
  }
  for (const Value& v : all.list()) {
    if (!taken.contains(name_of(v))) ordered.push_back(v);
  }
  return Value(std::move(ordered));
}

Value in_order_of(const Value& changed, const Value& own) {
  Map spec = changed.map();
  Map arguments = changed["arguments"].map();
  for (const char* kind : {"parameters", "artifacts"}) {
    if (arguments.find(kind) == nullptr) continue;
    arguments.set(kind, own_first(changed["arguments"][kind], own["arguments"][kind]));
  }
  if (!arguments.empty()) spec.set("arguments", std::move(arguments));
  for (const char* field : {"templates", "volumes", "volumeClaimTemplates"}) {
    if (spec.find(field) != nullptr) spec.set(field, own_first(changed[field], own[field]));
  }
  return Value(std::move(spec));
}

diag::Result<Value> defaults_for(const spec::Manifest& m, const Documents& documents,
                                 const Opened& state, const std::string& file,
                                 const Session& session) {
  if (!file.empty()) {
    TRY(const std::string text, read_file(file));
    return runtime::read_workflow_defaults(text, file, true);
  }
  std::vector<Value> config_maps;
  for (const spec::Manifest& other : documents.manifests) {
    if (other.kind == "ConfigMap") config_maps.push_back(other.object);
  }
  const std::string space(m.name_space.empty() ? session.space() : m.name_space);
  return runtime::find_workflow_defaults(*state.store, config_maps, space);
}

// The workflows as the flags and the workflowDefaults make them: a parameter that is only given
// there is not missing.
diag::Result<std::vector<spec::Manifest>> completed(const Documents& documents, const Opened& state,
                                                    const Overrides& overrides,
                                                    const std::string& defaults_file,
                                                    const Session& session) {
  std::vector<spec::Manifest> manifests = documents.manifests;
  for (spec::Manifest& m : manifests) {
    if (m.kind != "Workflow") continue;
    TRY(const Value changed, apply_overrides(m.object, overrides));
    TRY(const Value defaults, defaults_for(m, documents, state, defaults_file, session));
    const Value joined = spec::validated_spec(changed["spec"], defaults["spec"]);
    Map object = changed.map();
    object.set("spec", in_order_of(joined, m.object["spec"]));
    m.object = Value(std::move(object));
    m.name = m.object["metadata"]["name"].string_or("");
  }
  return manifests;
}

// The keys of Secrets and ConfigMaps, those in the files first. Values are not looked at.
lint::FindKeys key_finder(const Documents& documents, const Opened& state, const Session& session) {
  return [&documents, &state, &session](
             std::string_view kind, std::string_view name) -> std::optional<std::set<std::string>> {
    std::set<std::string> keys;
    for (const spec::Manifest& m : documents.manifests) {
      if (m.kind != kind || m.name != name) continue;
      for (const char* field : {"data", "stringData", "binaryData"}) {
        for (const auto& [key, v] : m.object[field].map()) keys.insert(key);
      }
      return keys;
    }
    if (kind == "Secret") {
      auto all = store::Secrets(state.config.secrets_path()).list(session.space());
      for (const store::SecretInfo& info : all.value_or(std::vector<store::SecretInfo>())) {
        if (info.name == name) return std::set<std::string>(info.keys.begin(), info.keys.end());
      }
      return std::nullopt;
    }
    auto row = state.store->find_object(kind, session.space(), name);
    auto object = row ? value::parse_json(row->json) : value::Value();
    if (!row || !object) return std::nullopt;
    for (const auto& [key, v] : (*object)["data"].map()) keys.insert(key);
    return keys;
  };
}

// Lines of a file with a Secret are never shown: they may hold its values.
bool has_secret(std::string_view text) {
  static const RE2 kSecret(R"re((?m)["']?kind["']?\s*:\s*["']?Secret\b)re");
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), kSecret);
}

}  // namespace

lint::FindStored stored_finder(store::Store& store, std::string name_space) {
  return [&store, own = std::move(name_space)](
             std::string_view kind, std::string_view space,
             std::string_view name) -> std::optional<value::Value> {
    return runtime::find_template(store, kind, space.empty() ? std::string_view(own) : space, name);
  };
}

lint::HostPathProblem host_path_problem(const runtime::Config& config) {
  if (config.executor == executor::ExecutorKind::kKubernetes) return {};  // its nodes have others
  return [list = config.host_paths](const std::string& path) -> std::string {
    const auto allowed = executor::allowed_host_path(path, list);
    return allowed ? "" : allowed.error().message;
  };
}

std::optional<std::string_view> text_of(const Documents& documents, const std::string& file) {
  for (const Source& s : documents.sources) {
    if (s.file == file && !has_secret(s.text)) return s.text;
  }
  return std::nullopt;
}

diag::Result<void> check_documents(Documents& documents, const Opened& state,
                                   const Overrides& overrides, const Session& session,
                                   const std::string& defaults_file) {
  if (!documents.has_errors()) {
    TRY(const auto manifests, completed(documents, state, overrides, defaults_file, session));
    const bool is_run =
        std::ranges::any_of(manifests, [](const auto& m) { return m.kind == "Workflow"; });
    for (diag::Diagnostic& d :
         lint::check({.manifests = manifests,
                      .find_stored = stored_finder(*state.store, session.space()),
                      .options = {.is_run = is_run,
                                  .has_cluster =
                                      state.config.executor == executor::ExecutorKind::kKubernetes,
                                  .host_path_problem = host_path_problem(state.config),
                                  .find_keys = key_finder(documents, state, session)}})) {
      documents.findings.push_back(std::move(d));
    }
    for (diag::Diagnostic& d :
         rule_findings(documents, state.store.get(), session.space(), is_run)) {
      documents.findings.push_back(std::move(d));
    }
    for (diag::Diagnostic& d : plain_secrets(documents)) {
      documents.findings.push_back(std::move(d));
    }
    for (diag::Diagnostic& d :
         missing_secrets(documents, state.config.secrets_path(), session.space())) {
      documents.findings.push_back(std::move(d));
    }
  }
  const bool color = session.color() && isatty(STDERR_FILENO) == 1;
  fmt::print(stderr, "{}",
             diag::render_all(documents.findings,
                              [&](const std::string& file) { return text_of(documents, file); },
                              {.color = color}));
  if (!documents.has_errors()) return {};
  return wrong_usage("the manifests have errors; nothing was done");
}

diag::Result<void> check_given(const Value& workflow, const std::vector<spec::Manifest>& templates,
                               store::Store& store, const Overrides& overrides,
                               const Session& session) {
  if (overrides.parameters.empty()) return {};
  const lint::FindStored stored = stored_finder(store, session.space());
  const auto find = [&](std::string_view kind, std::string_view name_space,
                        std::string_view name) -> std::optional<Value> {
    const auto it = std::ranges::find_if(
        templates, [&](const auto& m) { return m.kind == kind && m.name == name; });
    return it == templates.end() ? stored(kind, name_space, name) : it->object;
  };
  TRY(const Value changed, apply_overrides(workflow, overrides));
  const std::string_view space = changed["metadata"]["namespace"].string_or("");
  for (const lint::OutsideOfEnum& o : lint::outside_of_enums(changed["spec"], space, find)) {
    const bool is_given = std::ranges::any_of(overrides.parameters, [&](const std::string& given) {
      return given.starts_with(o.name + "=");
    });
    if (is_given) return wrong_usage(fmt::format("-p {}: {}", o.name, o.message));
  }
  return {};
}

diag::Result<void> check_given(const Documents& documents, store::Store& store,
                               const Overrides& overrides, const Session& session) {
  for (const spec::Manifest& m : documents.manifests) {
    if (m.kind != "Workflow") continue;
    TRY_VOID(check_given(m.object, documents.manifests, store, overrides, session));
  }
  return {};
}

std::string why_invalid(const Value& workflow, const Value& defaults, store::Store& store) {
  const std::string space(workflow["metadata"]["namespace"].string_or("default"));
  Map object = workflow.map();
  object.set("spec", spec::validated_spec(workflow["spec"], defaults["spec"]));
  auto valid = lint::validate_workflow(Value(std::move(object)), stored_finder(store, space));
  return valid ? "" : valid.error().message;
}

diag::Result<void> complete(std::vector<runtime::Submission>& submissions, store::Store& store,
                            const Session& session) {
  const lint::FindStored stored = stored_finder(store, session.space());
  for (runtime::Submission& s : submissions) {
    if (s.workflow_defaults.is_null()) {
      std::string space(s.workflow["metadata"]["namespace"].string_or(session.space()));
      TRY(s.workflow_defaults, runtime::find_workflow_defaults(store, s.config_maps, space));
    }
    auto find = [&](std::string_view kind, std::string_view name_space,
                    std::string_view name) -> std::optional<value::Value> {
      for (const value::Value& t : s.templates) {
        const bool is_it =
            t["kind"].string_or("") == kind && t["metadata"]["name"].string_or("") == name;
        if (is_it) return t;
      }
      return stored(kind, name_space, name);
    };
    value::Map object = s.workflow.map();
    object.set("spec", spec::validated_spec(s.workflow["spec"], s.workflow_defaults["spec"]));
    if (auto valid = lint::validate_workflow(value::Value(std::move(object)), find); !valid)
      s.invalid = valid.error().message;
  }
  return {};
}

}  // namespace tiphys::cli
