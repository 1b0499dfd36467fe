// Carries effects out: leaves to executors, timers to the wheel. Called only after the commit that
// decided them.
//
// Used by the loop's thread only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "executor/executor.h"
#include "runtime/artifact_gc.h"
#include "runtime/config.h"
#include "runtime/inbox.h"
#include "runtime/locks.h"
#include "runtime/timers.h"
#include "runtime/workflow_run.h"
#include "store/store.h"

namespace tiphys::runtime {

class Dispatch {
 public:
  /// Borrows all of them.
  Dispatch(const Config& config, executor::Executor& process, executor::Executor& http,
           executor::Executor& plugins, executor::Executor& resources, Inbox& inbox, Timers& timers,
           store::Store& store, Locks& locks, ArtifactGc& artifact_gc)
      : config_(config),
        process_(process),
        http_(http),
        plugins_(plugins),
        resources_(resources),
        inbox_(inbox),
        timers_(timers),
        store_(store),
        locks_(locks),
        artifact_gc_(artifact_gc) {}

  /// Carries out the effects of one workflow. `is_recovery`: they were asked for before a restart.
  void carry_out(const WorkflowRun& run, const std::vector<engine::Effect>& effects,
                 bool is_recovery);
  /// The end of a leaf is committed.
  void acknowledge(const std::string& key, const std::string& type);

 private:
  [[nodiscard]] executor::Task task_of(const WorkflowRun& run, const engine::LeafId& leaf,
                                       const engine::Leaf& what) const;
  /// The template with the places of its artifacts.
  [[nodiscard]] diag::Result<value::Value> located(const WorkflowRun& run,
                                                   const executor::Task& task, value::Value body);
  /// The template as its executor takes it.
  [[nodiscard]] diag::Result<value::Value> body_of(const WorkflowRun& run, executor::Task& task,
                                                   const engine::Leaf& what);
  void ask_cache(const WorkflowRun& run, const engine::LookUpCache& what);
  void keep_in_cache(const WorkflowRun& run, const engine::SaveToCache& what);
  void carry_out_one(const WorkflowRun& run, const engine::Effect& effect);
  void refuse(const std::string& key, std::string message);

  const Config& config_;
  executor::Executor& process_;
  executor::Executor& http_;
  executor::Executor& plugins_;
  executor::Executor& resources_;
  Inbox& inbox_;
  Timers& timers_;
  store::Store& store_;
  Locks& locks_;
  ArtifactGc& artifact_gc_;
  std::map<std::string, value::Value> repositories_;  // of artifacts, by the workflow's uid
};

}  // namespace tiphys::runtime
