#include "executor/readiness.h"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace tiphys::executor {
namespace {

using value::Value;

constexpr std::chrono::milliseconds kSlice{20};  // how soon a watch notices that it must end

std::size_t drop(char*, std::size_t size, std::size_t count, void*) { return size * count; }

// A port may be given as a number or as text; named ports are not known here.
std::string port_of(const Value& port) {
  return port.is_int() ? std::to_string(port.as_int()) : std::string(port.string_or(""));
}

/// Asks with curl; `only_connect` for a bare port.
bool ask(const std::string& url, bool only_connect, const Value& headers, long timeout) {
  CURL* const easy = curl_easy_init();
  curl_slist* list = nullptr;
  for (const Value& h : headers.list()) {
    const std::string line =
        fmt::format("{}: {}", h["name"].string_or(""), h["value"].string_or(""));
    list = curl_slist_append(list, line.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, only_connect ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);  // as the kubelet, which does not verify
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, timeout);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &drop);
  const CURLcode code = curl_easy_perform(easy);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup(easy);
  curl_slist_free_all(list);
  return code == CURLE_OK && (only_connect || (status >= 200 && status < 400));
}

}  // namespace

const Value& readiness_probe(const Value& body) {
  static const Value kNone;
  if (!body["daemon"].bool_or(false)) return kNone;
  const Value& main = body["container"].is_map() ? body["container"] : body["script"];
  const Value& probe = main["readinessProbe"];
  return probe["httpGet"].is_map() || probe["tcpSocket"].is_map() ? probe : kNone;
}

bool is_ready(const Value& probe) {
  const long timeout = std::max<long>(1, static_cast<long>(probe["timeoutSeconds"].int_or(1)));
  if (const Value& tcp = probe["tcpSocket"]; tcp.is_map()) {
    return ask("http://127.0.0.1:" + port_of(tcp["port"]), true, {}, timeout);
  }
  const Value& http = probe["httpGet"];
  const bool is_tls = http["scheme"].string_or("") == "HTTPS";
  std::string path(http["path"].string_or("/"));
  if (!path.starts_with('/')) path.insert(0, "/");
  return ask(
      fmt::format("{}://127.0.0.1:{}{}", is_tls ? "https" : "http", port_of(http["port"]), path),
      false, http["httpHeaders"], timeout);
}

Readiness::~Readiness() {
  for (Watch& w : watches_) w.must_end = true;
  for (Watch& w : watches_) w.thread.join();
}

void Readiness::reap() {
  for (auto it = watches_.begin(); it != watches_.end();) {
    if (!it->has_ended) {
      ++it;
      continue;
    }
    it->thread.join();
    it = watches_.erase(it);
  }
}

void Readiness::watch(const std::string& key, Value probe, std::function<void()> on_ready) {
  const std::lock_guard lock(mutex_);
  reap();
  Watch& w = watches_.emplace_back();
  w.key = key;
  w.thread = std::thread([&w, probe = std::move(probe), on_ready = std::move(on_ready)] {
    const auto pause = [&w](std::int64_t seconds) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
      while (!w.must_end && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(kSlice);
      }
    };
    pause(probe["initialDelaySeconds"].int_or(0));
    while (!w.must_end) {
      if (is_ready(probe)) {
        if (!w.must_end) on_ready();
        break;
      }
      pause(probe["periodSeconds"].int_or(1));  // Kubernetes asks every 10 s; we need not wait
    }
    w.has_ended = true;
  });
}

void Readiness::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  for (Watch& w : watches_) {
    if (w.key == key) w.must_end = true;
  }
}

}  // namespace tiphys::executor
