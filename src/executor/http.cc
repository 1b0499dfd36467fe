#include "executor/http.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "executor/outputs.h"
#include "executor/step_table.h"

namespace tiphys::executor {
namespace {

class HttpExecutor : public Executor {
 public:
  HttpExecutor(HttpOptions options, Listener listener, Lookup lookup);
  ~HttpExecutor() override;

  void start(std::vector<Task> tasks) override;
  void cancel(const std::string& key, clock::Duration grace) override;
  void acknowledge(const std::string&) override {}  // nothing is kept for a key
  void forget_workflow(const std::string&) override {}

 private:
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* known);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);

  void wake();
  void open();
  void run();
  void take_orders();
  void begin_waiting();
  void begin(Task task);
  void act(int fd, unsigned events);
  void collect();
  void add(HttpExchange& exchange);
  void end(const std::string& key, Outcome outcome);
  void fail(const std::string& key, std::string message);

  const HttpOptions options_;
  const Listener listener_;
  const Lookup lookup_;

  std::mutex mutex_;  // guards the next three
  std::vector<Task> tasks_;
  std::vector<std::string> cancelled_;
  bool is_stopping_ = false;

  int wake_fd_ = -1;
  int epoll_ = -1;
  CURLM* multi_ = nullptr;
  std::int64_t timer_at_ = -1;  // steady ns; -1 for none
  std::deque<Task> waiting_;
  std::unordered_map<std::string, std::unique_ptr<HttpExchange>> running_;
  std::thread thread_;
};

void init_curl_once() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)done;
}

HttpExecutor::HttpExecutor(HttpOptions options, Listener listener, Lookup lookup)
    : options_(std::move(options)),
      listener_(std::move(listener)),
      lookup_(std::move(lookup)),
      wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

void HttpExecutor::open() {
  init_curl_once();
  multi_ = curl_multi_init();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &HttpExecutor::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &HttpExecutor::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = wake_fd_;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_fd_, &event);
}

HttpExecutor::~HttpExecutor() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
  for (auto& [key, exchange] : running_) curl_multi_remove_handle(multi_, exchange->handle());
  running_.clear();
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  ::close(epoll_);
  ::close(wake_fd_);
}

void HttpExecutor::wake() {
  const std::uint64_t one = 1;
  if (::write(wake_fd_, &one, sizeof one) < 0) return;  // full: it will wake up anyway
}

void HttpExecutor::start(std::vector<Task> tasks) {
  {
    const std::lock_guard lock(mutex_);
    std::move(tasks.begin(), tasks.end(), std::back_inserter(tasks_));
  }
  // Not before it is needed: most workflows send nothing, and libcurl takes a while to load.
  if (!thread_.joinable()) thread_ = std::thread([this] { open(), run(); });
  wake();
}

void HttpExecutor::cancel(const std::string& key, clock::Duration) {
  {
    const std::lock_guard lock(mutex_);
    cancelled_.push_back(key);
  }
  wake();
}

int HttpExecutor::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
  auto& executor = *static_cast<HttpExecutor*>(self);
  if (what == CURL_POLL_REMOVE) {
    ::epoll_ctl(executor.epoll_, EPOLL_CTL_DEL, fd, nullptr);
    return 0;
  }
  epoll_event event = {};
  if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  event.data.fd = fd;
  if (known == nullptr) {
    curl_multi_assign(executor.multi_, fd, self);  // marks it as added
    if (::epoll_ctl(executor.epoll_, EPOLL_CTL_ADD, fd, &event) == 0) return 0;
  }
  ::epoll_ctl(executor.epoll_, EPOLL_CTL_MOD, fd, &event);
  return 0;
}

int HttpExecutor::on_timer(CURLM*, long timeout_ms, void* self) {
  auto& executor = *static_cast<HttpExecutor*>(self);
  executor.timer_at_ = timeout_ms < 0 ? -1 : steady_now() + timeout_ms * 1'000'000;
  return 0;
}

void HttpExecutor::run() {
  epoll_event events[64];
  for (;;) {
    int wait_ms = -1;
    if (timer_at_ >= 0) {
      const std::int64_t left = timer_at_ - steady_now();
      wait_ms = left <= 0 ? 0 : static_cast<int>((left + 999'999) / 1'000'000);
    }
    const int count = ::epoll_wait(epoll_, events, 64, wait_ms);
    for (int i = 0; i < count; ++i) act(events[i].data.fd, events[i].events);
    if (timer_at_ >= 0 && steady_now() >= timer_at_) {
      timer_at_ = -1;
      int still_running = 0;
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &still_running);
    }
    collect();
    {
      const std::lock_guard lock(mutex_);
      if (is_stopping_) return;
    }
    take_orders();
    begin_waiting();
  }
}

void HttpExecutor::act(int fd, unsigned events) {
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

void HttpExecutor::take_orders() {
  std::vector<Task> tasks;
  std::vector<std::string> cancelled;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
    cancelled.swap(cancelled_);
  }
  for (Task& task : tasks) {
    const bool is_waiting = std::any_of(waiting_.begin(), waiting_.end(),
                                        [&task](const Task& w) { return w.key == task.key; });
    if (!is_waiting && !running_.contains(task.key)) waiting_.push_back(std::move(task));
  }
  for (const std::string& key : cancelled) {
    if (std::erase_if(waiting_, [&key](const Task& w) { return w.key == key; }) > 0) {
      fail(key, "context canceled");
    } else if (const auto it = running_.find(key); it != running_.end()) {
      fail(key, it->second->error("context canceled"));
    }
  }
}

void HttpExecutor::begin_waiting() {
  while (!waiting_.empty() && running_.size() < static_cast<std::size_t>(options_.requests_max)) {
    Task task = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(task));
  }
}

void HttpExecutor::begin(Task task) {
  auto request = make_http_request(task, lookup_);
  if (!request) {
    fail(task.key, request.error().message);
    return;
  }
  auto exchange = std::make_unique<HttpExchange>(task.key, std::move(*request), steady_now());
  exchange->started_at = wall_now();
  HttpExchange& kept = *exchange;
  if (listener_.on_sent) {
    kept.on_sent = [this, &kept] { listener_.on_sent(kept.key(), {wall_now()}); };
  }
  running_.emplace(task.key, std::move(exchange));
  if (listener_.on_running) listener_.on_running(task.key, {kept.started_at});
  add(kept);
}

void HttpExecutor::add(HttpExchange& exchange) {
  auto prepared = exchange.prepare(steady_now());
  if (prepared) {
    curl_multi_add_handle(multi_, exchange.handle());
  } else {
    fail(exchange.key(), prepared.error().message);
  }
}

void HttpExecutor::collect() {
  int left = 0;
  while (CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;
    HttpExchange* exchange = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
    curl_multi_remove_handle(multi_, easy);
    std::optional<std::string> failure;
    if (exchange->follow(code, failure)) {
      add(*exchange);
    } else if (failure) {
      fail(exchange->key(), std::move(*failure));
    } else {
      end(exchange->key(), exchange->judge(options_.condition));
    }
  }
}

void HttpExecutor::fail(const std::string& key, std::string message) {
  Outcome outcome;
  outcome.phase = Outcome::Phase::kFailed;
  outcome.message = std::move(message);
  end(key, std::move(outcome));
}

void HttpExecutor::end(const std::string& key, Outcome outcome) {
  const std::string kept_key = key;  // `key` may belong to the exchange
  outcome.finished_at = {wall_now()};
  outcome.started_at = outcome.finished_at;
  if (const auto it = running_.find(kept_key); it != running_.end()) {
    outcome.started_at = {it->second->started_at};
    curl_multi_remove_handle(multi_, it->second->handle());  // harmless when it is not in there
    running_.erase(it);
  }
  if (listener_.on_finished) listener_.on_finished(kept_key, std::move(outcome));
}

}  // namespace

std::unique_ptr<Executor> make_http_executor(HttpOptions options, Listener listener,
                                             Lookup lookup) {
  return std::make_unique<HttpExecutor>(std::move(options), std::move(listener), std::move(lookup));
}

}  // namespace tiphys::executor
