// The pods of one namespace, as they are and as they change: a list, then a watch, again and again.
//
// Facts from Kubernetes' API concepts: a watch begins at the list's resourceVersion, goes on after
// each event and bookmark, and begins anew with a list when that version has become too old (410).
// Nothing is missed between the two; what is seen again is the caller's to recognise.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "kube/client.h"
#include "value/value.h"

namespace tiphys::kube {

class PodWatch {
 public:
  /// In the client's thread.
  struct Calls {
    std::function<void(value::Value pod)> on_pod;   // it is new, or has changed
    std::function<void(value::Value pod)> on_gone;  // it is deleted, or no longer selected
    /// Everything that there is has been told since the last begin; what was not is gone.
    std::function<void()> on_listed;
    /// The server cannot be asked; another try follows. `is_first`: of this trouble.
    std::function<void(const Answer& answer, bool is_first)> on_trouble;
    /// Asks for `wake(time)` at or soon after it (steady ns).
    std::function<void(std::int64_t at)> wake_me;
  };

  PodWatch(Client& client, std::string name_space, std::string label_selector, Calls calls);
  ~PodWatch();
  PodWatch(const PodWatch&) = delete;
  PodWatch& operator=(const PodWatch&) = delete;

  /// Begins, or goes on after the pause that wake_me() asked for. Any thread.
  void wake();

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the functions that are under way
};

}  // namespace tiphys::kube
