// When finished workflows are deleted, with what belongs to them.
//
// Only an engine that works for all of a store (`tiphys server`) deletes them. Used by the loop's
// thread; artifacts are removed by another one (artifact_gc.h).
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/artifact_gc.h"
#include "runtime/expiry.h"
#include "runtime/workflow_run.h"

namespace tiphys::runtime {

class Deletions {
 public:
  Deletions(const Config& config, store::Store& store, ArtifactGc& artifact_gc)
      : config_(config), store_(store), artifact_gc_(artifact_gc) {}

  /// A workflow has ended here.
  void note(const WorkflowRun& run, clock::Instant now);
  /// Notes what ended before this engine began, or without one. Gives those whose artifacts or logs
  /// an engine that died had still to remove: they are to be adopted.
  std::vector<std::string> note_stored();
  /// Somebody else has changed the store: workflows may have ended beside this engine.
  void store_changed() { has_changed_ = true; }
  /// Notes those, every few seconds if the store has changed.
  void note_others();
  /// A workflow that was due could not be deleted: it is due again in a minute.
  void try_again(const std::string& uid);
  /// A finished workflow is to be deleted now.
  void add(const std::string& uid);
  /// Deletes those that are due and that `is_running` does not know; gives their uids.
  std::vector<std::string> carry_out(const std::function<bool(const std::string&)>& is_running);

 private:
  struct Address {
    std::string name_space;
    std::string name;
  };

  bool note(const store::WorkflowRow& row);
  void remember_unfinished();

  const Config& config_;
  store::Store& store_;
  ArtifactGc& artifact_gc_;
  Expiry expiry_;
  bool has_changed_ = false;
  clock::Instant looked_at_{};  // on the steady clock
  clock::Instant looked_at_wall_{};
  std::map<std::string, Address> unfinished_;  // by uid, when this was looked at
  std::set<std::string> noted_;                // of those created shortly before
  std::set<std::string> with_artifacts_;       // artifacts go with them
};

}  // namespace tiphys::runtime
