#include "kube/order_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "kube/clocks.h"

namespace tiphys::kube {

void OrderQueue::post(Order order) {
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back(std::move(order));
  }
  changed_.notify_one();
}

void OrderQueue::post_at(std::int64_t at, Order order) {
  {
    const std::lock_guard lock(mutex_);
    timed_.emplace(at, std::move(order));
  }
  changed_.notify_one();
}

void OrderQueue::stop(std::int64_t patience, std::int64_t most) {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    patience_ = patience;
    end_at_ = steady_now() + most;
    wait_on();
  }
  changed_.notify_one();
}

void OrderQueue::progress() {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) wait_on();  // called by the thread that takes: nobody is to be woken
}

void OrderQueue::wait_on() {
  stop_at_ = std::min(steady_now() + patience_, end_at_);
  timed_.emplace(stop_at_, [] {});
}

std::optional<std::vector<OrderQueue::Order>> OrderQueue::take(
    const std::function<bool()>& may_end) {
  std::unique_lock lock(mutex_);
  const auto ends = [&] { return is_stopping_ && (may_end() || steady_now() >= stop_at_); };
  const auto is_due = [this] {
    return !orders_.empty() || (!timed_.empty() && timed_.begin()->first <= steady_now());
  };
  while (!ends() && !is_due()) {
    if (timed_.empty()) {
      changed_.wait(lock);
    } else {
      const std::int64_t left = timed_.begin()->first - steady_now();
      changed_.wait_for(lock, std::chrono::nanoseconds(std::max<std::int64_t>(0, left)));
    }
  }
  if (orders_.empty() && ends()) return std::nullopt;
  std::vector<Order> due = std::exchange(orders_, {});
  while (!timed_.empty() && timed_.begin()->first <= steady_now()) {
    due.push_back(std::move(timed_.begin()->second));
    timed_.erase(timed_.begin());
  }
  return due;
}

}  // namespace tiphys::kube
