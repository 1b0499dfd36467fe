// Draws what runs as a timeline: commits, leaves (each on a lane that is free while it runs), and
// arrows from a step's end to the hooks that it fired.
//
// Used by the loop's thread only.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "observe/trace.h"
#include "runtime/workflow_run.h"
#include "store/store.h"

namespace tiphys::runtime {

class LeafTrace {
 public:
  explicit LeafTrace(observe::Trace trace);

  /// A leaf has begun; `is_hook`: it belongs to a hook.
  void began(const std::string& key, bool is_hook, clock::Instant at);
  /// It has ended: its slice is drawn. Leaves that began under another engine, too.
  void ended(const std::string& key, bool is_hook, const WorkflowRun& run,
             const engine::LeafFinished& what);
  /// The end of the leaf `key` that was told just now has fired the hook whose leaf is `hook_key`.
  void fired(const std::string& hook_key);
  void committed(const store::Batch& batch, clock::Instant from, clock::Duration took);
  void flush() { trace_.flush(); }

 private:
  using Lanes = std::vector<clock::Instant>;  // since when it is free; kBusy while it is not
  struct Running {
    observe::Trace::Place place;
    clock::Instant from;
  };
  static constexpr clock::Instant kBusy{INT64_MAX};

  [[nodiscard]] observe::Trace::Place take_lane(bool is_hook, clock::Instant at);

  observe::Trace trace_;
  Lanes steps_;
  Lanes hooks_;
  std::unordered_map<std::string, Running> running_;       // by key
  std::unordered_map<std::string, std::uint64_t> arrows_;  // that have not arrived, by hook's key
  std::uint64_t last_arrow_ = 0;
  observe::Trace::Place ended_place_;  // of the last that ended
  clock::Instant ended_at_;
};

}  // namespace tiphys::runtime
