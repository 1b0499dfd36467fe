// An http template as a request, and the words in which Argo's agent (Go's net/http) reports what
// went wrong.
//
// Fields and rules: HOOKS.md section 10, measured on Argo v4.1.2. Beyond it: timeoutSeconds is 30
// when it is not given (Argo's documented default), and the header Idempotency-Key holds the task's
// key unless the template sets one, so that a receiver can tell a repeated request (after a crash)
// from a new one. Pure but for the Lookup; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clock/instant.h"
#include "diag/error.h"
#include "executor/executor.h"
#include "value/value.h"

namespace tiphys::executor {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::int64_t kHttpTimeoutDefaultSeconds = 30;
inline constexpr int kRedirectsMax = 10;

struct HttpRequest {
  std::string method;  // as given; "" is GET on the wire
  std::string url;
  std::string host;    // of a Host header, or ""
  HeaderList headers;  // names in canonical spelling; values may be secret
  std::string body;
  clock::Duration timeout;
  bool skips_verification = false;
  bool refuses_private = false;  // also addresses of private networks and of this machine
  std::string success_condition;
  value::Value condition_request;  // the condition's `request`: no secrets in it
};

/// Reads the template of a task; secrets come from `lookup`.
/// Errors: the message is the node's (phase Failed): a secret is missing, a header or method is not
/// allowed.
[[nodiscard]] diag::Result<HttpRequest> make_http_request(const Task& task, const Lookup& lookup);

/// `x-request-id` becomes `X-Request-Id`; names with odd bytes stay.
[[nodiscard]] std::string canonical_header(std::string_view name);

/// `Post "http://u:***@host/": reason`.
[[nodiscard]] std::string request_error(std::string_view method, std::string_view url,
                                        std::string_view reason);

/// Whether credentials given for `initial` may be sent to `dest`: the same host or one below it.
[[nodiscard]] bool is_same_or_subdomain(std::string_view dest, std::string_view initial);

/// Bytes of standard base64; line breaks are passed over. Errors: kInvalidManifest.
[[nodiscard]] diag::Result<std::string> decode_base64(std::string_view text);

}  // namespace tiphys::executor
