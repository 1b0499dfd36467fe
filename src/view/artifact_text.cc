#include "view/artifact_text.h"

#include <fmt/format.h>

namespace tiphys::view {

namespace {

using value::Value;

std::string bool_pointer(const Value& v) {
  if (!v.is_bool()) return "nil";
  return v.as_bool() ? "*true" : "*false";
}

std::string key_selector(const Value& v) {
  if (!v.is_map()) return "nil";
  return fmt::format(
      "&v1.SecretKeySelector{{LocalObjectReference:LocalObjectReference{{Name:{},}},Key:{},"
      "Optional:{},}}",
      v["name"].string_or(""), v["key"].string_or(""), bool_pointer(v["optional"]));
}

std::string s3_text(const Value& s3) {
  return fmt::format(
      "&S3Artifact{{S3Bucket:S3Bucket{{Endpoint:{},Bucket:{},Region:{},Insecure:{},"
      "AccessKeySecret:{},SecretKeySecret:{},RoleARN:{},UseSDKCreds:{},"
      "CreateBucketIfNotPresent:nil,EncryptionOptions:nil,CASecret:{},SessionTokenSecret:{},"
      "AddressingStyle:{},}},Key:{},}}",
      s3["endpoint"].string_or(""), s3["bucket"].string_or(""), s3["region"].string_or(""),
      bool_pointer(s3["insecure"]), key_selector(s3["accessKeySecret"]),
      key_selector(s3["secretKeySecret"]), s3["roleARN"].string_or(""),
      s3["useSDKCreds"].bool_or(false), key_selector(s3["caSecret"]),
      key_selector(s3["sessionTokenSecret"]), s3["addressingStyle"].string_or(""),
      s3["key"].string_or(""));
}

std::string http_text(const Value& http) {
  std::string headers;
  for (const Value& h : http["headers"].list()) {
    headers += fmt::format("Header{{Name:{},Value:{},}},", h["name"].string_or(""),
                           h["value"].string_or(""));
  }
  return fmt::format("&HTTPArtifact{{URL:{},Headers:[]Header{{{}}},Auth:{},SaveStreamViaFile:{},}}",
                     http["url"].string_or(""), headers,
                     http["auth"].is_map() ? "&HTTPAuth{}" : "nil",
                     http["saveStreamViaFile"].bool_or(false));
}

}  // namespace

std::string artifact_text(const Value& artifact) {
  if (const Value& s3 = artifact["s3"]; s3.is_map()) return s3_text(s3);
  if (const Value& http = artifact["http"]; http.is_map()) return http_text(http);
  if (const Value& raw = artifact["raw"]; raw.is_map()) {
    return fmt::format("&RawArtifact{{Data:{},}}", raw["data"].string_or(""));
  }
  if (const Value& gcs = artifact["gcs"]; gcs.is_map()) {
    return fmt::format(
        "&GCSArtifact{{GCSBucket:GCSBucket{{Bucket:{},ServiceAccountKeySecret:{},}},"
        "Key:{},}}",
        gcs["bucket"].string_or(""), key_selector(gcs["serviceAccountKeySecret"]),
        gcs["key"].string_or(""));
  }
  return "";
}

}  // namespace tiphys::view
