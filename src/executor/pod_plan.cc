#include "executor/pod_plan.h"

#include <charconv>

#include <fmt/format.h>

#include "clock/go_duration.h"

namespace tiphys::executor {
namespace {

using value::List;
using value::Map;
using value::Value;

constexpr const char* kMain = "main";

// The main container of the template as a container, whatever it is there.
const Value& main_of(const Value& body) {
  return body["container"].is_map() ? body["container"] : body["script"];
}

Value with_mounts(const Value& container, const Value& more) {
  if (more.list().empty()) return container;
  Map changed = container.map();
  List mounts = container["volumeMounts"].list();
  mounts.insert(mounts.end(), more.list().begin(), more.list().end());
  changed.set("volumeMounts", std::move(mounts));
  return changed;
}

Task task_for(const Task& pod, const std::string& name, Value body) {
  Task task = pod;
  task.container = name;
  task.template_body = std::move(body);
  task.volumes_path = pod.work_path + "/volumes";
  task.work_path = fmt::format("{}/c/{}", pod.work_path, name);
  task.wants_result = pod.wants_result && name == kMain;
  task.log_path = container_log_path(pod.log_path, name);
  return task;
}

// A template that runs this container alone.
Value body_for(const Value& pod_body, const Value& container, bool has_artifacts) {
  Map body{{"name", pod_body["name"]}, {"container", container}};
  for (const char* field : {"volumes", "securityContext"}) {
    if (!pod_body[field].is_null()) body.set(field, pod_body[field]);
  }
  if (has_artifacts && !pod_body["inputs"].is_null()) body.set("inputs", pod_body["inputs"]);
  return body;
}

void add_helpers(const Task& pod, const Value& list, Role role, PodPlan& plan) {
  const Value& mounts = main_of(pod.template_body)["volumeMounts"];
  for (const Value& c : list.list()) {
    const std::string name(c["name"].string_or(""));
    const bool mirrors = c["mirrorVolumeMounts"].bool_or(false);
    const Value container = with_mounts(c, mirrors ? mounts : Value());
    plan.containers.push_back(
        {.name = name,
         .role = role,
         .task = task_for(pod, name, body_for(pod.template_body, container, false))});
  }
}

void add_mains(const Task& pod, PodPlan& plan) {
  const Value& body = pod.template_body;
  const Value& set = body["containerSet"];
  for (const Value& c : set["containers"].list()) {
    const std::string name(c["name"].string_or(""));
    std::vector<std::string> dependencies;
    for (const Value& d : c["dependencies"].list()) dependencies.emplace_back(d.string_or(""));
    const Value container = with_mounts(c, set["volumeMounts"]);
    plan.containers.push_back({.name = name,
                               .role = Role::kMain,
                               .dependencies = std::move(dependencies),
                               .task = task_for(pod, name, body_for(body, container, true))});
  }
  if (set.is_map()) return;
  Map own = body.map();  // a script stays a script
  for (const char* field : {"outputs", "sidecars", "initContainers", "archiveLocation"}) {
    own.erase(field);
  }
  plan.containers.push_back(
      {.name = kMain, .role = Role::kMain, .task = task_for(pod, kMain, std::move(own))});
}

int integer_of(const Value& v) {
  if (v.is_int()) return static_cast<int>(v.as_int());
  const std::string_view text = v.string_or("");
  int n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

}  // namespace

std::string container_log_path(std::string pod_log, std::string_view container) {
  if (container != kMain && pod_log.ends_with(".log")) {
    pod_log.insert(pod_log.size() - 4, fmt::format(".{}", container));
  }
  return pod_log;
}

bool is_pod_group(const Value& body) {
  return body["containerSet"].is_map() || !body["sidecars"].list().empty() ||
         !body["initContainers"].list().empty();
}

diag::Result<PodPlan> plan_pod(const Task& pod) {
  PodPlan plan;
  add_helpers(pod, pod.template_body["initContainers"], Role::kInit, plan);
  add_mains(pod, plan);
  add_helpers(pod, pod.template_body["sidecars"], Role::kSidecar, plan);
  const Value& retry = pod.template_body["containerSet"]["retryStrategy"];
  if (retry["retries"].is_null()) return plan;
  plan.attempts = integer_of(retry["retries"]);  // Argo counts the first attempt, too
  if (const std::string_view text = retry["duration"].string_or(""); !text.empty()) {
    TRY(plan.pause, clock::parse_duration(text));
  }
  return plan;
}

Task attempt_of(const PlannedContainer& container, int attempt) {
  Task task = container.task;
  task.key = fmt::format("{}#{}#{}", task.key, container.name, attempt);
  return task;
}

}  // namespace tiphys::executor
