#include "executor/http_exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "executor/step_table.h"
#include "net/addresses.h"
#include "net/certificates.h"
#include "net/http_text.h"
#include "net/url.h"

namespace tiphys::executor {
namespace {

constexpr long kConnectTimeoutMs = 30'000;  // Go's default dialer

std::string address_text(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    ::inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return fmt::format("{}:{}", text, ntohs(v4->sin_port));
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  ::inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
  return fmt::format("[{}]:{}", text, ntohs(v6->sin6_port));
}

// The first server of resolv.conf, which Go names in its messages.
std::string name_server() {
  std::ifstream file("/etc/resolv.conf");
  std::string word;
  while (file >> word) {
    if (word == "nameserver" && file >> word) {
      return word.find(':') == std::string::npos ? word + ":53" : "[" + word + "]:53";
    }
  }
  return "127.0.0.1:53";
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host.starts_with("127.") || host == "[::1]" || host == "::1";
}

std::string errno_text(long error) {
  std::string text = std::strerror(static_cast<int>(error));
  return net::lower(text.substr(0, 1)) + text.substr(1);
}

const char* dropped_with_body[] = {"Content-Encoding", "Content-Language", "Content-Location",
                                   "Content-Type"};
const char* credentials[] = {"Authorization", "Www-Authenticate",    "Cookie",
                             "Cookie2",       "Proxy-Authorization", "Proxy-Authenticate"};

template <std::size_t N>
bool is_among(const char* const (&names)[N], std::string_view name) {
  return std::any_of(std::begin(names), std::end(names), [name](auto* n) { return name == n; });
}

}  // namespace

HttpExchange::HttpExchange(std::string key, HttpRequest request, std::int64_t now_ns)
    : key_(std::move(key)),
      request_(std::move(request)),
      deadline_ns_(now_ns + request_.timeout.ns),
      easy_(curl_easy_init()),
      method_(request_.method),
      url_(request_.url),
      host_(request_.host) {}

HttpExchange::~HttpExchange() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(header_lines_);
}

std::size_t HttpExchange::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<HttpExchange*>(self);
  if (exchange.response_body_.size() + size * count > kBodySizeMax) {
    exchange.is_too_large_ = true;
    return 0;
  }
  exchange.response_body_.append(data, size * count);
  return size * count;
}

std::size_t HttpExchange::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<HttpExchange*>(self);
  std::string_view line(data, size * count);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    exchange.response_headers_.clear();  // after 100 Continue or a proxy's answer
  } else if (colon != std::string_view::npos) {
    std::string_view text = line.substr(colon + 1);
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    exchange.response_headers_.emplace_back(canonical_header(line.substr(0, colon)), text);
  }
  return size * count;
}

int HttpExchange::on_connected(void* self, char*, char*, int, int) {
  static_cast<HttpExchange*>(self)->on_sent();
  return CURL_PREREQFUNC_OK;
}

curl_socket_t HttpExchange::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& exchange = *static_cast<HttpExchange*>(self);
  if (exchange.dialled_.empty()) exchange.dialled_ = address_text(&address->addr);
  exchange.refusal_ = net::address_refusal(address->addr, exchange.request_.refuses_private);
  if (!exchange.refusal_.empty()) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void HttpExchange::set_headers() {
  curl_slist_free_all(header_lines_);
  header_lines_ = nullptr;
  const auto add = [this](const std::string& line) {
    header_lines_ = curl_slist_append(header_lines_, line.c_str());
  };
  bool has_type = false;
  bool has_accept = false;
  for (const auto& [name, text] : request_.headers) {
    if (strips_credentials_ && is_among(credentials, name)) continue;
    if (!has_body_ && is_among(dropped_with_body, name)) continue;
    if (name == "Content-Length" || name == "Transfer-Encoding") continue;  // ours, as in Go
    if (name == "Referer" && !referer_.empty()) continue;
    has_type = has_type || name == "Content-Type";
    has_accept = has_accept || name == "Accept";
    add(text.empty() ? name + ";" : name + ": " + text);
  }
  if (!referer_.empty()) add("Referer: " + referer_);
  if (!host_.empty()) add("Host: " + host_);
  // what curl adds and Go does not
  if (!has_type) add("Content-Type:");
  if (!has_accept) add("Accept:");
  add("Expect:");
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, header_lines_);
}

void HttpExchange::set_body() {
  const std::string verb = method_.empty() ? "GET" : method_;
  const bool sends_body = has_body_ && !request_.body.empty();
  const bool wants_length = verb == "POST" || verb == "PUT" || verb == "PATCH";
  if (verb == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  } else if (sends_body || wants_length) {
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(sends_body ? request_.body.size() : 0));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, sends_body ? request_.body.data() : "");
  }
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, verb.c_str());
}

// Go reads both spellings and never asks a proxy for this machine; curl reads the lower case of
// http_proxy only.
void HttpExchange::set_proxy(std::string_view host, std::string_view scheme) {
  if (is_loopback(host)) {
    curl_easy_setopt(easy_, CURLOPT_NOPROXY, "*");
    return;
  }
  const char* const upper = std::getenv("HTTP_PROXY");
  if (scheme == "http" && std::getenv("http_proxy") == nullptr && upper != nullptr) {
    curl_easy_setopt(easy_, CURLOPT_PROXY, upper);
  }
}

diag::Result<void> HttpExchange::prepare(std::int64_t now_ns) {
  const auto refuse = [this](std::string_view reason) {
    return diag::fail(diag::Code::kInvalidManifest, error(reason));
  };
  const std::size_t colon = url_.find(':');
  const std::size_t slash = url_.find_first_of("/?#");
  const std::string scheme =
      colon != std::string::npos && colon < slash ? net::lower(url_.substr(0, colon)) : "";
  if (scheme != "http" && scheme != "https") {
    return refuse(fmt::format("unsupported protocol scheme \"{}\"", scheme));
  }
  // curl takes http:///x for http://x
  const bool has_authority = url_.find_first_not_of('/', colon + 1) == colon + 3;
  const net::Url parsed(url_);
  const std::string host =
      has_authority && parsed.ok() ? net::lower(parsed.part(CURLUPART_HOST)) : "";
  if (host.empty()) return refuse("http: no Host in request URL");
  // a proxy would go there for us
  refusal_ = net::host_refusal(host, request_.refuses_private);
  if (!refusal_.empty()) return refuse("refused to connect: " + refusal_);
  if (hops_ == 0) first_host_ = host;
  if (now_ns >= deadline_ns_) return refuse("context deadline exceeded");

  curl_easy_reset(easy_);
  status_ = 0;
  response_headers_.clear();
  response_body_.clear();
  dialled_.clear();
  curl_easy_setopt(easy_, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &HttpExchange::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &HttpExchange::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &HttpExchange::on_socket);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  if (on_sent && hops_ == 0) {
    curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &HttpExchange::on_connected);
    curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
  }
  const auto left_ms = static_cast<long>((deadline_ns_ - now_ns) / 1'000'000) + 1;
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, left_ms);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, std::min(left_ms, kConnectTimeoutMs));
  net::set_authorities(easy_);
  if (request_.skips_verification) {
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  set_proxy(host, scheme);
  set_body();
  set_headers();
  return {};
}

const std::string* HttpExchange::response_header(std::string_view name) const {
  for (const auto& [header, text] : response_headers_) {
    if (header == name) return &text;
  }
  return nullptr;
}

bool HttpExchange::follow(CURLcode code, std::optional<std::string>& failure) {
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status_);
  if (code != CURLE_OK) {
    failure = is_too_large_ ? "the response's body is larger than 64 MiB" : error(reason_of(code));
    return false;
  }
  const bool keeps_method = status_ == 307 || status_ == 308;
  if (!keeps_method && status_ != 301 && status_ != 302 && status_ != 303) return false;
  const std::string* const location = response_header("Location");
  if (location == nullptr || location->empty()) return false;

  net::Url url(url_);
  const std::string scheme_before = url.part(CURLUPART_SCHEME);
  const bool is_relative = location->find("://") == std::string::npos;
  if (!url.go_to(*location)) {
    failure = error(fmt::format("failed to parse Location header \"{}\"", *location));
    return false;
  }
  if (!keeps_method) {
    has_body_ = false;
    if (!method_.empty() && method_ != "GET" && method_ != "HEAD") method_ = "GET";
  }
  net::Url before(url_);
  before.drop(CURLUPART_USER);
  before.drop(CURLUPART_PASSWORD);
  before.drop(CURLUPART_FRAGMENT);
  referer_ = scheme_before == "https" && url.part(CURLUPART_SCHEME) == "http"
                 ? ""
                 : before.part(CURLUPART_URL);
  if (!is_relative) host_.clear();
  if (!is_same_or_subdomain(net::lower(url.part(CURLUPART_HOST)), first_host_)) {
    strips_credentials_ = true;
  }
  url_ = url.part(CURLUPART_URL);
  if (++hops_ >= kRedirectsMax) {
    failure = request_error(request_.method, *location,
                            fmt::format("stopped after {} redirects", kRedirectsMax));
    return false;
  }
  return true;
}

std::string HttpExchange::certificate_reason() const {
  long verified = 0;
  curl_easy_getinfo(easy_, CURLINFO_SSL_VERIFYRESULT, &verified);
  const std::string_view start = "tls: failed to verify certificate: x509: ";
  switch (verified) {
    case 0:
      return fmt::format("{}certificate is not valid for {}", start,
                         net::Url(url_).part(CURLUPART_HOST));
    case 9:
    case 10:
      return fmt::format("{}certificate has expired or is not yet valid", start);
    default:
      return fmt::format("{}certificate signed by unknown authority", start);
  }
}

std::string HttpExchange::reason_of(CURLcode code) const {
  long os_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
  const std::string host = net::Url(url_).part(CURLUPART_HOST);
  if (is_refused()) return "refused to connect: " + refusal_;
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      if (steady_now() < deadline_ns_) return fmt::format("dial tcp {}: i/o timeout", dialled_);
      return "context deadline exceeded";
    case CURLE_COULDNT_RESOLVE_HOST:
      return fmt::format("dial tcp: lookup {} on {}: no such host", host, name_server());
    case CURLE_COULDNT_CONNECT:
      return fmt::format("dial tcp {}: connect: {}", dialled_,
                         errno_text(os_error == 0 ? ECONNREFUSED : os_error));
    case CURLE_GOT_NOTHING:
      return "EOF";
    case CURLE_PARTIAL_FILE:
      return "unexpected EOF";
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: {
      if (os_error == 0) return "EOF";
      return fmt::format("read tcp {}: read: {}", dialled_, errno_text(os_error));
    }
    case CURLE_PEER_FAILED_VERIFICATION:
      return certificate_reason();
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "proxyconnect tcp: no such host";
    default:
      return net::lower(std::string_view(curl_easy_strerror(code)).substr(0, 1)) +
             std::string(curl_easy_strerror(code) + 1);
  }
}

Outcome HttpExchange::judge(const SuccessCondition& condition) const {
  Outcome outcome;
  const bool is_unpacked = response_header("Content-Encoding") != nullptr &&
                           net::lower(*response_header("Content-Encoding")) == "gzip";
  if (request_.success_condition.empty()) {
    if (status_ < 200 || status_ >= 300) {
      outcome.phase = Outcome::Phase::kFailed;
      outcome.message = fmt::format("received non-2xx response code: {}", status_);
    }
  } else {
    value::Map headers;
    for (const auto& [name, text] : response_headers_) {
      if (is_unpacked && (name == "Content-Encoding" || name == "Content-Length")) continue;
      const value::Value* const known = headers.find(name);
      value::List all = known == nullptr ? value::List{} : known->list();
      all.emplace_back(text);
      headers.set(name, std::move(all));
    }
    const value::Map response = {{"statusCode", std::int64_t{status_}},
                                 {"body", response_body_},
                                 {"headers", std::move(headers)}};
    auto truth = condition
                     ? condition(request_.success_condition, request_.condition_request, response)
                     : diag::Result<bool>(diag::fail(diag::Code::kInternal, "no expressions here"));
    if (!truth) {
      outcome.phase = Outcome::Phase::kFailed;
      outcome.message = truth.error().message;
      return outcome;
    }
    if (!*truth) {
      outcome.phase = Outcome::Phase::kFailed;
      outcome.message =
          fmt::format("successCondition '{}' evaluated false", request_.success_condition);
    }
  }
  outcome.outputs = value::Map{{"result", response_body_}};
  return outcome;
}

HttpAnswer HttpExchange::answer() const {
  const std::string* const retry_after = response_header("Retry-After");
  return {.status = static_cast<int>(status_),
          .retry_after = retry_after == nullptr ? "" : *retry_after};
}

}  // namespace tiphys::executor
