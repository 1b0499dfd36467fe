#include "executor/sigv4.h"

#include <gtest/gtest.h>

#include "net/http_text.h"

namespace tiphys::executor {
namespace {

// The examples of `Signature Calculations for the Authorization Header` in Amazon's S3 API
// reference: key, region, time and bucket are the same in all of them.
constexpr std::string_view kTime = "20130524T000000Z";
const std::string kEmpty = sha256_hex("");

SignedRequest request(std::string method, std::string path, std::string hash) {
  return {.method = std::move(method),
          .path = std::move(path),
          .headers = {{"host", "examplebucket.s3.amazonaws.com"},
                      {"x-amz-content-sha256", hash},
                      {"x-amz-date", std::string(kTime)}},
          .payload_hash = hash};
}

std::string signature_of(const SignedRequest& r) {
  const S3Credentials who = {.access_key = "AKIAIOSFODNN7EXAMPLE",
                             .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                             .session_token = ""};
  const std::string text = authorization(r, who, "us-east-1", kTime);
  return text.substr(text.rfind('=') + 1);
}

TEST(Sigv4, GetsAnObject) {
  SignedRequest r = request("GET", "/test.txt", kEmpty);
  r.headers.emplace_back("range", "bytes=0-9");
  EXPECT_EQ(signature_of(r), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(Sigv4, PutsAnObjectWithCharactersThatAreEncoded) {
  SignedRequest r = request("PUT", "/test$file.text", sha256_hex("Welcome to Amazon S3."));
  r.headers.emplace_back("date", "Fri, 24 May 2013 00:00:00 GMT");
  r.headers.emplace_back("x-amz-storage-class", "REDUCED_REDUNDANCY");
  EXPECT_EQ(signature_of(r), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(Sigv4, AsksForASubresource) {
  SignedRequest r = request("GET", "/", kEmpty);
  r.query = {{"lifecycle", ""}};
  EXPECT_EQ(signature_of(r), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(Sigv4, ListsObjects) {
  SignedRequest r = request("GET", "/", kEmpty);
  r.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_EQ(signature_of(r), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(Sigv4, NamesWhoSignsWhat) {
  const std::string text =
      authorization(request("GET", "/", kEmpty), {"KEY", "secret", ""}, "eu-1", kTime);
  EXPECT_TRUE(
      text.starts_with("AWS4-HMAC-SHA256 Credential=KEY/20130524/eu-1/s3/aws4_request,"
                       "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature="));
}

// The example of `Authenticating Requests: Using Query Parameters` there.
TEST(Sigv4, SignsAnAddress) {
  const SignedRequest r = {.method = "GET",
                           .path = "/test.txt",
                           .headers = {{"host", "examplebucket.s3.amazonaws.com"}},
                           .payload_hash = ""};
  const S3Credentials who = {.access_key = "AKIAIOSFODNN7EXAMPLE",
                             .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                             .session_token = ""};
  EXPECT_EQ(presigned_query(r, who, "us-east-1", kTime, 86400),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
            "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
            "X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(Sigv4, EncodesUrls) {
  EXPECT_EQ(net::uri_encoded("/a b/\xc3\xa4+~", true), "/a%20b/%C3%A4%2B~");
  EXPECT_EQ(net::uri_encoded("a/b", false), "a%2Fb");
  EXPECT_EQ(query_text({{"prefix", "a/"}, {"list-type", "2"}}), "list-type=2&prefix=a%2F");
}

}  // namespace
}  // namespace tiphys::executor
