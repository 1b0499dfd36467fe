#include "lint/task_graph.h"

#include <re2/re2.h>

#include <algorithm>

namespace tiphys::lint {

using value::Value;

namespace {

std::map<std::string, bool> dependencies_of(const Value& task) {
  std::map<std::string, bool> out;
  const std::string_view logic = task["depends"].string_or("");
  if (logic.empty()) {
    for (const Value& name : task["dependencies"].list()) out[std::string(name.string_or(""))];
    return out;
  }
  static const RE2 kName(
      R"(([a-zA-Z0-9][-a-zA-Z0-9]*?)\.([A-Z][a-zA-Z]+)|([a-zA-Z0-9][-a-zA-Z0-9]*))");
  re2::StringPiece rest(logic.data(), logic.size());
  std::string name;
  std::string result;
  std::string bare;
  while (RE2::FindAndConsume(&rest, kName, &name, &result, &bare)) {
    if (!bare.empty()) {
      out[bare] = false;
    } else {
      bool& of_items = out[name];
      of_items = of_items || result == "AnySucceeded" || result == "AllFailed";
    }
  }
  return out;
}

}  // namespace

TaskGraph::TaskGraph(const Value& tasks) {
  for (const Value& body : tasks.list()) {
    tasks_.push_back(
        {body, tasks_.size(), std::string(body["name"].string_or("")), dependencies_of(body)});
    by_name_[tasks_.back().name] = tasks_.back().index;
  }
}

const Task* TaskGraph::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &tasks_[it->second];
}

std::set<std::string> TaskGraph::ancestors(std::string_view name) const {
  std::set<std::string> out;
  std::vector<std::string> open{std::string(name)};
  while (!open.empty()) {
    const Task* task = find(open.back());
    open.pop_back();
    if (task == nullptr) continue;
    for (const auto& [dependency, of_items] : task->dependencies) {
      if (out.insert(dependency).second) open.push_back(dependency);
    }
  }
  out.erase(std::string(name));
  return out;
}

std::vector<const Task*> TaskGraph::sorted() const {
  std::vector<std::size_t> waits(tasks_.size(), 0);
  std::vector<std::vector<std::size_t>> dependents(tasks_.size());
  std::set<std::size_t> ready;
  for (const Task& task : tasks_) {
    for (const auto& [dependency, of_items] : task.dependencies) {
      const Task* other = find(dependency);
      if (other == nullptr) continue;
      dependents[other->index].push_back(task.index);
      ++waits[task.index];
    }
    if (waits[task.index] == 0) ready.insert(task.index);
  }
  std::vector<const Task*> out;
  while (!ready.empty()) {
    const std::size_t next = *ready.begin();
    ready.erase(ready.begin());
    out.push_back(&tasks_[next]);
    for (const std::size_t dependent : dependents[next]) {
      if (--waits[dependent] == 0) ready.insert(dependent);
    }
  }
  return out;
}

std::vector<std::string> TaskGraph::cycle() const {
  std::set<std::string_view> sound;
  for (const Task* task : sorted()) sound.insert(task->name);
  const auto first =
      std::ranges::find_if(tasks_, [&](const Task& task) { return !sound.contains(task.name); });
  if (first == tasks_.end()) return {};
  // Every task that is left has a dependency that is left, so that going on leads into a cycle.
  std::vector<std::string> path{first->name};
  for (;;) {
    const Task* task = find(path.back());
    if (task == nullptr) return {};
    std::string next;
    for (const auto& [dependency, of_items] : task->dependencies) {
      if (next.empty() && find(dependency) != nullptr && !sound.contains(dependency)) {
        next = dependency;
      }
    }
    if (next.empty()) return {};
    const bool is_back = std::ranges::find(path, next) != path.end();
    path.push_back(next);
    if (is_back) return {std::ranges::find(path, next), path.end()};
  }
}

}  // namespace tiphys::lint
