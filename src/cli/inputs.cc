#include "cli/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "spec/yaml_reader.h"
#include "store/base64.h"
#include "store/secrets.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using value::List;
using value::Map;
using value::Value;

diag::Result<std::string> read_file(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return diag::fail(diag::Code::kIo,
                      fmt::format("cannot read '{}': no such file, or it may not be read", file));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".yaml" || extension == ".yml" || extension == ".json")
      files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

std::string kind_of(const Value& object) { return std::string(object["kind"].string_or("")); }

// `a=b,c=d` into a map.
diag::Result<Map> parse_labels(const std::string& text) {
  Map labels;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view pair = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    const std::size_t eq = pair.find('=');
    if (eq == std::string_view::npos) {
      return diag::fail(
          diag::Code::kInvalidManifest,
          fmt::format("expected labels of the form: NAME1=VALUE2,NAME2=VALUE2. Received: {}",
                      text));
    }
    labels.set(std::string(pair.substr(0, eq)), pair.substr(eq + 1));
  }
  return labels;
}

void set_parameter(List& parameters, std::string_view name, const Value& v) {
  for (Value& p : parameters) {
    if (p["name"].string_or("") != name) continue;
    Map changed = p.map();
    changed.set("value", v);
    changed.erase("valueFrom");
    p = std::move(changed);
    return;
  }
  parameters.emplace_back(Map{{"name", name}, {"value", v}});
}

// A parameter's value is text; what a parameter file gives otherwise is its JSON.
Value as_text(const Value& v) { return v.is_string() ? v : Value(value::to_json(v)); }

diag::Result<Map> with_parameters(Map spec, const Overrides& overrides) {
  if (overrides.parameters.empty() && overrides.parameter_file.empty()) return spec;
  const Value* given = spec.find("arguments");
  Map arguments = given == nullptr ? Map() : given->map();
  const Value* declared = arguments.find("parameters");
  List parameters = declared == nullptr ? List() : declared->list();
  if (!overrides.parameter_file.empty()) {
    TRY(const std::string text, read_file(overrides.parameter_file));
    TRY(const spec::YamlDocument document,
        spec::read_yaml(text, {.file = overrides.parameter_file}));
    for (const auto& [name, v] : document.value.map()) set_parameter(parameters, name, as_text(v));
  }
  for (const std::string& pair : overrides.parameters) {
    const std::size_t eq = pair.find('=');
    if (eq == std::string::npos) {
      return diag::fail(
          diag::Code::kInvalidManifest,
          fmt::format("expected parameter of the form: NAME=VALUE. Received: {}", pair));
    }
    set_parameter(parameters, pair.substr(0, eq), pair.substr(eq + 1));
  }
  arguments.set("parameters", std::move(parameters));
  spec.set("arguments", std::move(arguments));
  return spec;
}

Value with_namespace(const Value& object, const std::string& name_space) {
  if (name_space.empty()) return object;
  Map changed = object.map();
  Map metadata = object["metadata"].map();
  metadata.set("namespace", name_space);
  changed.set("metadata", std::move(metadata));
  return changed;
}

}  // namespace

bool Documents::has_errors() const {
  return std::ranges::any_of(
      findings, [](const diag::Diagnostic& d) { return d.severity == diag::Severity::kError; });
}

diag::Result<Documents> read_documents(const std::vector<std::string>& files,
                                       spec::UnknownFields unknown) {
  Documents documents;
  for (const std::string& given : files) {
    std::error_code error;
    const bool is_folder = std::filesystem::is_directory(given, error);
    for (const std::string& file : is_folder ? files_in(given) : std::vector<std::string>{given}) {
      TRY(std::string text, read_file(file));
      const std::string shown = file == "-" ? "stdin" : file;
      for (spec::Manifest& m : spec::load_manifests(text, shown, documents.findings, unknown)) {
        documents.manifests.push_back(std::move(m));
      }
      documents.sources.push_back({.file = shown, .text = std::move(text)});
    }
  }
  return documents;
}

diag::Result<Value> apply_overrides(const Value& workflow, const Overrides& overrides) {
  Map object = with_namespace(workflow, overrides.name_space).map();
  Map metadata = object.find("metadata") == nullptr ? Map() : object.find("metadata")->map();
  if (!overrides.generate_name.empty()) {
    metadata.set("generateName", overrides.generate_name);
    metadata.erase("name");
  }
  if (!overrides.name.empty()) metadata.set("name", overrides.name);
  if (!overrides.labels.empty()) {
    TRY(const Map labels, parse_labels(overrides.labels));
    const Value* have = metadata.find("labels");
    Map merged = have == nullptr ? Map() : have->map();
    for (const auto& [key, v] : labels) merged.set(key, v);
    metadata.set("labels", std::move(merged));
  }
  if (!overrides.scheduled_time.empty()) {
    const Value* have = metadata.find("annotations");
    Map annotations = have == nullptr ? Map() : have->map();
    annotations.set("workflows.argoproj.io/scheduled-time", overrides.scheduled_time);
    metadata.set("annotations", std::move(annotations));
  }
  TRY(Map spec, with_parameters(workflow["spec"].map(), overrides));
  if (!overrides.entrypoint.empty()) spec.set("entrypoint", overrides.entrypoint);
  if (!overrides.service_account.empty()) spec.set("serviceAccountName", overrides.service_account);
  if (overrides.priority) spec.set("priority", *overrides.priority);
  object.set("metadata", std::move(metadata));
  object.set("spec", std::move(spec));
  return Value(std::move(object));
}

diag::Result<void> keep_secret(const Value& secret, const std::string& name_space,
                               const std::string& secrets_path) {
  store::Secrets::Values values;
  const std::string name(secret["metadata"]["name"].string_or(""));
  for (const auto& [key, v] : secret["data"].map()) {
    auto bytes = store::decode_base64(v.string_or(""));
    if (!bytes) {
      return diag::fail(
          diag::Code::kInvalidManifest,
          fmt::format("secret '{}': data.{} is not base64; plain text belongs under stringData",
                      name, key));
    }
    values[key] = std::move(*bytes);
  }
  for (const auto& [key, v] : secret["stringData"].map()) values[key] = v.string_or("");
  std::string where(secret["metadata"]["namespace"].string_or(name_space));
  if (where.empty()) where = "default";
  return store::Secrets(secrets_path).put(where, name, values);
}

diag::Result<std::vector<runtime::Submission>> make_submissions(const Documents& documents,
                                                                const Overrides& overrides,
                                                                const std::string& defaults_file,
                                                                const std::string& secrets_path) {
  runtime::Submission common;
  if (!defaults_file.empty()) {
    TRY(const std::string text, read_file(defaults_file));
    TRY(const spec::YamlDocument document, spec::read_yaml(text, {.file = defaults_file}));
    common.workflow_defaults = document.value;
  }
  std::vector<Value> workflows;
  for (const spec::Manifest& m : documents.manifests) {
    const std::string kind = kind_of(m.object);
    if (kind == "Workflow") workflows.push_back(m.object);
    if (kind == "WorkflowTemplate" || kind == "ClusterWorkflowTemplate")
      common.templates.push_back(m.object);
    if (kind == "ConfigMap") common.config_maps.push_back(m.object);
    if (kind == "Secret") TRY_VOID(keep_secret(m.object, overrides.name_space, secrets_path));
  }
  if (workflows.empty())
    return diag::fail(diag::Code::kInvalidManifest, "no workflow found in given files");
  std::vector<runtime::Submission> submissions;
  for (const Value& workflow : workflows) {
    runtime::Submission submission = common;
    TRY(submission.workflow, apply_overrides(workflow, overrides));
    submissions.push_back(std::move(submission));
  }
  return submissions;
}

}  // namespace tiphys::cli
