// The conversation with a registry: who asks, what is chosen from what it says, and what a person
// reads when it does not work.
#include "kube/image_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "executor/sigv4.h"
#include "expr/base64.h"
#include "kube/auth_challenge.h"
#include "kube/image_manifest.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

value::Value json(std::string_view text) { return value::parse_json(text).value(); }
std::string digest_of(std::string_view text) { return "sha256:" + executor::sha256_hex(text); }
ImageReference image(std::string_view name) { return parse_image_reference(name).value(); }

TEST(AuthChallenge, ReadsWhatRegistriesSend) {
  const auto all = parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",)"
      R"(scope="repository:library/busybox:pull,push")");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].scheme, "bearer");
  EXPECT_EQ(all[0].parameter("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(all[0].parameter("scope"), "repository:library/busybox:pull,push");
  EXPECT_EQ(all[0].parameter("error"), "");
  EXPECT_EQ(token_url(all[0], "other"),
            "https://auth.docker.io/token?service=registry.docker.io&scope="
            "repository%3Alibrary%2Fbusybox%3Apull%2Cpush");
}

TEST(AuthChallenge, ReadsSeveralInOneLineAndOddBlanks) {
  const auto all = parse_challenges("  BASIC Realm = \"a \\\"b\\\", c\" , bearer realm=x,error=y");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].scheme, "basic");
  EXPECT_EQ(all[0].parameter("realm"), "a \"b\", c");
  EXPECT_EQ(all[1].scheme, "bearer");
  EXPECT_EQ(all[1].parameter("error"), "y");
}

TEST(AuthChallenge, EndsOnAnyText) {
  EXPECT_THAT(parse_challenges(""), IsEmpty());
  for (const char* text : {"=", "\"", "a=\"", "Bearer realm=\"x\\", ",,,", "=\"=\"\"\"", "Basic",
                           "Negotiate abc==", "a\"b\"c"}) {
    (void)parse_challenges(text);
  }
  EXPECT_THAT(parse_challenges("realm=\"x\""), IsEmpty());  // of no scheme
}

TEST(AuthChallenge, AsksForTheRepositoryWhenNoScopeIsNamed) {
  const auto all = parse_challenges("Bearer realm=\"https://x/token?a=b\"");
  EXPECT_EQ(token_url(all.at(0), "repository:a/b:pull"),
            "https://x/token?a=b&scope=repository%3Aa%2Fb%3Apull");
}

TEST(ImageManifest, ChoosesThePlatformOfAnIndex) {
  const auto index = json(R"({"manifests": [
      {"digest": "w", "platform": {"os": "windows", "architecture": "amd64"}},
      {"digest": "a", "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
      {"digest": "i", "platform": {"os": "linux", "architecture": "amd64"}},
      {"digest": "?", "platform": {"os": "unknown", "architecture": "unknown"}}]})");
  EXPECT_EQ(part_after(index, "amd64")->digest, "i");
  EXPECT_EQ(part_after(index, "arm64")->digest, "a");
  EXPECT_FALSE(part_after(index, "arm64")->is_config);
  EXPECT_EQ(part_after(index, "riscv64")->digest, "a");  // starts the same
}

TEST(ImageManifest, TakesAnImageWithoutPlatformLast) {
  EXPECT_EQ(part_after(json(R"({"manifests": [{"digest": "x"}]})"), "amd64")->digest, "x");
  const auto index = json(R"({"manifests": [{"digest": "x"},
      {"digest": "y", "platform": {"os": "linux", "architecture": "s390x"}}]})");
  EXPECT_EQ(part_after(index, "amd64")->digest, "y");
}

TEST(ImageManifest, RefusesWhatHasNoImageForLinux) {
  for (const char* text :
       {R"({"manifests": []})",
        R"({"manifests": [{"digest": "w", "platform": {"os": "windows"}}]})",
        R"({"schemaVersion": 1, "fsLayers": []})", R"({"schemaVersion": 2})", "{}"}) {
    EXPECT_FALSE(part_after(json(text), "amd64")) << text;
  }
}

TEST(ImageManifest, ReadsAConfiguration) {
  const auto start = start_in(json(R"({"config": {"Entrypoint": ["a", "b"], "Cmd": ["c"]}})"));
  EXPECT_THAT(start->entrypoint, ElementsAre("a", "b"));
  EXPECT_THAT(start->cmd, ElementsAre("c"));
  EXPECT_THAT(start_in(json(R"({"config": {"Entrypoint": null}})"))->entrypoint, IsEmpty());
  EXPECT_TRUE(start_in(json(R"({"rootfs": {"type": "layers"}})")));
  EXPECT_FALSE(start_in(json(R"({"name": "a chart", "version": "1.0.0"})")));
}

std::string docker_config(const std::string& auths) { return R"({"auths": {)" + auths + "}}"; }

std::vector<std::string> users(const std::string& name, const std::vector<std::string>& configs) {
  std::vector<std::string> all;
  for (const Credential& c : credentials_for(image(name), configs)) {
    all.push_back(c.user + ":" + c.password);
  }
  return all;
}

TEST(RegistryCredentials, ReadsBothForms) {
  const std::string packed = expr::base64_encode("ann:pass:word");
  EXPECT_THAT(users("quay.io/a", {docker_config(R"("quay.io": {"auth": ")" + packed + R"("})")}),
              ElementsAre("ann:pass:word"));
  EXPECT_THAT(
      users("quay.io/a", {docker_config(R"("quay.io": {"username": "bob", "password": "p"})")}),
      ElementsAre("bob:p"));
  EXPECT_THAT(users("quay.io/a", {R"({"quay.io": {"username": "old", "password": "p"}})"}),
              ElementsAre("old:p"));  // .dockercfg
}

TEST(RegistryCredentials, KnowsDockerHubByItsNames) {
  for (const char* key : {"https://index.docker.io/v1/", "index.docker.io", "docker.io",
                          "registry-1.docker.io", "https://docker.io"}) {
    EXPECT_THAT(users("busybox", {docker_config("\"" + std::string(key) +
                                                R"(": {"username": "u", "password": "p"})")}),
                ElementsAre("u:p"))
        << key;
  }
}

TEST(RegistryCredentials, ComparesPortsGlobsAndPaths) {
  const auto has = [](const std::string& key, const std::string& name) {
    return !users(name, {docker_config("\"" + key + R"(": {"username": "u", "password": "p"})")})
                .empty();
  };
  EXPECT_TRUE(has("localhost:5000", "localhost:5000/a"));
  EXPECT_FALSE(has("localhost:5000", "localhost:5001/a"));
  EXPECT_FALSE(has("localhost", "localhost:5000/a"));
  EXPECT_TRUE(has("[::1]:5000", "[::1]:5000/a"));
  EXPECT_TRUE(has("*.example.com", "eu.example.com/a"));
  EXPECT_TRUE(has("reg-?.*.com", "reg-1.example.com/a"));
  EXPECT_FALSE(has("*.com", "eu.example.com/a"));
  EXPECT_FALSE(has("*.example.com", "example.com/a"));
  EXPECT_FALSE(has("example.com", "evil-example.com/a"));
  EXPECT_TRUE(has("https://quay.io/v2/team/", "quay.io/team/app"));
  EXPECT_FALSE(has("quay.io/team", "quay.io/other/app"));
  EXPECT_FALSE(
      has(std::string(30, '*') + "b.example.com", std::string(60, 'a') + ".example.com/a"));
}

TEST(RegistryCredentials, PutsTheMostParticularFirstAndEachOnce) {
  const std::string config = docker_config(
      R"("quay.io": {"username": "all", "password": "p"},
         "quay.io/team": {"username": "team", "password": "p"})");
  EXPECT_THAT(users("quay.io/team/app", {config, config}), ElementsAre("team:p", "all:p"));
}

TEST(RegistryCredentials, LeavesOutWhatCannotBeRead) {
  EXPECT_THAT(users("quay.io/a", {"", "{", "[]", "7", docker_config(R"("quay.io": {})"),
                                  docker_config(R"("quay.io": {"auth": "%%%"})"),
                                  docker_config(R"("quay.io": {"auth": "bm9jb2xvbg=="})"),
                                  docker_config(R"("quay.io": 7)")}),
              IsEmpty());
}

/// A look-up whose answers the test gives.
struct ImageLookupTest : testing::Test {
  const std::string config = R"({"config": {"Entrypoint": ["/run"], "Cmd": ["x"]}})";
  const std::string manifest =
      R"({"schemaVersion": 2, "config": {"digest": ")" + digest_of(config) + R"("}})";
  const std::string index = R"({"manifests": [{"digest": ")" + digest_of(manifest) +
                            R"(", "platform": {"os": "linux", "architecture": "amd64"}}]})";
  const RegistryAnswer wants_token = {
      .status = 401, .challenges = {R"(Bearer realm="https://auth/token",service="s")"}};
  const RegistryAnswer wants_password = {.status = 401, .challenges = {"Basic realm=\"r\""}};
  const Credential ann = {"ann", "s3cret"};
  const Credential bob = {"bob", "hidden"};

  static ImageLookup lookup(const std::string& name, std::vector<Credential> who = {},
                            bool uses_tls = true) {
    return {image(name), std::move(who), uses_tls, "amd64"};
  }
  static std::string error(const ImageLookup::End& end) {
    if (!end) return "it goes on";
    return *end ? "it is found" : end->error().message;
  }
};

TEST_F(ImageLookupTest, GoesThroughAnIndexToTheConfiguration) {
  ImageLookup l = lookup("busybox:1");
  EXPECT_EQ(l.request().url, "https://registry-1.docker.io/v2/library/busybox/manifests/1");
  EXPECT_EQ(l.request().accept, kManifestTypes);
  EXPECT_EQ(l.request().authorization, "");
  ASSERT_FALSE(l.take({.status = 200, .body = index}));
  EXPECT_THAT(l.request().url, HasSubstr("/manifests/" + digest_of(manifest)));
  ASSERT_FALSE(l.take({.status = 200, .body = manifest}));
  EXPECT_THAT(l.request().url, HasSubstr("/blobs/" + digest_of(config)));
  const auto end = l.take({.status = 200, .body = config});
  ASSERT_TRUE(end && *end) << error(end);
  EXPECT_THAT((*end)->entrypoint, ElementsAre("/run"));
  EXPECT_THAT((*end)->cmd, ElementsAre("x"));
}

TEST_F(ImageLookupTest, GetsATokenAndKeepsIt) {
  ImageLookup l = lookup("quay.io/org/app", {ann});
  ASSERT_FALSE(l.take(wants_token));
  EXPECT_EQ(l.request().url, "https://auth/token?service=s&scope=repository%3Aorg%2Fapp%3Apull");
  EXPECT_EQ(l.request().authorization, "Basic " + expr::base64_encode("ann:s3cret"));
  ASSERT_FALSE(l.take({.status = 200, .body = R"({"token": "", "access_token": "t0"})"}));
  EXPECT_THAT(l.request().url, HasSubstr("/v2/org/app/manifests/latest"));
  EXPECT_EQ(l.request().authorization, "Bearer t0");
  ASSERT_FALSE(l.take({.status = 200, .body = manifest}));
  EXPECT_EQ(l.request().authorization, "Bearer t0");
}

TEST_F(ImageLookupTest, GetsATokenWithoutCredentials) {
  ImageLookup l = lookup("busybox");
  ASSERT_FALSE(l.take(wants_token));
  EXPECT_EQ(l.request().authorization, "");
  ASSERT_FALSE(l.take({.status = 200, .body = R"({"token": "t"})"}));
  EXPECT_EQ(l.request().authorization, "Bearer t");
  EXPECT_EQ(error(l.take({.status = 401})),
            "docker.io answered 401: there is no such image, or it needs imagePullSecrets");
}

TEST_F(ImageLookupTest, TriesEachCredential) {
  ImageLookup l = lookup("quay.io/a", {ann, bob});
  ASSERT_FALSE(l.take(wants_password));
  EXPECT_EQ(l.request().authorization, "Basic " + expr::base64_encode("ann:s3cret"));
  ASSERT_FALSE(l.take(wants_password));
  EXPECT_EQ(l.request().authorization, "");
  ASSERT_FALSE(l.take(wants_token));  // another way for another user
  EXPECT_EQ(l.request().authorization, "Basic " + expr::base64_encode("bob:hidden"));
  const std::string message = error(l.take({.status = 401}));
  EXPECT_EQ(message,
            "quay.io answered 401: there is no such image, or the imagePullSecrets do not suffice");
}

TEST_F(ImageLookupTest, SendsNoPasswordOverAnOpenLine) {
  const RegistryAnswer open = {.status = 401, .challenges = {"Bearer realm=\"http://auth/t\""}};
  ImageLookup secure = lookup("quay.io/a", {ann});
  EXPECT_EQ(error(secure.take(open)), "quay.io names a token server without TLS");
  ImageLookup local = lookup("localhost:5000/a", {ann}, false);
  EXPECT_FALSE(local.take(open));
  EXPECT_EQ(local.request().url, "http://auth/t?scope=repository%3Aa%3Apull");
  ImageLookup file = lookup("localhost:5000/a", {ann}, false);
  EXPECT_EQ(error(file.take({.status = 401, .challenges = {"Bearer realm=\"file:///x\""}})),
            "localhost:5000 names a token server without TLS");
}

TEST_F(ImageLookupTest, TakesNoTokenThatEndsItsHeader) {
  for (const char* body : {R"({"token": "a\r\nX: y"})", "{}", "no json", R"({"token": 7})"}) {
    ImageLookup l = lookup("quay.io/a");
    ASSERT_FALSE(l.take(wants_token));
    EXPECT_EQ(error(l.take({.status = 200, .body = body})), "quay.io's token server gave no token");
  }
}

TEST_F(ImageLookupTest, SaysWhatItWasAnswered) {
  const auto after = [](const RegistryAnswer& answer) {
    ImageLookup l = lookup("quay.io/a:2");
    const auto end = l.take(answer);
    const bool is_passing = end && !*end && end->error().code == diag::Code::kIo;
    return error(end) + (is_passing ? " (passing)" : "");
  };
  EXPECT_EQ(after({.status = 404, .body = R"({"errors": [{"code": "MANIFEST_UNKNOWN"}]})"}),
            "quay.io answered 404 MANIFEST_UNKNOWN: there is no such image");
  EXPECT_EQ(after({.status = 429, .body = R"({"errors": [{"code": "TOOMANYREQUESTS"}]})"}),
            "quay.io answered 429 TOOMANYREQUESTS (passing)");
  EXPECT_EQ(after({.status = 503, .body = R"({"errors": [{"code": "a\nb"}]})"}),
            "quay.io answered 503 (passing)");
  EXPECT_EQ(after({.problem = "Could not resolve host"}),
            "quay.io: Could not resolve host (passing)");
  EXPECT_EQ(after({.status = 403}), "quay.io answered 403");
  EXPECT_EQ(after({.status = 401}), "quay.io answered 401, and not how to sign in");
  EXPECT_EQ(after({.status = 200, .body = "<html>"}), "quay.io sent no JSON object");
  EXPECT_EQ(after({.status = 200, .body = R"({"manifests": []})"}),
            "quay.io/a:2 has no image for linux");
  EXPECT_EQ(after({.status = 200, .body = R"({"config": {"digest": "../../x"}})"}),
            "quay.io sent a manifest with a digest that is none");
}

TEST_F(ImageLookupTest, BelievesNoDigestUnseen) {
  ImageLookup l = lookup("quay.io/a@" + digest_of(manifest));
  EXPECT_THAT(l.request().url, HasSubstr("/manifests/sha256:"));
  EXPECT_EQ(error(l.take({.status = 200, .body = manifest + " "})),
            "quay.io sent something else than what its digest names");
}

TEST_F(ImageLookupTest, EndsAnIndexThatGoesOnForEver) {
  ImageLookup l = lookup("quay.io/a");
  std::string body = manifest;
  std::vector<std::string> nested;
  for (int i = 0; i < 10; ++i) {
    body = R"({"manifests": [{"digest": ")" + digest_of(body) + R"("}]})";
    nested.insert(nested.begin(), body);
  }
  ImageLookup::End end;
  std::size_t asked = 0;
  while (!end && asked < nested.size()) end = l.take({.status = 200, .body = nested[asked++]});
  EXPECT_EQ(error(end), "quay.io sent too many manifests in manifests");
}

TEST_F(ImageLookupTest, NeverTellsCredentials) {
  const RegistryAnswer echo = {.status = 400, .body = R"({"errors": [{"code": "s3cret"}]})"};
  ImageLookup l = lookup("quay.io/a", {ann});
  ASSERT_FALSE(l.take(wants_password));
  EXPECT_THAT(error(l.take(echo)), Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace tiphys::kube
