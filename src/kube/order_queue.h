// Work for one thread: orders that others post, at once or for a time.
//
// post() and post_at() from any thread; take() from the one that carries them out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace tiphys::kube {

class OrderQueue {
 public:
  using Order = std::function<void()>;

  void post(Order order);
  /// At `at` or soon after it, on the clock of clocks.h's steady_now().
  void post_at(std::int64_t at, Order order);
  /// Makes take() end: at once when its `may_end` says so, else when it does, and when for
  /// `patience` ns there was no progress(), or after `most`.
  void stop(std::int64_t patience, std::int64_t most);
  /// A part of what `may_end` waits for is done.
  void progress();

  /// Waits for orders and gives all that are due; nullopt when it is to end. `may_end` is asked
  /// only after stop().
  [[nodiscard]] std::optional<std::vector<Order>> take(const std::function<bool()>& may_end);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Order> orders_;
  std::multimap<std::int64_t, Order> timed_;
  void wait_on();

  bool is_stopping_ = false;
  std::int64_t patience_ = 0;
  std::int64_t stop_at_ = 0;  // unless there is progress
  std::int64_t end_at_ = 0;   // whatever there is
};

}  // namespace tiphys::kube
