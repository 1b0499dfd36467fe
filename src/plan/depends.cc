#include "plan/depends.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "expr/program.h"
#include "vars/scope.h"

namespace tiphys::plan {

namespace {

using diag::Code;
using diag::Result;
using value::Value;

// `task.Result`, or a bare name. The first one ends as early as it can, like any name that is
// followed by a point.
constexpr const char* kNamePattern =
    R"(([a-zA-Z0-9][-a-zA-Z0-9]*?\.[A-Z][a-zA-Z]+)|([a-zA-Z0-9][-a-zA-Z0-9]*))";
constexpr const char* kResultPattern = R"(([a-zA-Z0-9][-a-zA-Z0-9]*?\.[A-Z][a-zA-Z]+))";

struct Field {
  std::string_view name;
  bool TaskState::* member;
};
constexpr std::array<Field, 8> kFields = {{{"Succeeded", &TaskState::succeeded},
                                           {"Failed", &TaskState::failed},
                                           {"Errored", &TaskState::errored},
                                           {"Skipped", &TaskState::skipped},
                                           {"Omitted", &TaskState::omitted},
                                           {"Daemoned", &TaskState::daemoned},
                                           {"AnySucceeded", &TaskState::any_succeeded},
                                           {"AllFailed", &TaskState::all_failed}}};

const Field* field_of(std::string_view name) {
  const auto* field = std::ranges::find(kFields, name, &Field::name);
  return field == kFields.end() ? nullptr : field;
}

std::string with_underscores(std::string text) {
  std::ranges::replace(text, '-', '_');
  return text;
}

/// What a bare task name means.
Result<std::string> spelled_out(std::string_view name, const Depends::FindTask& find_task) {
  const Value* task = find_task(name);
  if (task == nullptr) {
    return diag::fail(Code::kNotFound, fmt::format("target {} does not exist", name));
  }
  std::string out = fmt::format("({0}.Succeeded || {0}.Skipped || {0}.Daemoned", name);
  const Value& continue_on = (*task)["continueOn"];
  if (continue_on["error"].bool_or(false)) out += fmt::format(" || {}.Errored", name);
  if (continue_on["failed"].bool_or(false)) out += fmt::format(" || {}.Failed", name);
  return out + ')';
}

Result<std::string> logic_of(const Value& task, const Depends::FindTask& find_task) {
  if (const auto text = task["depends"].string_or(""); !text.empty()) return std::string(text);
  std::vector<std::string> parts;
  for (const Value& name : task["dependencies"].list()) {
    TRY(auto part, spelled_out(name.string_or(""), find_task));
    parts.push_back(std::move(part));
  }
  return fmt::format("{}", fmt::join(parts, " && "));
}

/// Names as they stand in an expression, with '_' for '-' -> tasks.
using TaskNames = std::map<std::string, std::string, std::less<>>;

/// The states of tasks as variables `a_b.Succeeded`, made when they are asked for.
class StateScope final : public vars::Scope {
 public:
  StateScope(const TaskNames& tasks, const Depends::FindState& find_state)
      : tasks_(tasks), find_state_(find_state) {}

  [[nodiscard]] std::optional<Value> find(std::string_view name) const override {
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const Field* field = field_of(name.substr(dot + 1));
    const TaskState* state = state_of(name.substr(0, dot));
    if (field == nullptr || state == nullptr) return std::nullopt;
    return Value(state->*(field->member));
  }
  [[nodiscard]] bool has_below(std::string_view name) const override {
    return name.find('.') == std::string_view::npos && state_of(name) != nullptr;
  }
  void each(std::string_view root, const Visit& visit) const override {
    for (const auto& [name, task] : tasks_) {
      if (!root.empty() && root != name) continue;
      const TaskState* state = find_state_(task);
      if (state == nullptr) continue;
      for (const Field& field : kFields) {
        visit(fmt::format("{}.{}", name, field.name), Value(state->*(field.member)));
      }
    }
  }

 private:
  [[nodiscard]] const TaskState* state_of(std::string_view name) const {
    const auto task = tasks_.find(name);
    return task == tasks_.end() ? nullptr : find_state_(task->second);
  }

  const TaskNames& tasks_;
  const Depends::FindState& find_state_;
};

/// expr-lang knows the type of a task's state: any other member is an error before anything is
/// evaluated.
Result<void> check_names(const expr::Program& program, const TaskNames& tasks) {
  for (const std::string& path : program.reads()) {
    const auto dot = path.find('.');
    const std::string_view root = std::string_view(path).substr(0, dot);
    if (tasks.find(root) == tasks.end()) {
      return diag::fail(Code::kBadExpression, fmt::format("unknown name {}", root));
    }
    if (dot == std::string::npos) continue;
    if (field_of(std::string_view(path).substr(dot + 1)) == nullptr) {
      return diag::fail(
          Code::kBadExpression,
          fmt::format("type controller.TaskResults has no field {}", path.substr(dot + 1)));
    }
  }
  return {};
}

Result<bool> is_true(const std::string& source, const TaskNames& tasks,
                     const Depends::FindState& find_state) {
  TRY(const expr::Program program, expr::Program::parse(source));
  TRY_VOID(check_names(program, tasks));
  return program.run_bool(StateScope(tasks, find_state));
}

bool is_final(std::string_view phase) {
  constexpr std::array<std::string_view, 5> kFinal = {"Succeeded", "Failed", "Error", "Skipped",
                                                      "Omitted"};
  return std::ranges::find(kFinal, phase) != kFinal.end();
}

}  // namespace

bool is_fulfilled(const NodeView& node) {
  if (is_final(node.phase) && node.outputs_synced) return true;
  return node.daemoned && node.phase != "Pending";
}

TaskState task_state(const NodeView& node,
                     const std::optional<std::vector<std::string>>& children) {
  TaskState state;
  state.succeeded = node.phase == "Succeeded";
  state.failed = node.phase == "Failed";
  state.errored = node.phase == "Error";
  state.skipped = node.phase == "Skipped";
  state.omitted = node.phase == "Omitted";
  state.daemoned = node.daemoned && node.phase != "Pending";
  if (!children) return state;
  state.any_succeeded = std::ranges::find(*children, "Succeeded") != children->end();
  state.all_failed =
      !children->empty() &&
      std::ranges::all_of(*children, [](std::string_view phase) { return phase == "Failed"; });
  return state;
}

Result<Depends> Depends::read(const Value& task, const FindTask& find_task) {
  static const re2::RE2 kName(kNamePattern);
  TRY(const std::string written, logic_of(task, find_task));
  Depends depends;
  std::vector<std::string> unknown;
  re2::StringPiece rest(written);
  const char* copied = written.data();
  re2::StringPiece with_result;
  re2::StringPiece bare;
  while (re2::RE2::FindAndConsume(&rest, kName, &with_result, &bare)) {
    if (!with_result.empty()) {
      const std::string_view match(with_result.data(), with_result.size());
      depends.dependencies_.emplace_back(match.substr(0, match.find('.')));
      continue;
    }
    const std::string name(bare.data(), bare.size());
    auto text = spelled_out(name, find_task);
    if (!text) {
      unknown.push_back(text.error().message);
      continue;
    }
    depends.dependencies_.push_back(name);
    depends.logic_.append(copied, bare.data());
    depends.logic_ += *text;
    copied = bare.data() + bare.size();
  }
  // Argo goes from the back, so the last unknown name is the one that it complains about.
  if (!unknown.empty()) return diag::fail(Code::kNotFound, unknown.back());
  depends.logic_.append(copied, written.data() + written.size());
  std::ranges::sort(depends.dependencies_);
  const auto same = std::ranges::unique(depends.dependencies_);
  depends.dependencies_.erase(same.begin(), same.end());
  return depends;
}

Result<Depends::Decision> Depends::decide(const FindState& find_state) const {
  for (const std::string& name : dependencies_) {
    if (find_state(name) == nullptr) return Decision::kWait;
  }
  if (logic_.empty()) return Decision::kRun;
  TaskNames tasks;
  for (const std::string& name : dependencies_) tasks.emplace(with_underscores(name), name);
  const std::string source = with_underscores(logic_);
  auto runs = is_true(source, tasks, find_state);
  if (runs) return *runs ? Decision::kRun : Decision::kOmit;
  return diag::fail(Code::kBadExpression, fmt::format("unable to evaluate expression '{}': {}",
                                                      source, runs.error().message));
}

Result<void> validate_task_results(const Value& task) {
  static const re2::RE2 kResult(kResultPattern);
  const std::string_view text = task["depends"].string_or("");
  re2::StringPiece rest(text.data(), text.size());
  re2::StringPiece found;
  while (re2::RE2::FindAndConsume(&rest, kResult, &found)) {
    const std::string_view match(found.data(), found.size());
    const auto dot = match.find('.');
    if (field_of(match.substr(dot + 1)) != nullptr) continue;
    return diag::fail(Code::kInvalidManifest,
                      fmt::format("task result '{}' for task '{}' is invalid",
                                  match.substr(dot + 1), match.substr(0, dot)));
  }
  return {};
}

}  // namespace tiphys::plan
