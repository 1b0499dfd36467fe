#include "executor/http.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "executor/outputs.h"
#include "executor/step_table.h"
#include "net/curl_loop.h"

namespace tiphys::executor {
namespace {

class HttpExecutor : public Executor {
 public:
  HttpExecutor(HttpOptions options, Listener listener, Lookup lookup)
      : options_(std::move(options)),
        listener_(std::move(listener)),
        lookup_(std::move(lookup)),
        loop_({.on_wake = [this] { take_orders(), begin_waiting(); },
               .on_done = [this](CURL* easy, CURLcode code) { finish(easy, code); }}) {}
  ~HttpExecutor() override {
    loop_.stop();
    for (auto& [key, exchange] : running_) loop_.remove(exchange->handle());
  }

  void start(std::vector<Task> tasks) override;
  void cancel(const std::string& key, clock::Duration grace) override;
  void acknowledge(const std::string&) override {}  // nothing is kept for a key
  void forget_workflow(const std::string&) override {}

 private:
  void take_orders();
  void begin_waiting();
  void begin(Task task);
  void add(HttpExchange& exchange);
  void finish(CURL* easy, CURLcode code);
  void end(const std::string& key, Outcome outcome);
  void fail(const std::string& key, std::string message);

  const HttpOptions options_;
  const Listener listener_;
  const Lookup lookup_;

  std::mutex mutex_;  // guards the next two
  std::vector<Task> tasks_;
  std::vector<std::string> cancelled_;

  std::deque<Task> waiting_;
  std::unordered_map<std::string, std::unique_ptr<HttpExchange>> running_;
  net::CurlLoop loop_;  // last: its thread uses the others
};

void HttpExecutor::start(std::vector<Task> tasks) {
  {
    const std::lock_guard lock(mutex_);
    std::move(tasks.begin(), tasks.end(), std::back_inserter(tasks_));
  }
  loop_.wake();
}

void HttpExecutor::cancel(const std::string& key, clock::Duration) {
  {
    const std::lock_guard lock(mutex_);
    cancelled_.push_back(key);
  }
  loop_.wake();
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
  request->refuses_private = options_.refuses_private;
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
    loop_.add(exchange.handle());
  } else {
    fail(exchange.key(), prepared.error().message);
  }
}

void HttpExecutor::finish(CURL* easy, CURLcode code) {
  HttpExchange* exchange = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
  std::optional<std::string> failure;
  if (exchange->follow(code, failure)) {
    add(*exchange);
  } else if (failure) {
    Outcome outcome;
    outcome.phase = Outcome::Phase::kFailed;
    outcome.message = std::move(*failure);
    if (code != CURLE_OK && !exchange->is_refused()) outcome.http.emplace();
    end(exchange->key(), std::move(outcome));
  } else {
    Outcome outcome = exchange->judge(options_.condition);
    outcome.http = exchange->answer();
    end(exchange->key(), std::move(outcome));
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
    loop_.remove(it->second->handle());
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
