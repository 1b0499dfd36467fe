// A thread that drives many libcurl transfers at once, by epoll.
//
// curl_multi_poll with handles that are added again and again measured 14 ms a request instead of
// 0.06; with curl_multi_socket_action, connections are found again. The thread begins with the
// first wake(): most programs that could send something do not, and libcurl takes a while to load.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace tiphys::net {

class CurlLoop {
 public:
  struct Calls {
    /// Somebody has called wake(), or a transfer is over: orders can be taken. In the loop's
    /// thread.
    std::function<void()> on_wake;
    /// A transfer is over; its handle has been removed. In the loop's thread.
    std::function<void(CURL* easy, CURLcode code)> on_done;
  };

  explicit CurlLoop(Calls calls);
  /// Ends the thread first. Handles that are still there must be removed by their owner with
  /// remove() after stop().
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  /// Any thread.
  void wake();
  /// Ends the thread and waits for it. Any thread but the loop's.
  void stop();

  // In the loop's thread, or after stop().
  void add(CURL* easy) { curl_multi_add_handle(multi_, easy); }
  /// Harmless for a handle that is not in there.
  void remove(CURL* easy) { curl_multi_remove_handle(multi_, easy); }
  /// on_wake is called at `at` (steady ns) or soon after it; a later call replaces it.
  void wake_at(std::int64_t at) { wake_at_ = at; }

 private:
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* known);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);

  void open();
  void run();
  [[nodiscard]] int wait_ms() const;
  void act(int fd, unsigned events);
  void collect();
  [[nodiscard]] bool is_stopping();

  const Calls calls_;
  std::mutex mutex_;  // guards the next two
  bool is_stopping_ = false;
  std::thread thread_;

  int wake_fd_ = -1;
  int epoll_ = -1;
  CURLM* multi_ = nullptr;
  std::int64_t timer_at_ = -1;  // libcurl's; steady ns; -1 for none
  std::int64_t wake_at_ = -1;   // the same, the owner's
};

}  // namespace tiphys::net
