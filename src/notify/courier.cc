#include "notify/courier.h"

#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/curl_loop.h"
#include "notify/command.h"
#include "notify/now.h"
#include "notify/transfer.h"

namespace tiphys::notify {

namespace {

class CurlCourier final : public Courier {
 public:
  CurlCourier(CourierOptions options, std::function<void(Report)> on_report)
      : options_(options),
        on_report_(std::move(on_report)),
        commands_(options.timeout, on_report_),
        loop_({.on_wake = [this] { take_orders(); },
               .on_done = [this](CURL* easy, CURLcode code) { finish(easy, code); }}) {}
  ~CurlCourier() override {
    loop_.stop();
    for (auto& [easy, transfer] : running_) loop_.remove(easy);
  }

  void send(std::string id, Request request) override {
    if (auto* command = std::get_if<CommandRequest>(&request)) {
      commands_.run(std::move(id), std::move(*command));
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      orders_.emplace_back(std::move(id), std::move(request));
    }
    loop_.wake();
  }

 private:
  void take_orders() {
    std::vector<std::pair<std::string, Request>> orders;
    {
      const std::lock_guard lock(mutex_);
      orders.swap(orders_);
    }
    for (auto& [id, request] : orders) {
      const Transfer::Limits limits{.timeout = options_.timeout,
                                    .refuses_private = options_.refuses_private};
      std::unique_ptr<Transfer> transfer;
      if (auto* http = std::get_if<HttpRequest>(&request)) {
        transfer = std::make_unique<Transfer>(std::move(id), std::move(*http), limits);
      } else {
        transfer = std::make_unique<Transfer>(std::move(id),
                                              std::get<MailRequest>(std::move(request)), limits);
      }
      transfer->begun_at = wall_now();
      CURL* const easy = transfer->handle();
      const bool is_refused = !transfer->refusal().empty();
      running_.emplace(easy, std::move(transfer));
      if (is_refused) {
        finish(easy, CURLE_COULDNT_CONNECT);
      } else {
        loop_.add(easy);
      }
    }
  }

  void finish(CURL* easy, CURLcode code) {
    const auto found = running_.find(easy);
    const std::unique_ptr<Transfer> transfer = std::move(found->second);
    running_.erase(found);
    const clock::Instant at = transfer->begun_at;
    on_report_({.id = transfer->id(),
                .answer = transfer->answer(code),
                .at = at,
                .latency = wall_now() - at});
  }

  const CourierOptions options_;
  const std::function<void(Report)> on_report_;
  std::mutex mutex_;  // guards the next one
  std::vector<std::pair<std::string, Request>> orders_;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> running_;
  Commands commands_;
  net::CurlLoop loop_;  // last: its thread uses the others
};

}  // namespace

std::unique_ptr<Courier> make_courier(CourierOptions options,
                                      std::function<void(Report)> on_report) {
  return std::make_unique<CurlCourier>(options, std::move(on_report));
}

}  // namespace tiphys::notify
