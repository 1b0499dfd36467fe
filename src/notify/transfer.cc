#include "notify/transfer.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "net/addresses.h"
#include "net/certificates.h"
#include "net/http_text.h"
#include "net/url.h"

namespace tiphys::notify {

namespace {

constexpr long kConnectTimeoutMs = 10'000;
constexpr std::size_t kReadMax = 1024UL * 1024;         // of an answer's body
constexpr std::int64_t kMailBytesASecond = 64L * 1024;  // a slow line has to bear what is attached
constexpr std::size_t kRepliesMax = 1000;               // lines of a mail server that are looked at

}  // namespace

Transfer::Transfer(std::string id, HttpRequest request, Limits limits)
    : id_(std::move(id)), limits_(limits), easy_(curl_easy_init()), out_(std::move(request.body)) {
  set_up(request.skips_verification);
  refusal_ = net::host_refusal(net::Url(request.url).part(CURLUPART_HOST), limits_.refuses_private);
  curl_easy_setopt(easy_, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method != "GET" && request.method != "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, out_.c_str());
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(out_.size()));
  } else if (request.method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  }
  bool has_agent = false;
  for (const auto& [name, text] : request.headers) {
    has_agent = has_agent || net::lower(name) == "user-agent";
    // libcurl leaves a header without a value out unless it ends in a semicolon.
    lines_ = curl_slist_append(lines_,
                               text.empty() ? (name + ";").c_str() : (name + ": " + text).c_str());
  }
  lines_ = curl_slist_append(lines_, "Expect:");
  if (!has_agent) curl_easy_setopt(easy_, CURLOPT_USERAGENT, "tiphys");
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, lines_);
}

Transfer::Transfer(std::string id, MailRequest request, Limits limits)
    : id_(std::move(id)),
      limits_(limits),
      easy_(curl_easy_init()),
      out_(std::move(request.message)) {
  limits_.timeout =
      limits_.timeout +
      clock::Duration::seconds(static_cast<std::int64_t>(out_.size()) / kMailBytesASecond);
  set_up(request.skips_verification);
  is_mail_ = true;
  refusal_ = net::host_refusal(request.host, limits_.refuses_private);
  const bool is_tls = request.security == MailRequest::Security::kTls;
  const std::string url =
      fmt::format("{}://{}:{}", is_tls ? "smtps" : "smtp", request.host, request.port);
  curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  if (request.security == MailRequest::Security::kStartTls) {
    curl_easy_setopt(easy_, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  }
  if (!request.user.empty()) {
    curl_easy_setopt(easy_, CURLOPT_USERNAME, request.user.c_str());
    curl_easy_setopt(easy_, CURLOPT_PASSWORD, request.password.c_str());
  }
  curl_easy_setopt(easy_, CURLOPT_MAIL_FROM, ("<" + request.from + ">").c_str());
  lines_ = curl_slist_append(lines_, ("<" + request.to + ">").c_str());
  curl_easy_setopt(easy_, CURLOPT_MAIL_RCPT, lines_);
  curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &Transfer::on_read);
  curl_easy_setopt(easy_, CURLOPT_READDATA, this);
}

Transfer::~Transfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(lines_);
}

void Transfer::set_up(bool skips_verification) {
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(limits_.timeout.ns / 1'000'000));
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_socket);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  net::set_authorities(easy_);
  if (skips_verification) {
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

// A body that is longer than what is kept is read on for a while, so that the connection can be
// used again. Then it is left: it was an answer.
std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  Transfer& transfer = *static_cast<Transfer*>(self);
  std::string& body = transfer.answer_.body;
  body.append(data, std::min(size * count, kBodyMax - std::min(kBodyMax, body.size())));
  transfer.read_ += size * count;
  transfer.is_left_ = transfer.read_ > kReadMax;
  return transfer.is_left_ ? 0 : size * count;
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  std::string_view line(data, size * count);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  Transfer& transfer = *static_cast<Transfer*>(self);
  if (transfer.is_mail_) {
    if (transfer.replies_.size() < kRepliesMax) transfer.replies_.emplace_back(line);
    return size * count;
  }
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    transfer.answer_.headers.clear();  // of another answer: 100, or a proxy's
  } else if (colon != std::string_view::npos) {
    std::string_view text = line.substr(colon + 1);
    while (text.starts_with(' ')) text.remove_prefix(1);
    transfer.answer_.headers.emplace_back(net::lower(line.substr(0, colon)), text);
  }
  return size * count;
}

std::size_t Transfer::on_read(char* data, std::size_t size, std::size_t count, void* self) {
  Transfer& transfer = *static_cast<Transfer*>(self);
  const std::size_t length = std::min(size * count, transfer.out_.size() - transfer.sent_);
  transfer.out_.copy(data, length, transfer.sent_);
  transfer.sent_ += length;
  return length;
}

curl_socket_t Transfer::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
  Transfer& transfer = *static_cast<Transfer*>(self);
  transfer.refusal_ = net::address_refusal(address->addr, transfer.limits_.refuses_private);
  if (!transfer.refusal_.empty()) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::string Transfer::reason_of(CURLcode code) const {
  if (!refusal_.empty()) return "refused to connect: " + refusal_;
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return fmt::format("no answer within {} s", limits_.timeout.ns / 1'000'000'000);
  }
  return error_[0] != '\0' ? error_ : curl_easy_strerror(code);
}

// The server's words for what it answered last, as 535; the lines after them are of the farewell.
std::string Transfer::reply_with(long status) const {
  const std::string word = std::to_string(status);
  for (auto line = replies_.rbegin(); line != replies_.rend(); ++line) {
    if (line->starts_with(word)) return *line;
  }
  return "";
}

Answer Transfer::answer(CURLcode code) {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  answer_.status = static_cast<int>(status);
  if (is_mail_) answer_.body = reply_with(status);
  // A server that says no is an answer, too, as a login or recipient that it refuses.
  const bool has_answer =
      code == CURLE_OK || is_left_ || (status >= 400 && code != CURLE_OPERATION_TIMEDOUT);
  if (!has_answer) {
    answer_.status = 0;
    answer_.error = reason_of(code);
  }
  return std::move(answer_);
}

}  // namespace tiphys::notify
