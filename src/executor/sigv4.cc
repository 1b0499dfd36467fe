#include "executor/sigv4.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "executor/content_digest.h"
#include "net/http_text.h"

namespace tiphys::executor {
namespace {

constexpr std::string_view kService = "s3";

Digest hmac(std::string_view key, std::string_view text) {
  Digest digest = {};
  ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), nullptr);
  return digest;
}

Digest hmac(const Digest& key, std::string_view text) {
  return hmac({reinterpret_cast<const char*>(key.data()), key.size()}, text);
}

std::string trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(' ');
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(' ') - from + 1));
}

std::string names_of(SignedRequest::Pairs headers) {
  std::ranges::sort(headers);
  std::string names;
  for (const auto& [name, v] : headers) names += (names.empty() ? "" : ";") + name;
  return names;
}

std::string scope_of(std::string_view region, std::string_view time) {
  return fmt::format("{}/{}/{}/aws4_request", time.substr(0, 8), region, kService);
}

std::string signature_of(const SignedRequest& request, const S3Credentials& who,
                         std::string_view region, std::string_view time) {
  SignedRequest::Pairs headers = request.headers;
  std::ranges::sort(headers);
  std::string lines;
  for (const auto& [name, v] : headers) lines += fmt::format("{}:{}\n", name, trimmed(v));
  const std::string canonical =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, net::uri_encoded(request.path, true),
                  query_text(request.query), lines, names_of(headers), request.payload_hash);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time,
                                          scope_of(region, time), sha256_hex(canonical));
  Digest key = hmac("AWS4" + who.secret_key, time.substr(0, 8));
  for (const std::string_view part : {region, kService, std::string_view("aws4_request")}) {
    key = hmac(key, part);
  }
  return hex(hmac(key, to_sign));
}

}  // namespace

std::string query_text(const SignedRequest::Pairs& query) {
  std::vector<std::string> parts;
  for (const auto& [key, v] : query) {
    parts.push_back(net::uri_encoded(key, false) + "=" + net::uri_encoded(v, false));
  }
  std::ranges::sort(parts);
  return fmt::format("{}", fmt::join(parts, "&"));
}

std::string sha256_hex(std::string_view bytes) {
  Hasher hasher;
  hasher.add(bytes);
  return hex(hasher.digest());
}

std::string authorization(const SignedRequest& request, const S3Credentials& who,
                          std::string_view region, std::string_view time) {
  const std::string scope = scope_of(region, time);
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}",
                     who.access_key, scope, names_of(request.headers),
                     signature_of(request, who, region, time));
}

std::string presigned_query(const SignedRequest& request, const S3Credentials& who,
                            std::string_view region, std::string_view time, int seconds) {
  SignedRequest whole = request;
  whole.payload_hash = "UNSIGNED-PAYLOAD";
  const auto add = [&](const char* name, std::string v) {
    whole.query.emplace_back(name, std::move(v));
  };
  add("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  add("X-Amz-Credential", fmt::format("{}/{}", who.access_key, scope_of(region, time)));
  add("X-Amz-Date", std::string(time));
  add("X-Amz-Expires", std::to_string(seconds));
  if (!who.session_token.empty()) add("X-Amz-Security-Token", who.session_token);
  add("X-Amz-SignedHeaders", names_of(request.headers));
  return fmt::format("{}&X-Amz-Signature={}", query_text(whole.query),
                     signature_of(whole, who, region, time));
}

}  // namespace tiphys::executor
