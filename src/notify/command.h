// Commands as destinations: a process of this machine gets the notice on its standard input.
//
// Each runs in a thread of its own: there are few, and they are slow.
#pragma once

#include <functional>
#include <list>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "clock/instant.h"
#include "notify/channel.h"
#include "notify/courier.h"

namespace tiphys::notify {

class Commands {
 public:
  Commands(clock::Duration timeout, std::function<void(Report)> on_report);
  /// Kills what runs and waits for it.
  ~Commands();
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  void run(std::string id, CommandRequest request);

 private:
  struct Job {
    std::thread thread;
    bool is_over = false;
  };

  void work(std::string id, const CommandRequest& request, Job& job);

  const clock::Duration timeout_;
  const std::function<void(Report)> on_report_;
  std::mutex mutex_;  // guards the next three
  bool is_stopping_ = false;
  std::set<int> running_;  // process groups
  std::list<Job> jobs_;
};

}  // namespace tiphys::notify
