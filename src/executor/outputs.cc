#include "executor/outputs.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "executor/artifacts.h"
#include "executor/path_words.h"
#include "executor/preparation.h"

namespace tiphys::executor {
namespace {

constexpr std::size_t kResultMax = 256U << 10U;
constexpr int kExitNotStarted = 64;  // Argo's emissary

std::string go_error(int error) {
  std::string text = std::strerror(error);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] | 32);
  return text;
}

std::string working_folder(const Task& task) {
  const std::string own = task.work_path + "/wd";
  return std::string(main_container(task.template_body)["workingDir"].string_or(own));
}

// What Argo's emissary says when it cannot start the program.
std::string not_started_text(const std::string& word, int error) {
  if (word.find('/') == std::string::npos) {
    if (error == ENOENT || error == EACCES) {  // Go passes over what it may not run
      return fmt::format(
          "failed to find name in PATH: exec: \"{}\": executable file not found in $PATH", word);
    }
  } else if (error == ENOENT) {
    return fmt::format("failed to find name in PATH: exec: \"{0}\": stat {0}: {1}", word,
                       go_error(error));
  }
  if (error == EACCES) {
    return fmt::format("failed to find name in PATH: exec: \"{}\": permission denied", word);
  }
  return fmt::format("failed to start command: fork/exec {}: {}", word, go_error(error));
}

// Output parameters from files. Returns what is missing, in the words of Argo's `wait` container,
// or "". That one and those behind it, which Argo does not read any more, have names only.
std::string read_parameters(const Task& task, const View& view, value::List& parameters) {
  std::string problem;
  for (const value::Value& parameter : task.template_body["outputs"]["parameters"].list()) {
    const value::Value& from = parameter["valueFrom"];
    const std::string path(from["path"].string_or(""));
    if (path.empty()) continue;
    if (!problem.empty()) {
      parameters.push_back(value::Map{{"name", parameter["name"]}});
      continue;
    }
    const std::string clean = clean_path(path);
    const std::string real = output_place(task, view, path);
    auto text = real.empty() ? diag::Result<std::string>(diag::fail(diag::Code::kNotFound, ""))
                             : read_file(real);
    if (!text && from["default"].is_null()) {
      const char* const folder =
          view.is_on_volume(clean) ? "/mainctrfs" : "/var/run/argo/outputs/parameters";
      problem = fmt::format("open {}{}: no such file or directory", folder, clean);
      parameters.push_back(value::Map{{"name", parameter["name"]}});
      continue;
    }
    std::string content = text ? std::move(*text) : std::string(from["default"].string_or(""));
    if (content.ends_with('\n')) content.pop_back();
    parameters.push_back(value::Map{{"name", parameter["name"]}, {"value", std::move(content)}});
  }
  return problem;
}

// Exit code, phase and message by the process alone.
void judge_process(const Task& task, const wire::Exit& exit, Outcome& outcome) {
  std::string detail;
  if (exit.failure == wire::Failure::kExec) {
    outcome.exit_code = kExitNotStarted;
    const value::Value& words = main_container(task.template_body)["command"];
    const std::string word(words.list().empty() ? std::string_view("?")
                                                : words.list()[0].string_or("?"));
    detail = ": " + not_started_text(word, exit.error);
  } else if (WIFSIGNALED(exit.wait_status)) {
    outcome.exit_code = 128 + WTERMSIG(exit.wait_status);
  } else {
    outcome.exit_code = WEXITSTATUS(exit.wait_status);
  }
  if (*outcome.exit_code == 0) return;
  outcome.phase = Outcome::Phase::kFailed;
  outcome.message =
      fmt::format("{}: Error (exit code {}){}", task.container, *outcome.exit_code, detail);
}

}  // namespace

Outcome error_outcome(std::string message, clock::Instant at) {
  Outcome outcome;
  outcome.phase = Outcome::Phase::kError;
  outcome.message = std::move(message);
  outcome.started_at = at;
  outcome.finished_at = at;
  return outcome;
}

std::string result_of_stdout(std::string text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (text.size() > kResultMax) text.erase(0, text.size() - kResultMax);
  return text;
}

std::string output_place(const Task& task, const View& view, const std::string& path) {
  if (view.is_of_image()) {
    return view.real_path(path.starts_with('/') ? path : view.working_folder() + "/" + path);
  }
  if (!path.starts_with('/')) return view.real_path(working_folder(task) + "/" + path);
  std::string real = view.real_path(path);
  if (!real.empty() && ::access(real.c_str(), F_OK) == 0) return real;
  const bool has_folder = main_container(task.template_body)["workingDir"].is_string();
  std::string beside = task.work_path + "/wd" + path;
  return !has_folder && ::access(beside.c_str(), F_OK) == 0 ? beside : real;
}

Outcome collect_outcome(const Task& task, const View& view, const wire::Exit& exit,
                        const Lookup& lookup, const std::string& artifact_root) {
  const clock::Instant finished = {exit.finished_at};
  switch (exit.failure) {
    case wire::Failure::kNone:
    case wire::Failure::kExec:
      break;
    case wire::Failure::kLost:
      return error_outcome("lost with the host", finished);
    case wire::Failure::kMount:
    case wire::Failure::kResources:
      return error_outcome(fmt::format("cannot start: {}", go_error(exit.error)), finished);
    case wire::Failure::kUser:
      return error_outcome(fmt::format("cannot run as this user: {}", go_error(exit.error)),
                           finished);
    case wire::Failure::kFolder:
      return error_outcome(
          fmt::format("workingDir '{}': {}", working_folder(task), go_error(exit.error)), finished);
  }
  Outcome outcome;
  outcome.started_at = {exit.started_at == 0 ? exit.finished_at : exit.started_at};
  outcome.finished_at = finished;
  judge_process(task, exit, outcome);

  value::Map outputs;
  if (task.wants_result) outputs.set("result", result_of_stdout(exit.stdout_tail));
  outcome.outputs = std::move(outputs);
  collect_outputs(task, view, lookup, artifact_root, outcome);
  if (task.template_body["archiveLocation"]["archiveLogs"].bool_or(false)) {
    add_artifacts(outcome, {save_log_artifact(task, lookup, artifact_root)});
  }
  return outcome;
}

void add_artifacts(Outcome& outcome, value::List more) {
  if (more.empty()) return;
  value::Map outputs = outcome.outputs.map();
  value::List artifacts = outcome.outputs["artifacts"].list();
  for (value::Value& artifact : more) artifacts.push_back(std::move(artifact));
  outputs.set("artifacts", std::move(artifacts));
  outcome.outputs = std::move(outputs);
}

void collect_outputs(const Task& task, const View& view, const Lookup& lookup,
                     const std::string& artifact_root, Outcome& outcome) {
  value::Map outputs = outcome.outputs.map();
  value::List parameters;
  std::string problem = read_parameters(task, view, parameters);
  if (!parameters.empty()) outputs.set("parameters", std::move(parameters));
  value::List artifacts;
  const std::string missing = save_output_artifacts(task, view, lookup, artifact_root, artifacts);
  if (!artifacts.empty()) outputs.set("artifacts", std::move(artifacts));
  if (problem.empty()) problem = missing;
  if (!problem.empty() && outcome.phase == Outcome::Phase::kSucceeded) {
    outcome.phase = Outcome::Phase::kError;
    outcome.message = fmt::format("wait: Error (exit code 64): {}", problem);
  }
  outcome.outputs = outputs.empty() ? value::Value() : value::Value(std::move(outputs));
}

}  // namespace tiphys::executor
