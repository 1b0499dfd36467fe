#include "sim/mutexes.h"

#include <algorithm>

namespace tiphys::sim {

bool Mutexes::is_free_for(const std::string& lock, const std::string& holder) const {
  if (auto it = holders_.find(lock); it != holders_.end()) return it->second == holder;
  auto queue = queues_.find(lock);
  return queue == queues_.end() || queue->second.empty() || queue->second.front() == holder;
}

void Mutexes::acquire(const engine::AcquireLocks& wish) {
  engine::LocksAnswered answer;
  answer.run = wish.run;
  answer.ticket = wish.ticket;
  for (const engine::Lock& lock : wish.locks) {
    if (is_free_for(lock.name, wish.holder)) continue;
    answer.waiting = lock.name;
    answer.message = "Waiting for " + lock.name;
  }
  answer.is_acquired = answer.waiting.empty();
  for (const engine::Lock& lock : wish.locks) {
    std::deque<std::string>& queue = queues_[lock.name];
    if (answer.is_acquired) {
      std::erase(queue, wish.holder);
      holders_[lock.name] = wish.holder;
    } else if (std::ranges::find(queue, wish.holder) == queue.end()) {
      queue.push_back(wish.holder);
    }
  }
  if (!answer.is_acquired) waiting_.push_back(wish);
  answers_.push_back(std::move(answer));
}

template <typename IsGone>
void Mutexes::drop(const IsGone& is_gone) {
  std::erase_if(holders_, [&](const auto& held) { return is_gone(held.first, held.second); });
  for (auto& [lock, queue] : queues_) {
    std::erase_if(queue, [&](const std::string& holder) { return is_gone(lock, holder); });
  }
}

void Mutexes::release(const engine::ReleaseLocks& locks) {
  drop([&](const std::string& lock, const std::string& holder) {
    return holder == locks.holder &&
           std::ranges::find(locks.locks, lock, &engine::Lock::name) != locks.locks.end();
  });
  std::erase_if(waiting_, [&](const auto& wish) { return wish.holder == locks.holder; });
  look_again();
}

void Mutexes::keep_only(const engine::OwnLocks& own) {
  drop([&](const std::string&, const std::string& holder) {
    return std::ranges::find(own.holders, holder) == own.holders.end();
  });
}

void Mutexes::forget_waiting() {
  waiting_.clear();
  answers_.clear();
}

void Mutexes::look_again() {
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const engine::AcquireLocks wish = waiting_[i];
    const bool is_free = std::ranges::all_of(
        wish.locks, [&](const engine::Lock& lock) { return is_free_for(lock.name, wish.holder); });
    if (!is_free) continue;
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    acquire(wish);
    return look_again();
  }
}

engine::LocksAnswered Mutexes::take_answer() {
  engine::LocksAnswered answer = std::move(answers_.front());
  answers_.pop_front();
  return answer;
}

bool Mutexes::is_free(const std::string& mutex) const {
  return answers_.empty() && std::ranges::none_of(holders_, [&](const auto& held) {
           return held.first.ends_with("/" + mutex);
         });
}

}  // namespace tiphys::sim
