#include "executor/http_request.h"

#include <algorithm>

#include <fmt/format.h>

namespace tiphys::executor {
namespace {

bool is_token_byte(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_byte);
}

bool is_header_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_host_header(std::string_view name) { return canonical_header(name) == "Host"; }

diag::Result<void> add_headers(const Task& task, const value::Value& http, const Lookup& lookup,
                               HttpRequest& request) {
  for (const value::Value& header : http["headers"].list()) {
    const std::string_view name = header["name"].string_or("");
    std::string text(header["value"].string_or(""));
    const value::Value& ref = header["valueFrom"]["secretKeyRef"];
    if (!ref.is_null()) {
      if (!lookup.secret) return diag::fail(diag::Code::kNotFound, "no secrets here");
      TRY(text, lookup.secret(task.name_space, std::string(ref["name"].string_or("")),
                              std::string(ref["key"].string_or(""))));
    }
    if (is_host_header(name)) {
      request.host = std::move(text);
      continue;
    }
    // Go's texts; the value is not shown, it may be a secret
    const auto refuse = [&](std::string_view what) {
      return diag::fail(
          diag::Code::kInvalidManifest,
          request_error(request.method, request.url,
                        fmt::format("net/http: invalid header field {} \"{}\"", what, name)));
    };
    if (!is_token(name)) return refuse("name");
    text = trimmed(text);
    if (!is_header_value(text)) return refuse("value for");
    request.headers.emplace_back(canonical_header(name), std::move(text));
  }
  if (!is_header_value(request.host)) {
    return diag::fail(diag::Code::kInvalidManifest,
                      request_error(request.method, request.url, "http: invalid Host header"));
  }
  return {};
}

// What a success condition sees of the request: headers as given and without secrets, the last of
// each name.
value::Value condition_view(const value::Value& http, const std::string& body_bytes,
                            bool has_bytes) {
  value::Map headers;
  for (const value::Value& header : http["headers"].list()) {
    if (!header["valueFrom"].is_null()) continue;
    headers.set(std::string(header["name"].string_or("")),
                value::List{header["value"].string_or("")});
  }
  value::Value bytes;
  if (has_bytes) {
    value::List list;
    for (const char c : body_bytes) list.emplace_back(int{static_cast<unsigned char>(c)});
    bytes = std::move(list);
  }
  return value::Map{{"method", http["method"].string_or("")},
                    {"url", http["url"].string_or("")},
                    {"body", http["body"].string_or("")},
                    {"bodyBytes", std::move(bytes)},
                    {"headers", std::move(headers)}};
}

}  // namespace

std::string canonical_header(std::string_view name) {
  std::string canonical(name);
  if (!is_token(name)) return canonical;
  bool is_first = true;
  for (char& c : canonical) {
    if (is_first && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    if (!is_first && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    is_first = c == '-';
  }
  return canonical;
}

std::string request_error(std::string_view method, std::string_view url, std::string_view reason) {
  std::string op(method.empty() ? "Get" : method);
  for (std::size_t i = 1; i < op.size(); ++i) {
    if (op[i] >= 'A' && op[i] <= 'Z') op[i] = static_cast<char>(op[i] + 32);
  }
  std::string shown(url);
  const std::size_t scheme = shown.find("://");
  if (scheme != std::string::npos) {
    const std::size_t begin = scheme + 3;
    const std::size_t end = std::min(shown.find_first_of("/?#", begin), shown.size());
    const std::size_t at = shown.substr(begin, end - begin).rfind('@');
    const std::size_t colon = shown.find(':', begin);
    if (at != std::string::npos && colon < begin + at) {
      shown.replace(colon + 1, begin + at - colon - 1, "***");
    }
  }
  return fmt::format("{} \"{}\": {}", op, shown, reason);
}

bool is_same_or_subdomain(std::string_view dest, std::string_view initial) {
  if (dest == initial) return true;
  if (dest.find_first_of(":%") != std::string_view::npos) return false;
  return dest.size() > initial.size() && dest.ends_with(initial) &&
         dest[dest.size() - initial.size() - 1] == '.';
}

diag::Result<std::string> decode_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    if (c == '=') break;
    std::uint32_t v = 0;
    if (c >= 'A' && c <= 'Z')
      v = static_cast<std::uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      v = static_cast<std::uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9')
      v = static_cast<std::uint32_t>(c - '0' + 52);
    else if (c == '+')
      v = 62;
    else if (c == '/')
      v = 63;
    else
      return diag::fail(diag::Code::kInvalidManifest, "illegal base64 data in bodyFrom.bytes");
    bits = bits << 6U | v;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>(bits >> static_cast<unsigned>(count) & 0xffU));
    }
  }
  return bytes;
}

diag::Result<HttpRequest> make_http_request(const Task& task, const Lookup& lookup) {
  const value::Value& http = task.template_body["http"];
  HttpRequest request;
  request.method = http["method"].string_or("");
  request.url = http["url"].string_or("");
  if (!request.method.empty() && !is_token(request.method)) {
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("net/http: invalid method \"{}\"", request.method));
  }
  std::string bytes;
  const value::Value& body_from = http["bodyFrom"];
  if (body_from.is_map()) {
    TRY(bytes, decode_base64(body_from["bytes"].string_or("")));
    request.body = bytes;
  } else {
    request.body = http["body"].string_or("");
  }
  const value::Value& timeout = http["timeoutSeconds"];
  request.timeout = clock::Duration::seconds(timeout.int_or(kHttpTimeoutDefaultSeconds));
  request.skips_verification = http["insecureSkipVerify"].bool_or(false);
  request.success_condition = http["successCondition"].string_or("");
  request.condition_request = condition_view(http, bytes, body_from.is_map());
  TRY_VOID(add_headers(task, http, lookup, request));
  const auto sets = [&request](std::string_view name) {
    return std::any_of(request.headers.begin(), request.headers.end(),
                       [name](const auto& h) { return h.first == name; });
  };
  if (!sets("Idempotency-Key")) request.headers.emplace_back("Idempotency-Key", task.key);
  if (!sets("User-Agent")) request.headers.emplace_back("User-Agent", "tiphys");
  return request;
}

}  // namespace tiphys::executor
