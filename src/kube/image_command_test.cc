// The words of containers without `command`, and which images have to be asked about.
#include "kube/image_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kube/pod_spec.h"
#include "step/contract.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using value::Value;

Value json(std::string_view text) { return value::parse_json(text).value(); }

executor::Task task_of(std::string_view body) {
  executor::Task task;
  task.key = "uid.node";
  task.workflow = "wf";
  task.name_space = "steps";
  task.node_name = "wf";
  task.pod_name = "wf";
  task.template_body = json(body);
  return task;
}

const executor::Images kImages = {{"quay.io/app:1", {{"/run", "$(HOME) $$"}, {"a", "b"}}}};

TEST(ImageCommand, ArgsStandForCmdAndFollowTheEntrypoint) {
  const auto words = [](const char* container) {
    return image_words(json(container), kImages).value();
  };
  EXPECT_THAT(words(R"({"image": "quay.io/app:1"})"),
              ElementsAre("/run", "$$(HOME) $$$$", "a", "b"));
  EXPECT_THAT(words(R"({"image": "quay.io/app:1", "args": []})"),
              ElementsAre("/run", "$$(HOME) $$$$", "a", "b"));
  // the kubelet replaces names in args, as they are the template's
  EXPECT_THAT(words(R"j({"image": "quay.io/app:1", "args": ["$(HOME)", "$$(HOME)"]})j"),
              ElementsAre("/run", "$$(HOME) $$$$", "$(HOME)", "$$(HOME)"));
  EXPECT_FALSE(image_words(json(R"({"image": "quay.io/other"})"), kImages));
}

TEST(ImageCommand, FindsTheImagesOfAllThatRunUnderTiphysStep) {
  const auto set = task_of(R"({"containerSet": {"containers": [
      {"name": "a", "image": "quay.io/a"}, {"name": "b", "image": "quay.io/a"},
      {"name": "c", "image": "quay.io/c", "command": ["x"]},
      {"name": "d", "image": "quay.io/app:1"}]},
    "initContainers": [{"name": "i", "image": "quay.io/init"}],
    "sidecars": [{"name": "s", "image": "quay.io/side"}, {"name": "t", "image": "busybox"}]})");
  EXPECT_THAT(unknown_images(set, kImages), ElementsAre("quay.io/a", "quay.io/side"));
  EXPECT_THAT(unknown_images(task_of(R"({"container": {"image": "quay.io/app:2"}})"), kImages),
              ElementsAre("quay.io/app:2"));
  EXPECT_THAT(unknown_images(task_of(R"({"script": {"image": "x/y", "source": "z"}})"), kImages),
              ElementsAre("x/y"));
  EXPECT_THAT(unknown_images(task_of(R"({"container": {"image": "x/y", "args": ["z"]}})"), kImages),
              ElementsAre("x/y"));
  EXPECT_THAT(unknown_images(task_of(R"({"data": {}})"), kImages), IsEmpty());
}

TEST(ImageCommand, AsksForImagesThatStartByAScript) {
  const auto unknown = [](const std::string& image, const executor::Images& images) {
    return unknown_images(task_of(R"({"container": {"image": ")" + image + R"("}})"), images);
  };
  for (const char* image : {"node", "node:20", "docker.io/library/node:20-alpine", "bash"}) {
    EXPECT_THAT(unknown(image, {}), ElementsAre(image));
  }
  EXPECT_THAT(unknown("node:20", {{"node", {{"n"}, {}}}}), IsEmpty());
  EXPECT_THAT(unknown("node:20", {{"node:20", {{"n"}, {}}}}), IsEmpty());
  EXPECT_THAT(unknown("python:3", {}), IsEmpty());
}

value::List words_of_main(std::string_view body) {
  const auto pod =
      make_pod(task_of(body), {}, {.engine = "e", .step_image = "tiphys-step", .images = kImages});
  const Value main = (*pod)["spec"]["containers"].list().at(0);
  value::List words = main["command"].list();
  for (const Value& arg : main["args"].list()) words.push_back(arg);
  return words;
}

TEST(ImageCommand, APodRunsTheWordsUnderTiphysStep) {
  const value::List words = words_of_main(R"({"container": {"image": "quay.io/app:1"}})");
  ASSERT_EQ(words.size(), 7U);
  EXPECT_EQ(words[1], Value("run"));
  EXPECT_EQ(words[2], Value("--"));
  EXPECT_EQ(words[3], Value("/run"));
  EXPECT_EQ(words[6], Value("b"));
}

TEST(ImageCommand, AScriptStandsForCmdAndFollowsArgs) {
  const auto text = [](std::string_view body) { return value::to_json(words_of_main(body)); };
  const std::string program = std::string("[\"") + step::kProgram + R"(","run","--",)";
  EXPECT_EQ(text(R"({"script": {"image": "quay.io/app:1", "source": "x"}})"),
            program + R"("/run","$$(HOME) $$$$","/argo/staging/script"])");
  const char* const own = R"({"script": {"image": "quay.io/app:1", "source": "x",
                                         "command": ["python"], "args": ["-u"]}})";
  EXPECT_EQ(text(own), program + R"("python","-u","/argo/staging/script"])");
}

}  // namespace
}  // namespace tiphys::kube
