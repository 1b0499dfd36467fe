#include "executor/s3_location.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>

#include "value/json.h"

namespace tiphys::executor {
namespace {

constexpr const char* kEndpoints = "TIPHYS_S3_ENDPOINTS";
constexpr const char* kPodEndpoints = "TIPHYS_S3_POD_ENDPOINTS";

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

std::string_view host_of(std::string_view endpoint) {
  return endpoint.substr(0, endpoint.rfind(':'));
}

bool is_of_cluster(std::string_view host) {
  if (host.empty() || host == "localhost" || host.starts_with('[')) return host.empty();
  return host.find('.') == std::string_view::npos || host.ends_with(".svc") ||
         host.ends_with(".cluster.local");
}

std::string_view without_scheme(std::string_view endpoint) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (endpoint.starts_with(scheme)) endpoint.remove_prefix(scheme.size());
  }
  return endpoint;
}

// What a list like `minio:9000=127.0.0.1:9000,...` has for an endpoint.
std::optional<std::string_view> named_by(std::string_view endpoints, std::string_view endpoint) {
  while (!endpoints.empty()) {
    const std::string_view pair = endpoints.substr(0, endpoints.find(','));
    endpoints.remove_prefix(std::min(endpoints.size(), pair.size() + 1));
    const std::size_t at = pair.find('=');
    if (at != std::string_view::npos && pair.substr(0, at) == endpoint) return pair.substr(at + 1);
  }
  return std::nullopt;
}

diag::Result<std::string> secret_of(const value::Value& ref, const std::string& name_space,
                                    const Lookup& lookup) {
  if (!ref.is_map()) return std::string();
  if (!lookup.secret) return diag::fail(diag::Code::kIo, "no secrets here");
  return lookup.secret(name_space, std::string(ref["name"].string_or("")),
                       std::string(ref["key"].string_or("")));
}

// `s3.eu-west-1.amazonaws.com` names its region.
std::string region_of(const value::Value& s3, std::string_view host) {
  const std::string_view given = s3["region"].string_or("");
  if (!given.empty()) return std::string(given);
  constexpr std::string_view kDomain = ".amazonaws.com";
  if (host.ends_with(kDomain) && host.size() > kDomain.size() + 3) {
    host.remove_suffix(kDomain.size());
    if (host.starts_with("s3.") || host.starts_with("s3-")) return std::string(host.substr(3));
  }
  const std::string set = variable("AWS_REGION");
  return set.empty() ? "us-east-1" : set;
}

bool wants_virtual_host(const value::Value& s3, std::string_view host) {
  const std::string_view style = s3["addressingStyle"].string_or("");
  if (style == "path") return false;
  return style == "virtual-hosted" || host.ends_with(".amazonaws.com") ||
         host.ends_with(".aliyuncs.com");
}

diag::Result<S3Credentials> credentials_of(const value::Value& s3, const std::string& name_space,
                                           const Lookup& lookup) {
  S3Credentials who;
  if (s3["useSDKCreds"].bool_or(false) || !s3["accessKeySecret"].is_map()) {
    who.access_key = variable("AWS_ACCESS_KEY_ID");
    who.secret_key = variable("AWS_SECRET_ACCESS_KEY");
    who.session_token = variable("AWS_SESSION_TOKEN");
    return who;
  }
  TRY(who.access_key, secret_of(s3["accessKeySecret"], name_space, lookup));
  TRY(who.secret_key, secret_of(s3["secretKeySecret"], name_space, lookup));
  TRY(who.session_token, secret_of(s3["sessionTokenSecret"], name_space, lookup));
  return who;
}

}  // namespace

std::string s3_server(std::string_view endpoint, std::string_view endpoints) {
  endpoint = without_scheme(endpoint);
  if (const auto named = named_by(endpoints, endpoint)) return std::string(*named);
  return is_of_cluster(host_of(endpoint)) ? "" : std::string(endpoint);
}

S3Location seen_from_pods(S3Location location, const value::Value& s3) {
  const std::string_view endpoint = without_scheme(s3["endpoint"].string_or(""));
  const std::string endpoints = variable(kPodEndpoints);
  location.host = named_by(endpoints, endpoint).value_or(endpoint);
  if (location.has_virtual_host) location.host = location.bucket + "." + location.host;
  return location;
}

namespace {

diag::Result<std::string> kms_context_of(const value::Value& encryption) {
  const std::string given(encryption["kmsEncryptionContext"].string_or(""));
  if (given.empty()) return given;
  const auto context = value::parse_json(given);
  if (!context || !context->is_map()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "encryptionOptions.kmsEncryptionContext is no JSON object");
  }
  const std::string json = value::to_json(*context, {.escape_html = false});
  const auto bytes = [](const std::string& s) {
    return reinterpret_cast<const unsigned char*>(s.data());
  };
  std::string text(4 * ((json.size() + 2) / 3) + 1, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(text.data()), bytes(json), static_cast<int>(json.size()))));
  return text;
}

}  // namespace

bool is_on_server(const value::Value& s3) {
  const std::string_view endpoint = s3["endpoint"].string_or("");
  return !endpoint.empty() && !s3_server(endpoint, variable(kEndpoints)).empty();
}

diag::Result<S3Location> s3_location(const value::Value& s3, const std::string& name_space,
                                     const Lookup& lookup) {
  S3Location location;
  location.host = s3_server(s3["endpoint"].string_or(""), variable(kEndpoints));
  const std::string host(host_of(location.host));
  location.scheme = s3["insecure"].bool_or(false) ? "http" : "https";
  location.bucket = s3["bucket"].string_or("");
  location.region = region_of(s3, host);
  location.has_virtual_host = wants_virtual_host(s3, host);
  if (location.bucket.empty())
    return diag::fail(diag::Code::kInvalidManifest, "no bucket is given");
  if (location.has_virtual_host) location.host = location.bucket + "." + location.host;
  if (!s3["roleARN"].string_or("").empty()) {
    return diag::fail(diag::Code::kInvalidManifest, "roleARN is not acted on: give keys");
  }
  TRY(location.credentials, credentials_of(s3, name_space, lookup));
  TRY(location.certificates, secret_of(s3["caSecret"], name_space, lookup));
  const value::Value& encryption = s3["encryptionOptions"];
  if (encryption["serverSideCustomerKeySecret"].is_map()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "encryptionOptions.serverSideCustomerKeySecret is not acted on");
  }
  if (encryption["enableEncryption"].bool_or(false)) {
    location.kms_key = encryption["kmsKeyId"].string_or("");
    location.encryption = location.kms_key.empty() ? "AES256" : "aws:kms";
    if (!location.kms_key.empty()) {
      TRY(location.kms_context, kms_context_of(encryption));
    }
  }
  return location;
}

}  // namespace tiphys::executor
