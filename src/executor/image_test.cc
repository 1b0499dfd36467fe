// What an image and a manifest come to together must be what Kubernetes defines: which words run,
// with which variables, under which name the image is found.
#include "executor/image.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "executor/image_facts.h"
#include "value/json.h"

namespace tiphys::executor {
namespace {

using testing::ElementsAre;

value::Value json(std::string_view text) { return value::parse_json(text).value(); }

ImageConfig config() {
  return parse_image_config(
      json(R"({"Entrypoint": ["/run.sh"], "Cmd": ["a", "b"], "Env": ["A=image",
    "B=image=2"], "WorkingDir": "/work", "User": "app"})"));
}

std::vector<std::string> words(const char* container) {
  return words_in_image(json(container), {}, config()).value();
}

TEST(ImageWords, AreTheImagesWhenTheManifestHasNone) {
  EXPECT_THAT(words(R"({"image": "x"})"), ElementsAre("/run.sh", "a", "b"));
}

TEST(ImageWords, ArgsReplaceCmd) {
  EXPECT_THAT(words(R"({"image": "x", "args": ["c"]})"), ElementsAre("/run.sh", "c"));
}

TEST(ImageWords, CommandReplacesEntrypointAndCmd) {
  EXPECT_THAT(words(R"({"image": "x", "command": ["sh"]})"), ElementsAre("sh"));
  EXPECT_THAT(words(R"({"image": "x", "command": ["sh"], "args": ["c"]})"), ElementsAre("sh", "c"));
}

TEST(ImageWords, AreAnErrorWhenNobodyHasAny) {
  EXPECT_FALSE(words_in_image(json(R"({"image": "x"})"), {}, {}));
}

TEST(ImageEnvironment, IsBelowTheContainersOwn) {
  Environment environment;
  environment.set("A", "manifest");
  add_image_environment(environment, config(), "pod", "/home/app");
  EXPECT_EQ(*environment.find("A"), "manifest");
  EXPECT_EQ(*environment.find("B"), "image=2");
  EXPECT_EQ(*environment.find("HOME"), "/home/app");
  EXPECT_EQ(*environment.find("HOSTNAME"), "pod");
  EXPECT_TRUE(environment.find("PATH")->starts_with("/usr/local/sbin:"));
}

TEST(ImageName, IsComparedInFull) {
  EXPECT_EQ(full_image_name("busybox"), "docker.io/library/busybox:latest");
  EXPECT_EQ(full_image_name("argoproj/argosay:v2"), "docker.io/argoproj/argosay:v2");
  EXPECT_EQ(full_image_name("localhost/x"), "localhost/x:latest");
  EXPECT_EQ(full_image_name("host:5000/x"), "host:5000/x:latest");
  EXPECT_EQ(full_image_name("a.b/c:1@sha256:12"), "a.b/c@sha256:12");
}

TEST(ImageFacts, RemembersWhatIsThereAndAsksAgainForWhatIsNot) {
  ImageFacts facts;
  int looks = 0;
  const auto look_at = [&](int result) {
    return [&looks, result] {
      ++looks;
      return result;
    };
  };
  EXPECT_EQ(facts.exec_error({"a", "b"}, {"/bin/x"}, look_at(ENOENT)), ENOENT);
  EXPECT_EQ(facts.exec_error({"a", "b"}, {"/bin/x"}, look_at(0)), 0);
  EXPECT_EQ(facts.exec_error({"a", "b"}, {"/bin/x"}, look_at(ENOENT)), 0);
  EXPECT_EQ(looks, 2);
  EXPECT_EQ(facts.exec_error({"a"}, {"/bin/x"}, look_at(EACCES)), EACCES);
  EXPECT_EQ(facts.text({"a"}, "/etc/passwd", [] { return std::string("one"); }), "one");
  EXPECT_EQ(facts.text({"a"}, "/etc/passwd", [] { return std::string("two"); }), "one");
  EXPECT_EQ(facts.text({"b"}, "/etc/passwd", [] { return std::string("two"); }), "two");
}

}  // namespace
}  // namespace tiphys::executor
