// One http request on a curl handle, with its redirects as Go's client follows them.
//
// libcurl follows redirects by other rules (methods, bodies, credentials), so each hop is a request
// of ours. Used by the thread of the http executor.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "diag/error.h"
#include "executor/executor.h"
#include "executor/http_request.h"

namespace tiphys::executor {

/// Decides a successCondition: its text, `request`, `response`. The error's message becomes the
/// node's.
using SuccessCondition = std::function<diag::Result<bool>(
    const std::string& condition, const value::Value& request, const value::Value& response)>;

class HttpExchange {
 public:
  /// What is read of a body at most; more is an error.
  static constexpr std::size_t kBodySizeMax = 64U << 20U;

  HttpExchange(std::string key, HttpRequest request, std::int64_t now_ns);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] CURL* handle() const { return easy_; }
  /// Sets the handle up for the next hop. Errors: what Go says of such a URL; the exchange is over
  /// then.
  [[nodiscard]] diag::Result<void> prepare(std::int64_t now_ns);
  /// The hop is over. True when there is another one: prepare() and add the handle again.
  /// `failure` is set when the exchange has failed.
  [[nodiscard]] bool follow(CURLcode code, std::optional<std::string>& failure);
  /// The outcome of an exchange that got its answer. The times are left to the caller.
  [[nodiscard]] Outcome judge(const SuccessCondition& condition) const;
  /// Whether it ended as its address is none to speak to: it would end so again.
  [[nodiscard]] bool is_refused() const { return !refusal_.empty(); }
  /// The last hop's answer.
  [[nodiscard]] HttpAnswer answer() const;

  [[nodiscard]] std::string error(std::string_view reason) const {
    return request_error(request_.method, url_, reason);  // Go names the first method
  }
  std::int64_t started_at = 0;         // ns since 1970
  std::function<void()> on_sent = {};  // the first hop is about to be written to its connection

 private:
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static int on_connected(void* self, char* to, char* from, int to_port, int from_port);
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);

  [[nodiscard]] std::string reason_of(CURLcode code) const;
  [[nodiscard]] std::string certificate_reason() const;
  void set_headers();
  void set_body();
  void set_proxy(std::string_view host, std::string_view scheme);
  [[nodiscard]] const std::string* response_header(std::string_view name) const;

  std::string key_;
  HttpRequest request_;
  std::int64_t deadline_ns_ = 0;  // steady
  CURL* easy_ = nullptr;
  curl_slist* header_lines_ = nullptr;

  // of this hop
  std::string method_;  // as given: "" is GET
  std::string url_;
  std::string host_;
  std::string referer_;
  bool has_body_ = true;
  bool strips_credentials_ = false;
  int hops_ = 0;
  std::string first_host_;
  std::string dialled_;  // the first address that was tried
  std::string refusal_;  // of the last one
  long status_ = 0;
  HeaderList response_headers_;
  std::string response_body_;
  bool is_too_large_ = false;
};

}  // namespace tiphys::executor
