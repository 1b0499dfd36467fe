// Removes the artifacts that workflows give up (artifactGC), and workflows with them.
//
// A file of this machine that an output of another workflow still names (a memoized step, a
// resubmission, a fixed key) stays, and goes with the last one that names it. Removing is repeated
// after a crash: what is gone already is no error. ArtifactGc works in a thread of its own, since
// servers of artifacts may be slow.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "diag/error.h"
#include "executor/executor.h"
#include "runtime/config.h"
#include "runtime/inbox.h"
#include "store/store.h"
#include "value/value.h"

namespace tiphys::runtime {

/// What is to be removed of one workflow: Engine::garbage() of a strategy.
struct Garbage {
  std::string uid;
  std::string name_space;
  std::uint32_t run = 0;
  std::string strategy;
  value::List artifacts;
};

/// Removes them all, and gives what has come of each. An artifact that cannot be removed does not
/// keep the others.
[[nodiscard]] engine::ArtifactsCollected remove_garbage(store::Store& store, const Config& config,
                                                        const executor::Lookup& lookup,
                                                        const Garbage& garbage);

/// Whether artifacts of the workflow have to be removed before it is deleted.
[[nodiscard]] bool has_artifact_finalizer(const value::Value& metadata);

/// Removes all artifacts that a workflow gives up, then the workflow with its folder; nobody may
/// run it. Unless `is_forced` (or spec.artifactGC.forceFinalizerRemoval), one that cannot be
/// removed keeps the workflow, with the condition ArtifactGCError. Errors: kNotFound; kConflict
/// when somebody runs it; kIo.
[[nodiscard]] diag::Result<void> delete_with_artifacts(store::Store& store, const Config& config,
                                                       const executor::Lookup& lookup,
                                                       const std::string& uid, bool is_forced);

/// Deletes a workflow and its folder. Errors: kNotFound, kIo.
[[nodiscard]] diag::Result<void> delete_workflow(store::Store& store, const Config& config,
                                                 const std::string& uid);

class ArtifactGc {
 public:
  /// Borrows the configuration and the inbox, which is answered with Collected.
  ArtifactGc(const Config& config, Inbox& inbox, executor::Lookup lookup);
  ArtifactGc(const ArtifactGc&) = delete;
  ArtifactGc& operator=(const ArtifactGc&) = delete;
  /// Waits for the removal that is under way; the rest is left for the next engine.
  ~ArtifactGc();

  void collect(Garbage garbage) { order(std::move(garbage)); }
  /// The workflow is due to be deleted.
  void remove_workflow(const std::string& uid) { order(uid); }

 private:
  using Order = std::variant<Garbage, std::string>;
  void order(Order order);
  void run();
  void carry_out(const Order& order);

  const Config& config_;
  Inbox& inbox_;
  executor::Lookup lookup_;
  std::mutex mutex_;  // guards orders_ and is_stopping_
  std::condition_variable wake_;
  std::vector<Order> orders_;
  bool is_stopping_ = false;
  std::thread thread_;  // begins with the first order
};

}  // namespace tiphys::runtime
