#include "notify/standard_webhooks.h"

#include <fmt/format.h>

#include "expr/base64.h"
#include "notify/hmac.h"

namespace tiphys::notify {

namespace {

constexpr std::string_view kPrefix = "whsec_";

diag::Result<std::string> key_of(const std::string& secret) {
  if (!secret.starts_with(kPrefix)) return secret;
  auto key = expr::base64_decode(std::string_view(secret).substr(kPrefix.size()));
  // the secret itself must not be shown
  if (!key || key->empty()) {
    return diag::fail(diag::Code::kInvalidManifest, "signing secret: no base64 after 'whsec_'");
  }
  return key;
}

}  // namespace

diag::Result<HeaderList> webhook_headers(std::string_view id, clock::Instant at,
                                         std::string_view body,
                                         const std::vector<std::string>& secrets) {
  const std::string time = std::to_string(at.ns / 1'000'000'000);
  HeaderList out = {{"webhook-id", std::string(id)}, {"webhook-timestamp", time}};
  std::string signatures;
  for (const std::string& secret : secrets) {
    TRY(const std::string key, key_of(secret));
    const std::string code = hmac_sha256(key, fmt::format("{}.{}.{}", id, time, body));
    if (!signatures.empty()) signatures += ' ';
    signatures += "v1," + expr::base64_encode(code);
  }
  if (!signatures.empty()) out.emplace_back("webhook-signature", signatures);
  return out;
}

}  // namespace tiphys::notify
