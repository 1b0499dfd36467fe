#include "net/curl_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace tiphys::net {

namespace {

constexpr long kConnectionsKept = 256;

std::int64_t steady_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void init_curl_once() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)done;
}

}  // namespace

CurlLoop::CurlLoop(Calls calls)
    : calls_(std::move(calls)),
      wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

CurlLoop::~CurlLoop() {
  stop();
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  ::close(epoll_);
  ::close(wake_fd_);
}

void CurlLoop::stop() {
  std::thread ending;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    ending.swap(thread_);
  }
  if (!ending.joinable()) return;
  const std::uint64_t one = 1;
  if (::write(wake_fd_, &one, sizeof one) < 0) return;  // full: it will wake up anyway
  ending.join();
}

void CurlLoop::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    if (!thread_.joinable()) thread_ = std::thread([this] { open(), run(); });
  }
  const std::uint64_t one = 1;
  if (::write(wake_fd_, &one, sizeof one) < 0) return;  // full: it will wake up anyway
}

bool CurlLoop::is_stopping() {
  const std::lock_guard lock(mutex_);
  return is_stopping_;
}

void CurlLoop::open() {
  init_curl_once();
  multi_ = curl_multi_init();
  // By default few connections are kept when few transfers are under way, as between two commits.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kConnectionsKept);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = wake_fd_;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_fd_, &event);
}

int CurlLoop::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
  auto& loop = *static_cast<CurlLoop*>(self);
  if (what == CURL_POLL_REMOVE) {
    ::epoll_ctl(loop.epoll_, EPOLL_CTL_DEL, fd, nullptr);
    return 0;
  }
  epoll_event event = {};
  if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  event.data.fd = fd;
  if (known == nullptr) {
    curl_multi_assign(loop.multi_, fd, self);  // marks it as added
    if (::epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, fd, &event) == 0) return 0;
  }
  ::epoll_ctl(loop.epoll_, EPOLL_CTL_MOD, fd, &event);
  return 0;
}

int CurlLoop::on_timer(CURLM*, long timeout_ms, void* self) {
  auto& loop = *static_cast<CurlLoop*>(self);
  loop.timer_at_ = timeout_ms < 0 ? -1 : steady_now() + timeout_ms * 1'000'000;
  return 0;
}

int CurlLoop::wait_ms() const {
  if (timer_at_ < 0 && wake_at_ < 0) return -1;
  std::int64_t at = std::max(timer_at_, wake_at_);
  if (timer_at_ >= 0 && wake_at_ >= 0) at = std::min(timer_at_, wake_at_);
  const std::int64_t left = at - steady_now();
  return left <= 0 ? 0 : static_cast<int>((left + 999'999) / 1'000'000);
}

void CurlLoop::run() {
  epoll_event events[64];
  for (;;) {
    const int count = ::epoll_wait(epoll_, events, 64, wait_ms());
    if (wake_at_ >= 0 && steady_now() >= wake_at_) wake_at_ = -1;
    for (int i = 0; i < count; ++i) act(events[i].data.fd, events[i].events);
    if (timer_at_ >= 0 && steady_now() >= timer_at_) {
      timer_at_ = -1;
      int still_running = 0;
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &still_running);
    }
    collect();
    if (is_stopping()) return;
    calls_.on_wake();
  }
}

void CurlLoop::act(int fd, unsigned events) {
  if (fd == wake_fd_) {
    std::uint64_t count = 0;
    if (::read(wake_fd_, &count, sizeof count) < 0) return;
    return;
  }
  int mask = 0;
  if ((events & EPOLLIN) != 0) mask |= CURL_CSELECT_IN;
  if ((events & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) mask |= CURL_CSELECT_ERR;
  int still_running = 0;
  curl_multi_socket_action(multi_, fd, mask, &still_running);
}

void CurlLoop::collect() {
  int left = 0;
  while (CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;
    curl_multi_remove_handle(multi_, easy);
    calls_.on_done(easy, code);
  }
}

}  // namespace tiphys::net
