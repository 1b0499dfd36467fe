// When finished workflows are deleted, with what belongs to them.
//
// Only an engine that works for all of a store (`tiphys server`) deletes them. Used by the loop's
// thread; artifacts are removed by another one (artifact_gc.h).
#pragma once

#include <functional>
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
  /// A workflow that was due could not be deleted: it is due again in a minute.
  void try_again(const std::string& uid);
  /// A finished workflow is to be deleted now.
  void add(const std::string& uid);
  /// Deletes those that are due and that `is_running` does not know; gives their uids.
  std::vector<std::string> carry_out(const std::function<bool(const std::string&)>& is_running);

 private:
  const Config& config_;
  store::Store& store_;
  ArtifactGc& artifact_gc_;
  Expiry expiry_;
  std::set<std::string> with_artifacts_;  // artifacts go with them
};

}  // namespace tiphys::runtime
