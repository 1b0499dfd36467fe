// Drives workflows to their end: drains events, applies them, commits once, then dispatches the
// effects.
//
// One thread calls run(); executors post to its inbox from theirs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "diag/error.h"
#include "observe/stats.h"
#include "runtime/config.h"
#include "value/value.h"

namespace tiphys::runtime {

/// An engine process: the owner of the workflows that it has adopted.
class Host {
 public:
  /// Opens the store and starts (or finds) the supervisor. Errors: kIo.
  [[nodiscard]] static diag::Result<std::unique_ptr<Host>> open(Config config);
  ~Host();

  /// Takes a workflow over: replays its log, re-attaches to its steps, goes on.
  /// Errors: kNotFound; kConflict when another engine process owns it.
  [[nodiscard]] diag::Result<void> adopt(const std::string& uid);
  /// From now on adopts every unfinished workflow of the store that nobody owns (`tiphys server`).
  void adopt_all();

  /// What run() tells while it works; called from its thread after each commit that changed
  /// something.
  struct Progress {
    std::function<void(const std::string& uid)> on_change = {};
  };
  /// Works until `is_done()` (asked after each round) is true or request_stop() was called.
  /// Errors: kIo, kDamaged when the store fails for good; nothing that was not committed has
  /// happened outside.
  [[nodiscard]] diag::Result<void> run(const std::function<bool()>& is_done,
                                       const Progress& progress);
  /// Makes run() return soon. Steps go on under the supervisor. May be called from a signal handler
  /// or another thread.
  void request_stop();
  /// Makes run() ask its is_done() soon. As request_stop(), safe in a signal handler.
  void wake();

  /// From now on starts the workflows of CronWorkflows when they are due, unless another engine of
  /// this state folder does. `check` tells what is wrong with a CronWorkflow; called from run().
  void keep_schedules(std::function<diag::Result<void>(const value::Value& cron)> check);

  /// From now on sends every notification of the store that nobody else sends, and runs no
  /// workflow that it was not told to adopt (`tiphys plugin serve`).
  void serve_notifications();
  /// Takes the notifications that wait to be sent and belong to no engine; gives how many.
  std::size_t adopt_notifications();

  /// Whether no workflow is being run here.
  [[nodiscard]] bool is_at_rest() const;
  /// Whether no workflow is being run, and none of the store is left unfinished by everybody.
  [[nodiscard]] bool is_idle() const;
  /// Whether an adopted workflow has ended, and how. Phase "" while it has not.
  [[nodiscard]] std::string final_phase(const std::string& uid) const;
  /// The Workflow object as it stands, with status.nodes (for live display).
  [[nodiscard]] value::Value workflow_object(const std::string& uid) const;
  /// What has been spent since open(), by the loop and by the process.
  [[nodiscard]] observe::Stats stats() const;
  [[nodiscard]] observe::Usage usage() const;

 private:
  struct State;
  explicit Host(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tiphys::runtime
