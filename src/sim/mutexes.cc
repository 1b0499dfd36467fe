#include "sim/mutexes.h"

#include <algorithm>

namespace tiphys::sim {

void Mutexes::acquire(const engine::AcquireLocks& wish) {
  engine::LocksAnswered answer;
  answer.run = wish.run;
  answer.ticket = wish.ticket;
  for (const engine::Lock& lock : wish.locks) {
    auto it = holders_.find(lock.name);
    if (it == holders_.end() || it->second == wish.holder) continue;
    answer.waiting = lock.name;
    answer.message = "Waiting for " + lock.name;
  }
  answer.is_acquired = answer.waiting.empty();
  if (answer.is_acquired) {
    for (const engine::Lock& lock : wish.locks) holders_[lock.name] = wish.holder;
  } else {
    waiting_.push_back(wish);
  }
  answers_.push_back(std::move(answer));
}

void Mutexes::release(const engine::ReleaseLocks& locks) {
  std::erase_if(holders_, [&](const auto& held) {
    return held.second == locks.holder &&
           std::ranges::count(locks.locks, held.first, &engine::Lock::name) > 0;
  });
  std::erase_if(waiting_, [&](const auto& wish) { return wish.holder == locks.holder; });
  look_again();
}

void Mutexes::keep_only(const engine::OwnLocks& own) {
  std::erase_if(holders_, [&](const auto& held) {
    return std::ranges::find(own.holders, held.second) == own.holders.end();
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
        wish.locks, [&](const engine::Lock& lock) { return !holders_.contains(lock.name); });
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
