// Whether this engine may still act for a task, where other engines can take workflows over.
//
// An engine that stood still for too long has lost its workflows without knowing it: what its
// threads were about to send when it stopped must not be sent when it goes on.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace tiphys::kube {

class Mandate {
 public:
  /// `leases_hold`: see Store::leases_hold(); empty where nobody can take over.
  explicit Mandate(std::function<bool()> leases_hold) : leases_hold_(std::move(leases_hold)) {}

  /// Another engine has the task now. Any thread; counts at once.
  void withdraw(const std::string& key);
  /// The task is forgotten here. A task of the same key may be this engine's later.
  void settle(const std::string& key);
  /// Set for good when a task is handed over, before settle(): what is still to be sent of it is no
  /// task's any more.
  using Lost = std::shared_ptr<std::atomic<bool>>;
  /// covers(), and not lost meanwhile. May be called in any thread while this is there.
  [[nodiscard]] std::function<bool()> pass(const std::string& key, Lost lost) const {
    return [this, key, kept = std::move(lost)] { return covers(key) && !*kept; };
  }
  /// Whether to send what changes something. False also while it cannot be known: ask again later.
  [[nodiscard]] bool covers(const std::string& key) const;

 private:
  const std::function<bool()> leases_hold_;
  mutable std::mutex mutex_;
  std::set<std::string> withdrawn_;
};

}  // namespace tiphys::kube
