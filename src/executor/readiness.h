// readinessProbe of daemons: a daemon is up when its probe says so, not when its process begins.
//
// Each probe has a thread while it waits, as a probe may block for its timeout.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "executor/executor.h"

namespace tiphys::executor {

/// The probe of a daemon's main container; null for other templates and for probes that cannot be
/// asked from outside (exec, grpc).
[[nodiscard]] const value::Value& readiness_probe(const value::Value& template_body);

/// One try, on this machine. Blocks for the probe's timeoutSeconds at most.
[[nodiscard]] bool is_ready(const value::Value& probe);

/// Probes that wait. The destructor ends them.
class Readiness {
 public:
  Readiness() = default;
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;
  ~Readiness();

  /// Calls `on_ready` from a thread of its own once the probe succeeds; never after forget(key).
  void watch(const std::string& key, value::Value probe, std::function<void()> on_ready);
  void forget(const std::string& key);

 private:
  struct Watch {
    std::string key;
    std::atomic<bool> must_end = false;
    std::atomic<bool> has_ended = false;
    std::thread thread;
  };
  void reap();

  std::mutex mutex_;  // guards watches_
  std::list<Watch> watches_;
};

}  // namespace tiphys::executor
