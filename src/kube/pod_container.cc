#include "kube/pod_container.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "clock/go_duration.h"
#include "executor/path_words.h"
#include "expr/base64.h"
#include "kube/image_command.h"
#include "spec/node_id.h"
#include "step/contract.h"

namespace tiphys::kube {
namespace {

using value::List;
using value::Map;
using value::Value;

constexpr std::size_t kVariableMax = std::size_t{100} << 10U;  // the kernel takes 128 KiB

Value variable(std::string name, std::string text) {
  return Map{{"name", std::move(name)}, {"value", std::move(text)}};
}

void add_numbered(List& variables, const char* name, const std::vector<std::string>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    variables.push_back(variable(fmt::format("{}{}", name, i), values[i]));
  }
}

// The transfers, and the certificates that they trust, each once.
void add_transfers(List& variables, const char* name, std::vector<PodTransfer> transfers) {
  std::vector<std::string> texts;
  std::vector<std::string> trusted;
  for (PodTransfer& one : transfers) {
    if (!one.certificates.empty()) {
      const auto known = std::ranges::find(trusted, one.certificates);
      one.transfer.trusted = static_cast<int>(known - trusted.begin());
      if (known == trusted.end()) trusted.push_back(one.certificates);
    }
    texts.push_back(literal(step::encode_transfer(one.transfer)));
  }
  add_numbered(variables, name, texts);
  add_numbered(variables, step::kTrusted, trusted);
}

Value mount(std::string path, std::string part = "") {
  Map m{{"name", step::kVolume}, {"mountPath", std::move(path)}};
  if (!part.empty()) m.set("subPath", std::move(part));
  return m;
}

void append(List& list, const Value& more) {
  list.insert(list.end(), more.list().begin(), more.list().end());
}

}  // namespace

const Value& ContainerFactory::main_body() const {
  const Value& container = task_.template_body["container"];
  return container.is_map() ? container : task_.template_body["script"];
}

// As in Argo, a script without a source is a container.
bool ContainerFactory::has_source() const {
  return !task_.template_body["script"]["source"].string_or("").empty();
}

bool ContainerFactory::is_on_volume(std::string_view path) const {
  const std::string clean = executor::clean_path(path);
  for (const Value& m : main_body()["volumeMounts"].list()) {
    if (executor::is_below(clean, executor::clean_path(m["mountPath"].string_or("/")))) return true;
  }
  return false;
}

std::string ContainerFactory::place_of(const PodInput& input) const {
  const std::string clean = executor::clean_path(input.path);
  if (is_on_volume(clean)) return step::kMainFiles + clean;
  return fmt::format("{}/{}/{}", step::kSharedFolder, step::kInputsPart, input.name);
}

std::vector<step::FileEntry> ContainerFactory::brought_files() const {
  std::vector<step::FileEntry> files;
  if (has_source()) {
    files.push_back({.path = fmt::format("{}/{}/script", step::kSharedFolder, step::kScriptPart),
                     .mode = 0755,
                     .text = std::string(main_body()["source"].string_or(""))});
  }
  for (const PodInput& input : inputs_) {
    const std::string clean = executor::clean_path(input.path);
    const std::string place = place_of(input);
    for (const step::FileEntry& file : input.files) {
      files.push_back(file);
      files.back().path = place + file.path.substr(clean.size());
    }
  }
  return files;
}

diag::Result<Value> ContainerFactory::bringer() const {
  const std::string packed = expr::base64_encode(step::encode_files(brought_files()));
  if (packed.size() > kInputsMax) {
    return diag::fail(
        diag::Code::kConflict,
        fmt::format("init: the inputs of pod {} take {} KiB, and a pod can be given "
                    "{}: keep large artifacts in an S3 server, from which pods fetch them",
                    task_.pod_name, packed.size() >> 10U, kInputsMax >> 10U));
  }
  List variables;
  for (std::size_t at = 0; at < packed.size(); at += kVariableMax) {
    variables.push_back(variable(fmt::format("{}{}", step::kInput, variables.size()),
                                 packed.substr(at, kVariableMax)));
  }
  std::vector<PodTransfer> transfers;
  for (const PodInput& input : inputs_) {
    for (PodTransfer one : input.transfers) {
      const std::size_t own = executor::clean_path(input.path).size();
      one.transfer.path = place_of(input) + one.transfer.path.substr(own);
      transfers.push_back(std::move(one));
    }
  }
  List command{"/tiphys-step", "init"};
  if (!transfers.empty() || !settings_.sends.empty()) command.emplace_back("transfers");
  add_transfers(variables, step::kFetch, std::move(transfers));
  List mounts{mount(step::kSharedFolder)};
  for (const Value& m : main_body()["volumeMounts"].list()) {
    Map below = m.map();
    below.set("mountPath", step::kMainFiles + executor::clean_path(m["mountPath"].string_or("/")));
    below.set("readOnly", false);
    if (!inputs_.empty()) mounts.push_back(std::move(below));
  }
  return Value(Map{{"name", kBringer},
                   {"image", settings_.step_image},
                   {"command", std::move(command)},
                   {"env", std::move(variables)},
                   {"volumeMounts", std::move(mounts)},
                   {"securityContext", Map{{"allowPrivilegeEscalation", false},
                                           {"capabilities", Map{{"drop", List{"ALL"}}}}}}});
}

Value ContainerFactory::init_container(const Value& c) const {
  Map made = c.map();
  List mounts = c["volumeMounts"].list();
  if (c["mirrorVolumeMounts"].bool_or(false)) append(mounts, main_body()["volumeMounts"]);
  if (!mounts.empty()) made.set("volumeMounts", std::move(mounts));
  made.erase("mirrorVolumeMounts");
  return made;
}

diag::Result<Map> ContainerFactory::under_step(const Value& c, const std::string& name,
                                               List variables) const {
  Map made = c.map();
  for (const char* own : {"source", "dependencies", "mirrorVolumeMounts"}) made.erase(own);
  List command{step::kProgram, "run", "--"};
  if (!c["command"].list().empty()) {
    append(command, c["command"]);
  } else {
    TRY(const std::vector<std::string> words, image_words(c, settings_.images));
    command.insert(command.end(), words.begin(), words.end());
    made.erase("args");  // they are among the words
  }
  made.set("name", name);
  made.set("command", std::move(command));
  variables.push_back(variable(step::kContainer, name));
  variables.push_back(variable(step::kNonce, nonce_of(task_)));
  variables.push_back(variable("ARGO_CONTAINER_NAME", name));
  variables.push_back(variable("ARGO_NODE_ID", spec::node_id(task_.workflow, task_.node_name)));
  variables.push_back(
      variable("ARGO_INCLUDE_SCRIPT_OUTPUT", task_.wants_result ? "true" : "false"));
  variables.push_back(variable("ARGO_WORKFLOW_NAME", task_.workflow));
  variables.push_back(variable("ARGO_POD_NAME", task_.pod_name));
  variables.push_back(variable("ARGO_PROGRESS_FILE", step::kProgressFile));
  append(variables, c["env"]);  // last: the user's own win
  made.set("env", std::move(variables));
  List mounts{mount(step::kSharedFolder)};
  append(mounts, c["volumeMounts"]);
  made.set("volumeMounts", std::move(mounts));
  return made;
}

void ContainerFactory::add_outputs(List& variables) const {
  std::vector<std::string> paths;
  const Value& outputs = task_.template_body["outputs"];
  for (const Value& parameter : outputs["parameters"].list()) {
    paths.emplace_back(parameter["valueFrom"]["path"].string_or(""));
  }
  for (const Value& artifact : outputs["artifacts"].list()) {
    const Value& name = artifact["name"];
    const auto sent = std::ranges::find(settings_.sends, name.string_or(""),
                                        [](const auto& s) { return s.transfer.artifact; });
    if (sent == settings_.sends.end()) paths.emplace_back(artifact["path"].string_or(""));
  }
  std::erase(paths, "");
  for (std::string& path : paths) path = literal(path);
  add_numbered(variables, step::kOutput, paths);
  add_transfers(variables, step::kSend, settings_.sends);
  if (task_.wants_result) variables.push_back(variable(step::kWantsResult, "true"));
}

void ContainerFactory::mount_inputs(List& mounts) const {
  for (const PodInput& input : inputs_) {
    if (is_on_volume(input.path)) continue;
    if (input.files.empty() && input.transfers.empty()) continue;
    mounts.push_back(mount(executor::clean_path(input.path),
                           fmt::format("{}/{}", step::kInputsPart, input.name)));
  }
}

diag::Result<Value> ContainerFactory::main() const {
  List variables;
  add_outputs(variables);
  const bool is_script = has_source();
  Map body = main_body().map();
  if (is_script) {
    List args = main_body()["args"].list();
    args.emplace_back(step::kScript);
    body.set("args", std::move(args));
  }
  TRY(Map made, under_step(body, names_.mains.front(), std::move(variables)));
  List mounts = made.find("volumeMounts")->list();
  mount_inputs(mounts);
  if (is_script) mounts.push_back(mount("/argo/staging", step::kScriptPart));
  made.set("volumeMounts", std::move(mounts));
  return Value(std::move(made));
}

diag::Result<Value> ContainerFactory::main_of_set(const Value& c) const {
  const std::string name(c["name"].string_or(""));
  List variables;
  // as in Argo: what the container `main` leaves is what the template gives
  if (name == "main") add_outputs(variables);
  std::vector<std::string> after;
  for (const Value& d : c["dependencies"].list()) after.emplace_back(d.string_or(""));
  add_numbered(variables, step::kAfter, after);
  const Value& retry = task_.template_body["containerSet"]["retryStrategy"];
  if (const Value& retries = retry["retries"]; !retries.is_null()) {
    const std::string text =
        retries.is_int() ? std::to_string(retries.as_int()) : std::string(retries.string_or("1"));
    variables.push_back(variable(step::kAttempts, text));
    if (const auto pause = clock::parse_duration(retry["duration"].string_or("0s"))) {
      variables.push_back(variable(step::kPause, std::to_string(pause->ns)));
    }
  }
  TRY(Map made, under_step(c, name, std::move(variables)));
  List mounts = made.find("volumeMounts")->list();
  append(mounts, task_.template_body["containerSet"]["volumeMounts"]);
  mount_inputs(mounts);
  made.set("volumeMounts", std::move(mounts));
  return Value(std::move(made));
}

diag::Result<Value> ContainerFactory::sidecar(const Value& c) const {
  List variables;
  add_numbered(variables, step::kUntil, names_.mains);
  Map body = c.map();
  if (c["mirrorVolumeMounts"].bool_or(false)) {
    List mounts = c["volumeMounts"].list();
    append(mounts, main_body()["volumeMounts"]);
    body.set("volumeMounts", std::move(mounts));
  }
  TRY(Map made, under_step(body, std::string(c["name"].string_or("")), std::move(variables)));
  return Value(std::move(made));
}

}  // namespace tiphys::kube
