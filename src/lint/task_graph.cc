#include "lint/task_graph.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "lint/validator.h"

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

void TaskGraph::find_ancestors() const {
  constexpr std::size_t kBits = 64;
  places_.assign(tasks_.size(), kNoPlace);
  ancestors_.reserve(tasks_.size());
  for (const Task* task : sorted()) {
    std::vector<std::uint64_t> row;
    if (!task->dependencies.empty()) row.resize(ancestors_.size() / kBits + 1);
    for (const auto& [name, of_items] : task->dependencies) {
      const Task* other = find(name);
      if (other == nullptr) continue;
      const std::size_t place = places_[other->index];
      row[place / kBits] |= std::uint64_t{1} << place % kBits;
      const std::vector<std::uint64_t>& above = ancestors_[place];
      for (std::size_t i = 0; i < above.size(); ++i) row[i] |= above[i];
    }
    places_[task->index] = ancestors_.size();
    ancestors_.push_back(std::move(row));
  }
}

bool TaskGraph::waits_for(const Task& task, std::string_view other) const {
  if (places_.size() < tasks_.size()) find_ancestors();
  const std::size_t place = places_[task.index];
  if (place == kNoPlace) return true;
  const Task* found = find(other);
  if (found == nullptr || places_[found->index] == kNoPlace) return false;
  const std::size_t wanted = places_[found->index];
  const std::vector<std::uint64_t>& row = ancestors_[place];
  return wanted / 64 < row.size() && (row[wanted / 64] >> wanted % 64 & 1U) != 0;
}

void add_status_of_ancestors(Names& names, const TaskGraph& graph, const Task& task,
                             std::function<bool(const std::string&)> is_known) {
  names.add_unlisted({.has =
                          [&graph, &task, is_known](std::string_view name) {
                            if (!name.starts_with("tasks.") || !name.ends_with(".status")) {
                              return false;
                            }
                            name.remove_prefix(6);
                            if (name.size() < 7) return false;
                            name.remove_suffix(7);
                            return is_known(std::string(name)) && graph.waits_for(task, name);
                          },
                      .all =
                          [&graph, &task, is_known] {
                            std::vector<std::string> out;
                            for (const Task& other : graph.tasks()) {
                              if (!graph.waits_for(task, other.name)) continue;
                              if (!is_known(other.name)) continue;
                              out.push_back(fmt::format("tasks.{}.status", other.name));
                            }
                            return out;
                          }});
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
  std::set<std::string> on_path{first->name};
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
    const bool is_back = !on_path.insert(next).second;
    path.push_back(next);
    if (is_back) return {std::ranges::find(path, next), path.end()};
  }
}

}  // namespace tiphys::lint
