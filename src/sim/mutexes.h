// The mutexes of a simulated world: who holds them, who waits, and whom to tell.
//
// Holders and queues are durable, what is to be told is not: after a crash the engine asks again.
// As in the runtime, whoever comes first in a queue blocks the others. Pure.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "engine/effect.h"

namespace tiphys::sim {

class Mutexes {
 public:
  void acquire(const engine::AcquireLocks& wish);
  void release(const engine::ReleaseLocks& locks);
  /// What others hold was given back by an effect that was lost.
  void keep_only(const engine::OwnLocks& own);
  /// The engine has gone: nobody waits any more.
  void forget_waiting();

  [[nodiscard]] bool has_answer() const { return !answers_.empty(); }
  [[nodiscard]] engine::LocksAnswered take_answer();
  /// Whether nobody holds `mutex` (its name in the manifest), and nobody is to be told about it.
  [[nodiscard]] bool is_free(const std::string& mutex) const;

 private:
  void look_again();
  /// Nobody else holds it or is before `holder` in its queue.
  [[nodiscard]] bool is_free_for(const std::string& lock, const std::string& holder) const;
  /// Nobody that `is_gone` is true of holds a lock or is in a queue.
  template <typename IsGone>
  void drop(const IsGone& is_gone);

  std::map<std::string, std::string> holders_;  // by lock
  std::map<std::string, std::deque<std::string>> queues_;
  std::deque<engine::AcquireLocks> waiting_;
  std::deque<engine::LocksAnswered> answers_;
};

}  // namespace tiphys::sim
