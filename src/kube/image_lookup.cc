#include "kube/image_lookup.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "executor/sigv4.h"
#include "expr/base64.h"
#include "kube/auth_challenge.h"
#include "kube/image_manifest.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

constexpr int kPartsMax = 5;  // an index in an index, a manifest, a configuration

// The registry's own word for it, `TOOMANYREQUESTS`; nothing else of what it says is shown.
std::string code_in(const std::string& body) {
  const auto parsed = value::parse_json(body);
  if (!parsed || (*parsed)["errors"].list().empty()) return {};
  const std::string_view code = (*parsed)["errors"].list()[0]["code"].string_or("");
  const bool is_word = !code.empty() && code.size() <= 40 && std::ranges::all_of(code, [](char c) {
    return (c >= 'A' && c <= 'Z') || c == '_';
  });
  return is_word ? fmt::format(" {}", code) : "";
}

// What goes into a header must not end it.
bool is_header_text(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
}

}  // namespace

ImageLookup::ImageLookup(ImageReference image, std::vector<Credential> credentials, bool uses_tls,
                         std::string_view architecture)
    : image_(std::move(image)),
      credentials_(std::move(credentials)),
      base_(fmt::format("{}://{}/v2/{}", uses_tls ? "https" : "http", image_.host(),
                        image_.repository)),
      architecture_(architecture),
      version_(image_.version()) {}

std::string ImageLookup::basic() const {
  if (at_ >= credentials_.size()) return {};
  const Credential& who = credentials_[at_];
  return "Basic " + expr::base64_encode(fmt::format("{}:{}", who.user, who.password));
}

RegistryRequest ImageLookup::request() const {
  if (!token_url_.empty()) return {.url = token_url_, .authorization = basic()};
  return {.url = fmt::format("{}/{}/{}", base_, wants_config_ ? "blobs" : "manifests", version_),
          .accept = wants_config_ ? "*/*" : kManifestTypes,
          .authorization = authorization_};
}

ImageLookup::End ImageLookup::refuse(std::string_view why) const {
  return diag::fail(diag::Code::kNotFound, fmt::format("{}{}", image_.registry, why));
}

ImageLookup::End ImageLookup::refuse_answer(std::string_view who,
                                            const RegistryAnswer& answer) const {
  if (answer.status == 0) {
    return diag::fail(diag::Code::kIo,
                      fmt::format("{}{}: {}", image_.registry, who, answer.problem));
  }
  const bool is_passing = answer.status == 429 || answer.status >= 500;
  return diag::fail(
      is_passing ? diag::Code::kIo : diag::Code::kNotFound,
      fmt::format("{}{} answered {}{}", image_.registry, who, answer.status, code_in(answer.body)));
}

ImageLookup::End ImageLookup::take(const RegistryAnswer& answer) {
  if (!token_url_.empty()) return take_token(answer);
  if (answer.status == 200) return take_part(answer.body);
  if (answer.status == 401) return take_challenge(answer);
  if (answer.status == 403 && !authorization_.empty()) return try_next_credential(403);
  if (answer.status == 404) {
    return refuse(fmt::format(" answered 404{}: there is no such image", code_in(answer.body)));
  }
  return refuse_answer("", answer);
}

ImageLookup::End ImageLookup::take_token(const RegistryAnswer& answer) {
  token_url_.clear();
  if (answer.status == 401 || answer.status == 403) return try_next_credential(answer.status);
  if (answer.status != 200) return refuse_answer("'s token server", answer);
  const auto parsed = value::parse_json(answer.body);
  std::string_view token;
  if (parsed) token = (*parsed)["token"].string_or("");
  if (parsed && token.empty()) token = (*parsed)["access_token"].string_or("");
  if (!is_header_text(token)) return refuse("'s token server gave no token");
  authorization_ = fmt::format("Bearer {}", token);
  return std::nullopt;
}

ImageLookup::End ImageLookup::take_challenge(const RegistryAnswer& answer) {
  if (!authorization_.empty()) return try_next_credential(401);  // it was not enough
  std::vector<AuthChallenge> challenges;
  for (const std::string& header : answer.challenges) {
    for (AuthChallenge& c : parse_challenges(header)) challenges.push_back(std::move(c));
  }
  const auto bearer = std::ranges::find(challenges, "bearer", &AuthChallenge::scheme);
  if (bearer != challenges.end()) {
    std::string url = token_url(*bearer, fmt::format("repository:{}:pull", image_.repository));
    const bool is_fit =
        url.starts_with("https://") || (url.starts_with("http://") && base_.starts_with("http://"));
    // A password must not go over a line that others can read.
    if (!is_fit) return refuse(" names a token server without TLS");
    token_url_ = std::move(url);
    return std::nullopt;
  }
  const bool wants_password =
      std::ranges::find(challenges, "basic", &AuthChallenge::scheme) != challenges.end();
  if (!wants_password) return refuse(" answered 401, and not how to sign in");
  if (credentials_.empty()) return try_next_credential(401);
  authorization_ = basic();
  return std::nullopt;
}

ImageLookup::End ImageLookup::try_next_credential(int status) {
  authorization_.clear();
  if (credentials_.empty()) {
    return refuse(
        fmt::format(" answered {}: there is no such image, or it needs imagePullSecrets", status));
  }
  if (++at_ < credentials_.size()) return std::nullopt;
  return refuse(fmt::format(
      " answered {}: there is no such image, or the imagePullSecrets do not suffice", status));
}

ImageLookup::End ImageLookup::take_part(const std::string& body) {
  const bool has_digest = version_.starts_with("sha256:");
  if (has_digest && executor::sha256_hex(body) != std::string_view(version_).substr(7)) {
    return refuse(" sent something else than what its digest names");
  }
  const auto parsed = value::parse_json(body);
  if (!parsed || !parsed->is_map()) return refuse(" sent no JSON object");
  const auto about_image = [this](const diag::Error& error) {
    return diag::fail(error.code, fmt::format("{} {}", image_.full(), error.message));
  };
  if (wants_config_) {
    auto start = start_in(*parsed);
    if (!start) return about_image(start.error());
    return std::move(*start);
  }
  auto next = part_after(*parsed, architecture_);
  if (!next) return about_image(next.error());
  const auto as_image = parse_image_reference("x@" + next->digest);
  if (!as_image) return refuse(" sent a manifest with a digest that is none");
  if (++parts_ >= kPartsMax) return refuse(" sent too many manifests in manifests");
  wants_config_ = next->is_config;
  version_ = std::move(next->digest);
  return std::nullopt;
}

}  // namespace tiphys::kube
