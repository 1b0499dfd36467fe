#include "cli/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

#include "cli/command.h"
#include "runtime/workflow_defaults.h"
#include "spec/yaml_reader.h"
#include "store/base64.h"
#include "store/secrets.h"

namespace tiphys::cli {

namespace {

using value::Value;

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    const std::string extension = entry.path().extension().string();
    if (entry.path().stem().extension() == ".test") continue;  // for `test`, no manifest
    if (extension == ".yaml" || extension == ".yml" || extension == ".json") {
      files.push_back(entry.path().string());
    }
  }
  std::ranges::sort(files);
  return files;
}

std::string kind_of(const Value& object) { return std::string(object["kind"].string_or("")); }

// Two workflows of one name could not both be stored: that is told before the first one is.
diag::Result<void> check_names(const std::vector<runtime::Submission>& submissions) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const runtime::Submission& s : submissions) {
    const Value& metadata = s.workflow["metadata"];
    const std::string name(metadata["name"].string_or(""));
    if (name.empty()) continue;
    if (!seen.emplace(metadata["namespace"].string_or(""), name).second) {
      return wrong_usage(fmt::format("more than one workflow of the name '{}' is given", name));
    }
  }
  return {};
}

}  // namespace

diag::Result<std::string> read_file(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    return diag::fail(diag::Code::kIo, fmt::format("cannot read '{}': it is a folder", file));
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return diag::fail(diag::Code::kIo,
                      fmt::format("cannot read '{}': no such file, or it may not be read", file));
  }
  return std::string(std::istreambuf_iterator<char>(in), {});
}

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
    const auto found = is_folder ? files_in(given) : std::vector<std::string>{given};
    for (const std::string& file : found) {
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

diag::Result<void> load_parameter_file(Overrides& overrides) {
  if (overrides.parameter_file.empty()) return {};
  TRY(const std::string text, read_file(overrides.parameter_file));
  TRY(const std::vector<std::string> more, read_parameters(text, overrides.parameter_file));
  overrides.parameters.insert(overrides.parameters.end(), more.begin(), more.end());
  overrides.parameter_file.clear();
  return {};
}

diag::Result<void> keep_secret(const Value& secret, const std::string& name_space,
                               const std::string& secrets_path) {
  store::Secrets::Values values;
  const std::string name(secret["metadata"]["name"].string_or(""));
  for (const auto& [key, v] : secret["data"].map()) {
    auto bytes = store::decode_base64(v.string_or(""));
    if (!bytes) {
      return wrong_usage(fmt::format(
          "secret '{}': data.{} is not base64; plain text belongs under stringData", name, key));
    }
    values[key] = std::move(*bytes);
  }
  for (const auto& [key, v] : secret["stringData"].map()) values[key] = v.string_or("");
  std::string where(secret["metadata"]["namespace"].string_or(name_space));
  if (where.empty()) where = "default";
  return store::Secrets(secrets_path).put(where, name, values);
}

std::string space_of(const std::vector<runtime::Submission>& submissions) {
  if (submissions.empty()) return "";
  const Value& metadata = submissions.front().workflow["metadata"];
  return std::string(metadata["namespace"].string_or(""));
}

diag::Result<void> keep_secrets(const Documents& documents, const std::string& name_space,
                                const std::string& secrets_path) {
  for (const spec::Manifest& m : documents.manifests) {
    if (m.kind == "Secret") TRY_VOID(keep_secret(m.object, name_space, secrets_path));
  }
  return {};
}

diag::Result<std::vector<runtime::Submission>> make_submissions(const Documents& documents,
                                                                const Overrides& overrides,
                                                                const std::string& defaults_file) {
  runtime::Submission common;
  if (!defaults_file.empty()) {
    TRY(const std::string text, read_file(defaults_file));
    TRY(common.workflow_defaults, runtime::read_workflow_defaults(text, defaults_file, true));
  }
  std::vector<Value> workflows;
  for (const spec::Manifest& m : documents.manifests) {
    const std::string kind = kind_of(m.object);
    if (kind == "Workflow") workflows.push_back(m.object);
    if (kind == "WorkflowTemplate" || kind == "ClusterWorkflowTemplate") {
      common.templates.push_back(m.object);
    }
    if (kind == "ConfigMap") common.config_maps.push_back(m.object);
    if (kind == "ExecutorPlugin") common.executor_plugins.push_back(m.object);
  }
  if (workflows.empty()) return wrong_usage("no workflow found in given files");
  std::vector<runtime::Submission> submissions;
  for (const Value& workflow : workflows) {
    runtime::Submission submission = common;
    TRY(submission.workflow, apply_overrides(workflow, overrides));
    submissions.push_back(std::move(submission));
  }
  TRY_VOID(check_names(submissions));
  return submissions;
}

}  // namespace tiphys::cli
