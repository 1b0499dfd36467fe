#include "kube/pod_outcome.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "executor/artifacts.h"
#include "executor/outputs.h"
#include "executor/path_words.h"
#include "executor/pod_plan.h"
#include "executor/view.h"
#include "kube/artifact_leaves.h"
#include "kube/pod_container.h"
#include "step/contract.h"
#include "step/files.h"

namespace tiphys::kube {
namespace {

using executor::Outcome;
using executor::Task;

constexpr std::string_view kMain = "main";

// The image's files are the pod's: the layer here is a folder that is never made, since without any
// layer this machine's files would be seen.
diag::Result<executor::View> make_view(const Task& task, const char* folder) {
  const std::string scratch = fmt::format("{}/{}", task.work_path, folder);
  return executor::View::make_in_image(
      {.scratch = scratch, .layers = {scratch + "/image"}, .volumes = {}, .working_folder = "/"});
}

diag::Result<void> place_files(const executor::View& view, std::vector<step::FileEntry> files) {
  for (step::FileEntry& file : files) {
    if (!file.path.starts_with('/')) file.path.insert(0, "/");
    TRY(file.path, view.place_for(executor::clean_path(file.path)));
  }
  return step::place(files);
}

Outcome failed(Outcome::Phase phase, std::string message, const ContainerEnd* end) {
  Outcome outcome;
  outcome.phase = phase;
  outcome.message = std::move(message);
  if (end != nullptr) {
    outcome.started_at = end->started_at;
    outcome.finished_at = end->finished_at;
    outcome.exit_code = end->exit_code;
  }
  return outcome;
}

// Also of what was killed or evicted: what it said until then is what people look for. `has` has
// its log in the outcome.
void add_logs(const Task& task, const PodView& view, const ContainerEnd* has,
              const executor::Lookup& lookup, const std::string& artifact_root, Outcome& outcome) {
  if (!task.template_body["archiveLocation"]["archiveLogs"].bool_or(false)) return;
  value::List logs;
  for (const std::string& name : containers_of(task.template_body).mains) {
    const auto end = std::ranges::find(view.mains, name, &ContainerEnd::name);
    const bool has_begun = end != view.mains.end() && end->started_at.is_set();
    if (has != nullptr && has->name == name) continue;
    Task named = task;
    named.container = name;
    named.log_path = executor::container_log_path(task.log_path, name);
    if (!has_begun && ::access(named.log_path.c_str(), F_OK) != 0) continue;
    logs.push_back(executor::save_log_artifact(named, lookup, artifact_root));
  }
  executor::add_artifacts(outcome, std::move(logs));
}

executor::ContainerOutcome container_outcome(const ContainerEnd& end) {
  executor::ContainerOutcome outcome{.name = end.name, .phase = "Succeeded", .message = {}};
  if (end.exit_code == 0) return outcome;
  outcome.phase = end.exit_code == step::kExitNotStarted ? "Error" : "Failed";
  // Argo puts the termination message behind a colon even when there is none.
  outcome.message = exit_text(end) + ": " + own_message(end);
  return outcome;
}

executor::wire::Exit exit_of(const Task& task, const ContainerEnd& end,
                             const step::Report& report) {
  executor::wire::Exit exit;
  exit.key = task.key;
  exit.started_at = report.started_at != 0 ? report.started_at : end.started_at.ns;
  exit.finished_at = report.finished_at != 0 ? report.finished_at : end.finished_at.ns;
  exit.wait_status = (end.exit_code & 0xFF) << 8U;
  if (report.exec_error != 0) {
    exit.failure = executor::wire::Failure::kExec;
    exit.error = report.exec_error;
  }
  if (report.result) exit.stdout_tail = *report.result;
  return exit;
}

// Making and removing folders costs more than all the rest of a pod's end.
diag::Result<executor::View> view_of_outputs(const Task& task, const step::Report& report) {
  const value::Value& outputs = task.template_body["outputs"];
  const bool has_none = report.files.empty() && outputs["parameters"].list().empty() &&
                        outputs["artifacts"].list().empty();
  if (has_none) return executor::View();
  return make_view(task, "out");
}

bool is_sent(const value::Value& artifact, const step::Report& report) {
  return std::ranges::find(report.sent, artifact["name"].string_or("")) != report.sent.end();
}

// A task with only some of its artifacts, inputs or outputs.
Task with_artifacts(const Task& task, const char* side, value::List artifacts) {
  Task made = task;
  value::Map body = task.template_body.map();
  value::Map sides = task.template_body[side].map();
  sides.set("artifacts", std::move(artifacts));
  body.set(side, std::move(sides));
  made.template_body = std::move(body);
  return made;
}

// Those that the pod has sent itself come first.
void add_sent(const Task& task, const step::Report& report, Outcome& outcome) {
  value::List all;
  for (const value::Value& artifact : task.template_body["outputs"]["artifacts"].list()) {
    if (is_sent(artifact, report)) all.push_back(executor::with_location(artifact, task));
  }
  if (all.empty()) return;
  value::Map outputs = outcome.outputs.map();
  const value::List& others = outcome.outputs["artifacts"].list();
  all.insert(all.end(), others.begin(), others.end());
  outputs.set("artifacts", std::move(all));
  outcome.outputs = std::move(outputs);
}

Outcome outcome_by_report(const Task& task, const ContainerEnd& end, const step::Report& report,
                          const executor::Lookup& lookup, const std::string& artifact_root) {
  auto view = view_of_outputs(task, report);
  auto placed =
      view ? place_files(*view, report.files) : diag::Result<void>(std::unexpected(view.error()));
  if (!placed) return failed(Outcome::Phase::kError, placed.error().message, &end);
  value::List left;  // those that are still to be saved
  for (const value::Value& artifact : task.template_body["outputs"]["artifacts"].list()) {
    if (!is_sent(artifact, report)) left.push_back(artifact);
  }
  Task named = report.sent.empty() ? task : with_artifacts(task, "outputs", std::move(left));
  named.container = end.name;
  named.log_path = executor::container_log_path(task.log_path, end.name);
  Outcome outcome =
      executor::collect_outcome(named, *view, exit_of(task, end, report), lookup, artifact_root);
  add_sent(task, report, outcome);
  if (end.exit_code != 0 && end.reason != "Error" && report.exec_error == 0) {
    outcome.message = exit_text(end);
  }
  if (end.exit_code != 0 && !report.message.empty()) outcome.message += ": " + report.message;
  if (end.exit_code == 0 && !report.problem.empty()) {
    outcome.phase = Outcome::Phase::kError;
    outcome.message = "wait: Error (exit code 64): " + report.problem;
  }
  return outcome;
}

// `small`: S3 objects with more bytes are fetched by the pod.
diag::Result<std::vector<PodInput>> try_to_load(const Task& task, const executor::Lookup& lookup,
                                                const std::string& artifact_root,
                                                std::int64_t small) {
  std::vector<PodInput> inputs;
  value::List here;
  for (const value::Value& artifact : task.template_body["inputs"]["artifacts"].list()) {
    PodInput input{.name = std::string(artifact["name"].string_or("")),
                   .path = executor::clean_path(artifact["path"].string_or("/")),
                   .files = {}};
    input.transfers = transfers_of_input(task, artifact, small, lookup);
    if (input.transfers.empty()) here.push_back(artifact);
    inputs.push_back(std::move(input));
  }
  TRY(const executor::View view, make_view(task, "in"));
  TRY_VOID(executor::load_input_artifacts(with_artifacts(task, "inputs", std::move(here)), view,
                                          lookup, artifact_root));
  std::size_t left = step::kFilesMax;
  for (PodInput& input : inputs) {
    if (!input.transfers.empty()) continue;
    const std::string real = view.real_path(input.path);
    if (!real.empty()) TRY_VOID(step::collect(real, input.path, left, input.files));
  }
  std::erase_if(inputs, [](const auto& i) { return i.files.empty() && i.transfers.empty(); });
  return inputs;
}

std::size_t size_of(const std::vector<PodInput>& inputs) {
  std::size_t all = 0;
  for (const PodInput& input : inputs) {
    for (const step::FileEntry& file : input.files) all += file.path.size() + file.text.size();
  }
  return all;
}

}  // namespace

diag::Result<std::vector<PodInput>> load_inputs(const Task& task, const executor::Lookup& lookup,
                                                const std::string& artifact_root) {
  if (task.template_body["inputs"]["artifacts"].list().empty()) return std::vector<PodInput>();
  auto inputs = try_to_load(task, lookup, artifact_root, step::kSmall);
  if (inputs && size_of(*inputs) <= kInputsMax / 4 * 3) return inputs;
  // What is small as it is packed need not be so when it is unpacked.
  return try_to_load(task, lookup, artifact_root, -1);
}

const ContainerEnd* output_container(const PodView& view) {
  if (view.mains.empty()) return nullptr;
  const auto main = std::ranges::find(view.mains, kMain, &ContainerEnd::name);
  return main == view.mains.end() ? &view.mains.back() : &*main;
}

Outcome outcome_of(const Task& task, const PodView& view, const std::string& report_text,
                   const executor::Lookup& lookup, const std::string& artifact_root) {
  const ContainerEnd* const end = output_container(view);
  if (!view.problem.empty() || end == nullptr) {
    const auto phase = view.is_error ? Outcome::Phase::kError : Outcome::Phase::kFailed;
    Outcome outcome = failed(phase, view.problem, end);
    // What main has left before a sidecar failed is the step's.
    const bool is_good = end != nullptr && end->exit_code == 0;
    const auto report = step::decode(is_good ? report_text : "");
    if (report) {
      outcome.outputs = outcome_by_report(task, *end, *report, lookup, artifact_root).outputs;
    }
    add_logs(task, view, report ? end : nullptr, lookup, artifact_root, outcome);
    return outcome;
  }
  const auto report = step::decode(report_text);
  Outcome outcome;
  if (report) {
    outcome = outcome_by_report(task, *end, *report, lookup, artifact_root);
  } else {
    outcome = end->exit_code == 0
                  ? failed(Outcome::Phase::kError,
                           fmt::format("{}: its outputs could not be read", end->name), end)
                  : failed(Outcome::Phase::kFailed, blame(*end), end);
  }
  add_logs(task, view, report ? end : nullptr, lookup, artifact_root, outcome);
  if (!task.template_body["containerSet"].is_map()) return outcome;
  if (end->name != kMain) outcome.exit_code.reset();  // as Argo, which looks at `main` alone
  for (const ContainerEnd& each : view.mains) {
    outcome.containers.push_back(container_outcome(each));
    if (each.exit_code == 0 || outcome.phase != Outcome::Phase::kSucceeded) continue;
    outcome.phase = Outcome::Phase::kFailed;
    outcome.message = blame(each);
  }
  return outcome;
}

Outcome deleted_outcome(const Task& task, const PodView& view, clock::Instant at,
                        const executor::Lookup& lookup, const std::string& artifact_root) {
  Outcome outcome = executor::error_outcome("pod deleted", at);
  add_logs(task, view, nullptr, lookup, artifact_root, outcome);
  return outcome;
}

}  // namespace tiphys::kube
