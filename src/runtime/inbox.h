// What arrives for the engine from other threads and processes: many producers, one consumer.
//
// Thread-safe: post() from any thread; take() and wait() from the loop's thread only.
#pragma once

#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "clock/instant.h"
#include "engine/event.h"
#include "executor/executor.h"
#include "notify/courier.h"

namespace tiphys::runtime {

/// A leaf's process or request has begun.
struct Began {
  std::string key;
  clock::Instant at;
  engine::Place place = {};
};
/// It tells how far it is, or what holds it up.
struct Progressed {
  std::string key;
  std::string progress;
  std::string waiting = {};
};
/// It has ended.
struct Ended {
  std::string key;
  executor::Outcome outcome;
};
/// A cache has answered a memoized template of the workflow.
struct Answered {
  std::string uid;
  engine::CacheAnswered answer;
};
/// The same of its locks.
struct Unlocked {
  std::string uid;
  engine::LocksAnswered answer;
};
/// What has become of artifacts that the workflow gives up.
struct Collected {
  std::string uid;
  engine::ArtifactsCollected answer;
};
/// A workflow that is due could not be deleted.
struct Undeleted {
  std::string uid;
};
/// A template of a workflow has created another one.
struct Created {
  std::string uid;
};
using Message = std::variant<Began, Progressed, Ended, Answered, Unlocked, Collected, Undeleted,
                             Created, notify::Report>;

class Inbox {
 public:
  Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;
  ~Inbox();

  void post(Message message);
  /// Ends wait() without a message. Safe in a signal handler.
  void wake() const;
  /// All that has arrived, in order.
  [[nodiscard]] std::vector<Message> take();
  /// The descriptor that becomes readable when something has arrived; for poll().
  [[nodiscard]] int descriptor() const { return event_fd_; }

 private:
  std::mutex mutex_;
  std::vector<Message> messages_;
  int event_fd_;
};

}  // namespace tiphys::runtime
