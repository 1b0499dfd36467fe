// A step of several containers while it runs: what has ended, what may start, how it all ended.
//
// Decides only; pod.h carries out. The rules are those of a pod with Argo's emissary in it: init
// containers one after the other, then every main container whose dependencies have succeeded, and
// the sidecars, which are ended when no main container is left. Not thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "executor/pod_plan.h"

namespace tiphys::executor {

struct PodMember {
  enum class State { kWaiting, kRunning, kPausing, kEnded };
  PlannedContainer plan;
  State state = State::kWaiting;
  int attempts = 0;  // begun
  bool is_told_to_end = false;
  int exit_code = 0;        // what those that depend on it look at
  std::string termination;  // what its message has after the exit code
  Outcome outcome = {};     // of the last attempt
};

class PodState {
 public:
  explicit PodState(PodPlan plan);

  /// The members that may start now, by index; they count as running.
  [[nodiscard]] std::vector<std::size_t> take_startable();
  /// Sidecars that have to end because no main container is left; each is named once.
  [[nodiscard]] std::vector<std::size_t> take_endable();
  /// An attempt has ended. True when it will be tried again, after plan.pause.
  bool on_ended(std::size_t member, Outcome outcome);
  /// The pause before another attempt is over.
  void on_pause_over(std::size_t member);
  /// Nothing starts any more.
  void cancel() { is_cancelled_ = true; }

  [[nodiscard]] bool is_over() const;
  /// Phase, message, exit code and times of the pod, once it is over; outputs are not in it.
  [[nodiscard]] Outcome verdict() const;
  /// The main container whose file system holds the outputs.
  [[nodiscard]] const PodMember& output_member() const;

  [[nodiscard]] PodMember& at(std::size_t i) { return members_[i]; }
  [[nodiscard]] const std::vector<PodMember>& members() const { return members_; }
  [[nodiscard]] clock::Duration pause() const { return pause_; }

 private:
  [[nodiscard]] bool are_all_ended(Role role) const;
  [[nodiscard]] const PodMember* find(const std::string& name) const;
  /// Ends a container that a dependency has failed; false while one is not over.
  [[nodiscard]] bool may_start(PodMember& member) const;

  std::vector<PodMember> members_;
  int attempts_max_ = 1;
  clock::Duration pause_;
  bool is_cancelled_ = false;
};

}  // namespace tiphys::executor
