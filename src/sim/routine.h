// A coroutine that a simulated process runs: it reads as the synchronous code of the engine does,
// while virtual time passes between its lines. Destroying it at a co_await is what kill -9 does.
//
// Pure; one thread.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <utility>

namespace tiphys::sim {

/// Gives a T at its end; begins when it is awaited, or by start().
template <typename T>
class [[nodiscard]] Routine {
 public:
  struct promise_type {
    T value = {};
    std::coroutine_handle<> caller;

    struct Final {
      [[nodiscard]] bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(
          std::coroutine_handle<promise_type> self) const noexcept {
        const auto next = self.promise().caller;
        return next ? next : std::noop_coroutine();
      }
      void await_resume() const noexcept {}
    };

    Routine get_return_object() {
      return Routine(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] Final final_suspend() const noexcept { return {}; }
    void return_value(T given) { value = std::move(given); }
    void unhandled_exception() { std::terminate(); }
  };

  Routine() = default;
  Routine(Routine&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Routine& operator=(Routine&& other) noexcept {
    if (handle_) handle_.destroy();
    handle_ = std::exchange(other.handle_, nullptr);
    return *this;
  }
  ~Routine() {
    if (handle_) handle_.destroy();
  }

  void start() { handle_.resume(); }
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
    handle_.promise().caller = caller;
    return handle_;
  }
  T await_resume() { return std::move(handle_.promise().value); }

 private:
  explicit Routine(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

/// Waits until what `begin` was given is called.
struct Until {
  std::function<void(std::function<void()> go_on)> begin;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) const {
    begin([caller] { caller.resume(); });
  }
  void await_resume() const noexcept {}
};

}  // namespace tiphys::sim
