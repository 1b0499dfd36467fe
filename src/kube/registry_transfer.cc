#include "kube/registry_transfer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "net/certificates.h"
#include "net/http_text.h"

namespace tiphys::kube {
namespace {

constexpr std::size_t kBodyMax = std::size_t{8} << 20U;
constexpr long kConnectTimeoutMs = 10'000;
constexpr long kRedirectsMax = 5;
constexpr std::size_t kChallengesMax = 16;

}  // namespace

RegistryTransfer::RegistryTransfer(const RegistryRequest& request, long timeout_ms, void* owner)
    : easy_(curl_easy_init()) {
  const auto add = [this](const std::string& line) {
    headers_ = curl_slist_append(headers_, line.c_str());
  };
  if (!request.accept.empty()) add("Accept: " + request.accept);
  if (!request.authorization.empty()) add("Authorization: " + request.authorization);
  const char* const protocols = request.url.starts_with("https:") ? "https" : "http,https";
  curl_easy_setopt(easy_, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, "tiphys");
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, protocols);
  curl_easy_setopt(easy_, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy_, CURLOPT_MAXREDIRS, kRedirectsMax);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, &error_[0]);
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, owner);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &RegistryTransfer::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &RegistryTransfer::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  net::set_authorities(easy_);
}

RegistryTransfer::~RegistryTransfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

void* RegistryTransfer::owner_of(CURL* easy) {
  void* owner = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
  return owner;
}

std::size_t RegistryTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<RegistryTransfer*>(self);
  if (transfer.answer_.body.size() + size * count > kBodyMax) {
    transfer.is_too_large_ = true;
    return 0;
  }
  transfer.answer_.body.append(data, size * count);
  return size * count;
}

std::size_t RegistryTransfer::on_header(char* data, std::size_t size, std::size_t count,
                                        void* self) {
  auto& transfer = *static_cast<RegistryTransfer*>(self);
  const std::string_view line(data, size * count);
  if (const auto status = net::status_in(line)) {  // also of each answer before the last
    transfer.answer_ = {};
    transfer.answer_.status = *status;
  } else if (const auto challenge = net::header_value(line, "www-authenticate");
             challenge && transfer.answer_.challenges.size() < kChallengesMax) {
    transfer.answer_.challenges.emplace_back(*challenge);
  }
  return size * count;
}

RegistryAnswer RegistryTransfer::answer(CURLcode code) {
  RegistryAnswer done = std::move(answer_);
  if (code == CURLE_OK) return done;
  done = {};
  done.problem = is_too_large_    ? "the answer is larger than 8 MiB"
                 : error_[0] != 0 ? std::string(&error_[0])
                                  : std::string(curl_easy_strerror(code));
  // One line, whatever a server put into its part of it.
  std::ranges::replace_if(done.problem, [](char c) { return c >= 0 && c < ' '; }, ' ');
  return done;
}

}  // namespace tiphys::kube
