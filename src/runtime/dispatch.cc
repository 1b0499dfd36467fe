#include "runtime/dispatch.h"

#include <fmt/format.h>

#include "observe/log.h"
#include "runtime/artifact_repository.h"
#include "runtime/caches.h"
#include "runtime/clocks.h"
#include "runtime/notifications.h"
#include "runtime/pod_patch.h"
#include "runtime/volume_references.h"

namespace tiphys::runtime {

namespace {

// As in Argo, a template's securityContext stands for the whole of the workflow's.
value::Value secured(value::Value body, const value::Value& spec) {
  const value::Value& wanted = spec["securityContext"];
  if (!wanted.is_map() || !body["securityContext"].is_null()) return body;
  value::Map changed = body.map();
  changed.set("securityContext", wanted);
  return changed;
}

}  // namespace

executor::Task Dispatch::task_of(const WorkflowRun& run, const engine::LeafId& leaf,
                                 const engine::Leaf& what) const {
  const value::Value metadata = run.engine().metadata();
  executor::Task task;
  task.key = leaf_key(run.uid(), leaf);
  task.workflow = metadata["name"].string_or("");
  task.name_space = metadata["namespace"].string_or("");
  task.node_name = what.node_name;
  task.pod_name = what.pod_name;
  task.template_body = what.body;
  task.volumes = what.volumes;
  task.log_path = config_.log_path(run.uid(), what.pod_name);
  task.work_path = fmt::format("{}/work/{}.{}", config_.run_path(run.uid()), leaf.node, leaf.run);
  task.wants_result = what.wants_result;
  return task;
}

diag::Result<value::Value> Dispatch::located(const WorkflowRun& run, const executor::Task& task,
                                             value::Value body) {
  constexpr std::size_t kRepositoriesMax = 1024;  // of workflows that have ended, mostly
  auto known = repositories_.find(run.uid());
  if (known == repositories_.end()) {
    const value::Value spec = run.engine().spec();
    auto found = find_repository(store_, task.name_space, spec["artifactRepositoryRef"]);
    // What a workflow without artifacts does not need must not fail it.
    if (!found && !uses_artifacts(body)) return body;
    if (!found) return std::unexpected(found.error());
    if (repositories_.size() >= kRepositoriesMax) repositories_.clear();
    known = repositories_.emplace(run.uid(), std::move(*found)).first;
  }
  const value::Value& repository = known->second;
  if (!uses_artifacts(body) && !repository["archiveLogs"].bool_or(false)) return body;
  vars::MapScope variables(&run.engine().globals());
  variables.set("pod.name", task.pod_name);
  variables.set("node.name", task.node_name);
  return with_repository(body, repository, variables);
}

diag::Result<value::Value> Dispatch::body_of(const WorkflowRun& run, executor::Task& task,
                                             const engine::Leaf& what) {
  const value::Value spec = run.engine().spec();
  if (what.type == "Pod") TRY_VOID(check_volume_references(what.body, spec));
  if (config_.executor == executor::ExecutorKind::kKubernetes && what.type == "Pod") {
    task.workflow_spec = spec;  // the patch and the rest of it are the pod's
    return located(run, task, what.body);
  }
  auto body = patched_template(what.body, std::string(spec["podSpecPatch"].string_or("")));
  if (!body || what.type != "Pod") return body;
  return located(run, task, secured(std::move(*body), spec));
}

void Dispatch::refuse(const std::string& key, std::string message) {
  executor::Outcome outcome;
  outcome.phase = executor::Outcome::Phase::kError;
  outcome.message = std::move(message);
  inbox_.post(Ended{.key = key, .outcome = std::move(outcome)});
}

void Dispatch::ask_cache(const WorkflowRun& run, const engine::LookUpCache& what) {
  const std::string name_space(run.engine().metadata()["namespace"].string_or(""));
  Answered message{.uid = run.uid(),
                   .answer = {.run = what.run, .ticket = what.ticket, .entry = {}, .error = {}}};
  auto entry = look_up_cache(store_, name_space, what, wall_now());
  if (entry) {
    message.answer.entry = std::move(*entry);
  } else {
    message.answer.error = entry.error().message;
  }
  inbox_.post(std::move(message));
}

void Dispatch::keep_in_cache(const WorkflowRun& run, const engine::SaveToCache& what) {
  const std::string name_space(run.engine().metadata()["namespace"].string_or(""));
  auto saved = save_to_cache(store_, name_space, what, wall_now());
  if (!saved) {
    observe::log(observe::LogLevel::kError, "a cache cannot be written",
                 {{"uid", run.uid()}, {"cache", what.cache}, {"error", saved.error().message}});
  }
}

// Effects that concern no leaf.
void Dispatch::carry_out_one(const WorkflowRun& run, const engine::Effect& effect) {
  if (const auto* timer = std::get_if<engine::SetTimer>(&effect)) {
    timers_.set(run.uid(), timer->timer, steady_time_of(timer->at));
  } else if (const auto* question = std::get_if<engine::LookUpCache>(&effect)) {
    ask_cache(run, *question);
  } else if (const auto* kept = std::get_if<engine::SaveToCache>(&effect)) {
    keep_in_cache(run, *kept);
  } else if (const auto* wanted = std::get_if<engine::AcquireLocks>(&effect)) {
    if (auto answer = locks_.acquire(run.uid(), *wanted))
      inbox_.post(Unlocked{.uid = run.uid(), .answer = std::move(*answer)});
  } else if (const auto* returned = std::get_if<engine::ReleaseLocks>(&effect)) {
    locks_.release(run.uid(), *returned);
  } else if (const auto* own = std::get_if<engine::OwnLocks>(&effect)) {
    locks_.reconcile(run.uid(), *own);
  } else if (const auto* given_up = std::get_if<engine::CollectArtifacts>(&effect)) {
    artifact_gc_.collect(
        {.uid = run.uid(),
         .name_space = std::string(run.engine().metadata()["namespace"].string_or("")),
         .run = given_up->run,
         .strategy = given_up->strategy,
         .artifacts = run.engine().garbage(given_up->strategy)});
  }
}

void Dispatch::carry_out(const WorkflowRun& run, const std::vector<engine::Effect>& effects,
                         bool is_recovery) {
  std::vector<executor::Task> processes;
  std::vector<executor::Task> requests;
  std::vector<executor::Task> plugins;
  std::vector<executor::Task> resources;
  std::vector<engine::LeafId> cancelled;
  for (const engine::Effect& effect : effects) {
    if (const auto* start = std::get_if<engine::StartLeaf>(&effect)) {
      if (start->leaf.run != run.engine().run()) continue;  // begun anew within the same batch
      const engine::Leaf what = run.engine().leaf(start->leaf.node);
      if (what.body.is_null()) continue;  // it ended within the same batch
      if (Notifications::is_one(what.body)) continue;
      executor::Task task = task_of(run, start->leaf, what);
      task.is_recovery = is_recovery;
      auto body = body_of(run, task, what);
      if (!body) {
        refuse(task.key, body.error().message);
      } else {
        task.template_body = std::move(*body);
        if (what.type == "Plugin") task.plugins = run.engine().spec()["executorPlugins"];
        auto& tasks = what.type == "HTTP"                ? requests
                      : what.type == "Plugin"            ? plugins
                      : !what.body["resource"].is_null() ? resources
                                                         : processes;
        tasks.push_back(std::move(task));
      }
    } else if (const auto* cancel = std::get_if<engine::CancelLeaf>(&effect)) {
      cancelled.push_back(cancel->leaf);
    } else {
      carry_out_one(run, effect);
    }
  }
  if (!processes.empty()) process_.start(std::move(processes));
  if (!requests.empty()) http_.start(std::move(requests));
  if (!plugins.empty()) plugins_.start(std::move(plugins));
  if (!resources.empty()) resources_.start(std::move(resources));
  for (const engine::LeafId& leaf : cancelled) {
    const std::string key = leaf_key(run.uid(), leaf);
    process_.cancel(key, config_.grace);
    http_.cancel(key, config_.grace);
    plugins_.cancel(key, config_.grace);
    resources_.cancel(key, config_.grace);
  }
}

void Dispatch::acknowledge(const std::string& key, const std::string& type) {
  if (type == "Plugin") return plugins_.acknowledge(key);
  (type == "HTTP" ? http_ : process_).acknowledge(key);
}

}  // namespace tiphys::runtime
