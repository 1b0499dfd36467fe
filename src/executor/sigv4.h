// AWS Signature Version 4, by which S3 servers know who asks.
//
// Pure; checked against the examples that AWS publishes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiphys::executor {

struct S3Credentials {
  std::string access_key;  // empty: requests are not signed
  std::string secret_key;
  std::string session_token;
};

/// What is signed of a request.
struct SignedRequest {
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  std::string method;
  std::string path;          // not encoded, e.g. `/bucket/a b`
  Pairs query = {};          // not encoded
  Pairs headers = {};        // all that are signed, `host` among them; names in lower case
  std::string payload_hash;  // SHA-256 in hex, or UNSIGNED-PAYLOAD
};

/// The value of the header Authorization. `time` is that of the header x-amz-date, such as
/// `20130524T000000Z`.
[[nodiscard]] std::string authorization(const SignedRequest& request, const S3Credentials& who,
                                        std::string_view region, std::string_view time);

/// The query of an address that needs no header Authorization: whoever has it may make the request
/// until `seconds` after `time`. `request` has no payload_hash, and a query of its own goes before.
[[nodiscard]] std::string presigned_query(const SignedRequest& request, const S3Credentials& who,
                                          std::string_view region, std::string_view time,
                                          int seconds);

/// `a=1&b=2`, encoded and in the order of the keys.
[[nodiscard]] std::string query_text(const SignedRequest::Pairs& query);

[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace tiphys::executor
