#include "kube/client.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "kube/clocks.h"
#include "net/http_text.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

constexpr long kTimeoutMs = 30'000;  // of a request that is no stream
constexpr long kConnectTimeoutMs = 10'000;
constexpr long kKeepAliveSeconds = 10;
constexpr std::size_t kIdleMax = 64;                       // handles
constexpr std::size_t kBodyMax = std::size_t{256} << 20U;  // of a list of pods

curl_blob blob_of(const std::string& text) {
  return {.data = const_cast<char*>(text.data()), .len = text.size(), .flags = CURL_BLOB_NOCOPY};
}

}  // namespace

std::string Answer::message() const {
  if (status == 0) return problem;
  if (const auto parsed = value::parse_json(body)) {
    if (const std::string_view text = (*parsed)["message"].string_or(""); !text.empty()) {
      return std::string(text);
    }
  }
  return fmt::format("the API server answered {}", status);
}

struct Client::Exchange {
  std::uint64_t id = 0;
  Request request;
  OnDone on_done;
  OnBytes on_bytes;
  Answer answer;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  char error[CURL_ERROR_SIZE] = "";
  bool was_too_large = false;
  bool was_sent = false;

  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() {
    if (easy != nullptr) curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
  void add_header(const std::string& line) { headers = curl_slist_append(headers, line.c_str()); }
};

Client::Client(Cluster cluster, std::shared_ptr<RequestRate> rate)
    : cluster_(std::move(cluster)),
      rate_(std::move(rate)),
      tokens_(cluster_),
      loop_({.on_wake = [this] { take_orders(); },
             .on_done = [this](CURL* easy, CURLcode code) { end(easy, code); }}) {}

Client::~Client() {
  loop_.stop();
  for (auto& [id, exchange] : running_) loop_.remove(exchange->easy);
  for (CURL* const easy : idle_) curl_easy_cleanup(easy);
}

CURL* Client::take_handle() {
  if (idle_.empty()) return curl_easy_init();
  CURL* const easy = idle_.back();
  idle_.pop_back();
  return easy;
}

void Client::take_back(Exchange& exchange) {
  if (idle_.size() >= kIdleMax) return;
  curl_easy_reset(exchange.easy);
  idle_.push_back(std::exchange(exchange.easy, nullptr));
}

std::uint64_t Client::send(Request request, OnDone on_done, OnBytes on_bytes) {
  auto exchange = std::make_unique<Exchange>();
  exchange->request = std::move(request);
  exchange->on_done = std::move(on_done);
  exchange->on_bytes = std::move(on_bytes);
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_id_;
    exchange->id = id;
    new_.push_back(std::move(exchange));
  }
  loop_.wake();
  return id;
}

void Client::abandon(std::uint64_t id) {
  {
    const std::lock_guard lock(mutex_);
    abandoned_.push_back(id);
  }
  loop_.wake();
}

void Client::take_orders() {
  std::vector<std::unique_ptr<Exchange>> begun;
  std::vector<std::uint64_t> abandoned;
  {
    const std::lock_guard lock(mutex_);
    begun.swap(new_);
    abandoned.swap(abandoned_);
  }
  for (auto& exchange : begun) {
    if (!rate_ || exchange->request.silence_seconds > 0) {
      begin(std::move(exchange));
    } else {
      held_.push_back(std::move(exchange));
    }
  }
  begin_held();
  for (const std::uint64_t id : abandoned) {
    std::erase_if(held_, [id](const auto& exchange) { return exchange->id == id; });
    const auto it = running_.find(id);
    if (it == running_.end()) continue;
    loop_.remove(it->second->easy);
    running_.erase(it);
  }
}

void Client::begin_held() {
  while (!held_.empty()) {
    if (const auto later = rate_->take(steady_now())) return loop_.wake_at(*later);
    std::unique_ptr<Exchange> first = std::move(held_.front());
    held_.pop_front();
    begin(std::move(first));
  }
}

int Client::on_send(void* self, char* /*peer*/, char* /*own*/, int /*peer_port*/,
                    int /*own_port*/) {
  auto& exchange = *static_cast<Exchange*>(self);
  const bool is_repeated = std::exchange(exchange.was_sent, true);
  const bool may_go = !exchange.request.may_go || exchange.request.may_go();
  return may_go && !(is_repeated && exchange.request.is_sent_once) ? CURL_PREREQFUNC_OK
                                                                   : CURL_PREREQFUNC_ABORT;
}

std::size_t Client::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::string_view bytes(data, size * count);
  if (exchange.on_bytes && exchange.answer.ok()) {
    exchange.on_bytes(bytes);
  } else if (exchange.answer.body.size() + bytes.size() > kBodyMax) {
    exchange.was_too_large = true;
    return 0;
  } else {
    exchange.answer.body.append(bytes);
  }
  return bytes.size();
}

std::size_t Client::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::string_view line(data, size * count);
  if (const auto status = net::status_in(line)) {
    exchange.answer.status = *status;
  } else if (const auto wait = net::header_value(line, "retry-after")) {
    exchange.answer.retry_after = clock::Duration::seconds(std::atoi(std::string(*wait).c_str()));
  }
  return line.size();
}

void Client::set_identity(Exchange& exchange) {
  CURL* const easy = exchange.easy;
  if (!cluster_.authorities.empty()) {
    curl_blob blob = blob_of(cluster_.authorities);
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
  }
  if (!cluster_.certificate.empty()) {
    curl_blob certificate = blob_of(cluster_.certificate);
    curl_blob key = blob_of(cluster_.key);
    curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &certificate);
    curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
  }
  if (cluster_.skips_verification) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!cluster_.user.empty()) curl_easy_setopt(easy, CURLOPT_USERPWD, cluster_.user.c_str());
}

void Client::begin(std::unique_ptr<Exchange> exchange) {
  Exchange& e = *exchange;
  e.easy = take_handle();
  auto token = tokens_.token();
  if (!token) {
    e.answer.problem = token.error().message;
    e.on_done(std::move(e.answer));
    return;
  }
  if (!token->empty()) e.add_header("Authorization: Bearer " + *token);
  e.add_header("Accept: " +
               (e.request.accept.empty() ? std::string("application/json") : e.request.accept));
  if (!e.request.body.empty()) {
    e.add_header("Content-Type: " +
                 (e.request.type.empty() ? std::string("application/json") : e.request.type));
    e.add_header("Expect:");  // a round trip less
    curl_easy_setopt(e.easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(e.request.body.size()));
    curl_easy_setopt(e.easy, CURLOPT_POSTFIELDS, e.request.body.data());
  }
  curl_easy_setopt(e.easy, CURLOPT_HTTPHEADER, e.headers);
  curl_easy_setopt(e.easy, CURLOPT_CUSTOMREQUEST, e.request.method.c_str());
  curl_easy_setopt(e.easy, CURLOPT_URL, (cluster_.server + e.request.path).c_str());
  curl_easy_setopt(e.easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(e.easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(e.easy, CURLOPT_PIPEWAIT, 1L);       // share the connection, if it can be shared
  curl_easy_setopt(e.easy, CURLOPT_TCP_KEEPALIVE, 1L);  // a peer that is gone is noticed
  curl_easy_setopt(e.easy, CURLOPT_TCP_KEEPIDLE, kKeepAliveSeconds);
  curl_easy_setopt(e.easy, CURLOPT_TCP_KEEPINTVL, kKeepAliveSeconds);
  if (e.request.silence_seconds > 0) {
    curl_easy_setopt(e.easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(e.easy, CURLOPT_LOW_SPEED_TIME, e.request.silence_seconds);
  } else {
    curl_easy_setopt(e.easy, CURLOPT_TIMEOUT_MS, kTimeoutMs);
  }
  curl_easy_setopt(e.easy, CURLOPT_ERRORBUFFER, &e.error[0]);
  curl_easy_setopt(e.easy, CURLOPT_PRIVATE, &e);
  if (e.request.may_go || e.request.is_sent_once) {
    curl_easy_setopt(e.easy, CURLOPT_PREREQFUNCTION, &Client::on_send);
    curl_easy_setopt(e.easy, CURLOPT_PREREQDATA, &e);
  }
  curl_easy_setopt(e.easy, CURLOPT_WRITEFUNCTION, &Client::on_body);
  curl_easy_setopt(e.easy, CURLOPT_WRITEDATA, &e);
  curl_easy_setopt(e.easy, CURLOPT_HEADERFUNCTION, &Client::on_header);
  curl_easy_setopt(e.easy, CURLOPT_HEADERDATA, &e);
  set_identity(e);
  running_.emplace(e.id, std::move(exchange));
  loop_.add(e.easy);
}

void Client::end(CURL* easy, CURLcode code) {
  Exchange* exchange = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
  const auto it = running_.find(exchange->id);
  const std::unique_ptr<Exchange> ended = std::move(it->second);
  running_.erase(it);
  if (code != CURLE_OK) {
    const std::string_view why = ended->was_too_large ? std::string_view("the answer is too large")
                                 : ended->error[0] != 0
                                     ? std::string_view(&ended->error[0])
                                     : std::string_view(curl_easy_strerror(code));
    ended->answer.problem = fmt::format("{} {}: {}", ended->request.method, cluster_.server, why);
    ended->answer.status = 0;
  }
  take_back(*ended);
  if (ended->answer.status == 401) tokens_.refuse();
  ended->on_done(std::move(ended->answer));
}

}  // namespace tiphys::kube
