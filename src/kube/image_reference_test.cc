// Names of images must be understood as Docker and Kubernetes understand them, and what is none
// must not reach a URL.
#include "kube/image_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::kube {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

std::string full(std::string_view text) {
  const auto made = parse_image_reference(text);
  return made ? made->full() : made.error().message;
}

TEST(ImageReference, TakesWhatIsLeftOutFromDockerHub) {
  EXPECT_EQ(full("busybox"), "docker.io/library/busybox:latest");
  EXPECT_EQ(full("busybox:1.36"), "docker.io/library/busybox:1.36");
  EXPECT_EQ(full("argoproj/argosay:v2"), "docker.io/argoproj/argosay:v2");
  EXPECT_EQ(full("docker.io/busybox"), "docker.io/library/busybox:latest");
  EXPECT_EQ(full("index.docker.io/library/busybox"), "docker.io/library/busybox:latest");
  EXPECT_EQ(parse_image_reference("busybox")->host(), "registry-1.docker.io");
}

TEST(ImageReference, KnowsARegistryByItsName) {
  EXPECT_EQ(full("quay.io/org/app"), "quay.io/org/app:latest");
  EXPECT_EQ(full("localhost/app"), "localhost/app:latest");
  EXPECT_EQ(full("localhost:5000/app:2"), "localhost:5000/app:2");
  EXPECT_EQ(full("registry:5000/a/b/c"), "registry:5000/a/b/c:latest");
  EXPECT_EQ(full("[::1]:5000/app"), "[::1]:5000/app:latest");
  EXPECT_EQ(full("Registry/app"), "Registry/app:latest");
  EXPECT_EQ(full("registry/app"), "docker.io/registry/app:latest");
  EXPECT_EQ(parse_image_reference("quay.io:443/org/app")->host(), "quay.io:443");
}

TEST(ImageReference, ADigestStandsOverATag) {
  EXPECT_EQ(full("busybox@" + kDigest), "docker.io/library/busybox@" + kDigest);
  EXPECT_EQ(full("quay.io/org/app:1@" + kDigest), "quay.io/org/app@" + kDigest);
  EXPECT_EQ(parse_image_reference("busybox:1@" + kDigest)->version(), kDigest);
  EXPECT_EQ(parse_image_reference("busybox:1")->version(), "1");
}

TEST(ImageReference, TakesTheSeparatorsOfTheGrammar) {
  EXPECT_EQ(full("a.b/c__d/e---f:V_1.2-x"), "a.b/c__d/e---f:V_1.2-x");
}

TEST(ImageReference, RefusesWhatIsNone) {
  for (const char* text : {"",
                           ":1",
                           "/",
                           "a//b",
                           "quay.io/",
                           "quay.io/A",
                           "busybox:",
                           "busybox:a b",
                           "bus ybox",
                           "busybox?x=1",
                           "a/../b",
                           "a.b/c_",
                           "-a",
                           "a___b",
                           "a._b",
                           "quay.io:port/a",
                           "q_.io/a",
                           "quay.io:123456/a",
                           "user@quay.io/a",
                           "http://quay.io/a",
                           "[::1/a",
                           "[]/a.b",
                           "a@sha256:12",
                           "a\nb",
                           "quay.io/a:1\r\nX: y",
                           "a@"}) {
    const auto made = parse_image_reference(text);
    ASSERT_FALSE(made) << text;
    EXPECT_THAT(made.error().message, testing::StartsWith("\"" + std::string(text) + "\" is no"));
    EXPECT_EQ(made.error().code, diag::Code::kInvalidManifest);
  }
  EXPECT_FALSE(parse_image_reference(std::string(300, 'a')));
  EXPECT_FALSE(parse_image_reference("a:" + std::string(129, 'a')));
}

TEST(ImageReference, TellsRegistriesOfThisMachine) {
  for (const char* text :
       {"localhost", "localhost:5000", "127.0.0.1", "127.0.0.2:80", "[::1]:5000", "[::1]"}) {
    EXPECT_TRUE(is_local_registry(text)) << text;
  }
  for (const char* text : {"localhost.example.com", "127.example.com:5000", "10.0.0.1", "docker.io",
                           "[::2]", "[", ""}) {
    EXPECT_FALSE(is_local_registry(text)) << text;
  }
}

}  // namespace
}  // namespace tiphys::kube
