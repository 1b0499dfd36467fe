#include "executor/s3_location.h"

#include <gtest/gtest.h>

#include "executor/s3_xml.h"
#include "value/json.h"

namespace tiphys::executor {
namespace {

S3Location location(std::string_view json) {
  Lookup lookup;
  lookup.secret = [](const std::string& space, const std::string& name, const std::string& key) {
    return diag::Result<std::string>(space + "/" + name + "/" + key);
  };
  return s3_location(value::parse_json(json).value(), "ns", lookup).value();
}

TEST(S3Location, ServersOfAClusterAreFoldersOfThisMachine) {
  for (const char* endpoint : {"minio:9000", "minio", "minio.argo.svc:9000", "",
                               "http://minio:9000", "minio.argo.svc.cluster.local:9000"}) {
    EXPECT_EQ(s3_server(endpoint, ""), "") << endpoint;
  }
  for (const char* endpoint : {"s3.amazonaws.com", "127.0.0.1:9000", "localhost:9000", "[::1]:9"}) {
    EXPECT_EQ(s3_server(endpoint, ""), endpoint);
  }
  EXPECT_EQ(s3_server("https://s3.example.org", ""), "s3.example.org");
  EXPECT_EQ(s3_server("minio:9000", "a=b,minio:9000=127.0.0.1:7,c=d"), "127.0.0.1:7");
  EXPECT_EQ(s3_server("minio:9001", "minio:9000=127.0.0.1:7"), "");
}

TEST(S3Location, TakesAddressRegionAndKeys) {
  const S3Location amazon =
      location(R"({"endpoint": "s3.eu-west-1.amazonaws.com", "bucket": "b"})");
  EXPECT_EQ(amazon.scheme + " " + amazon.host + " " + amazon.region,
            "https b.s3.eu-west-1.amazonaws.com eu-west-1");
  const S3Location own = location(
      R"({"endpoint": "10.0.0.1:9000", "bucket": "b", "insecure": true, "region": "r",
          "accessKeySecret": {"name": "s", "key": "a"}, "secretKeySecret": {"name": "s", "key": "k"},
          "encryptionOptions": {"enableEncryption": true, "kmsKeyId": "id",
                                "kmsEncryptionContext": "{\"a\": \"b\"}"}})");
  EXPECT_EQ(own.scheme + " " + own.host + " " + own.region, "http 10.0.0.1:9000 r");
  EXPECT_FALSE(own.has_virtual_host);
  EXPECT_EQ(own.credentials.access_key + own.credentials.secret_key, "ns/s/ans/s/k");
  EXPECT_EQ(own.encryption + own.kms_key, "aws:kmsid");
  EXPECT_EQ(own.kms_context, "eyJhIjoiYiJ9");
  EXPECT_EQ(
      location(R"({"endpoint": "a.b", "bucket": "x", "addressingStyle": "virtual-hosted"})").host,
      "x.a.b");
}

TEST(S3Location, RefusesWhatItDoesNotActOn) {
  const auto refused = [](std::string_view json) {
    return s3_location(value::parse_json(json).value(), "ns", {}).error().message;
  };
  EXPECT_EQ(refused(R"({"endpoint": "a.b", "bucket": "x", "roleARN": "r"})"),
            "roleARN is not acted on: give keys");
  EXPECT_EQ(refused(R"({"endpoint": "a.b"})"), "no bucket is given");
  EXPECT_EQ(refused(R"({"endpoint": "a.b", "bucket": "x", "encryptionOptions": {
                        "enableEncryption": true, "kmsKeyId": "k", "kmsEncryptionContext": "x"}})"),
            "encryptionOptions.kmsEncryptionContext is no JSON object");
}

TEST(S3Xml, ReadsTextsAndTheirEntities) {
  EXPECT_EQ(xml_text("<E><Code>NoSuchKey</Code></E>", "Code"), "NoSuchKey");
  EXPECT_EQ(xml_text("<E/>", "Code"), "");
  EXPECT_EQ(xml_texts("<Key>a&amp;b</Key><Key>&#x26;&#65;&lt;&quot;&#228;</Key><Key>&no;&", "Key"),
            (std::vector<std::string>{"a&b", "&A<\"\xc3\xa4"}));
  EXPECT_EQ(xml_text("<Key>&no; & &#x110000;</Key>", "Key"), "&no; & &#x110000;");
  EXPECT_EQ(xml_escaped("<\"a&b\">"), "&lt;\"a&amp;b\"&gt;");
}

}  // namespace
}  // namespace tiphys::executor
