// A ready template that cannot be used is worse than none: each is a manifest without findings, for
// a channel that knows its fields.
#include "notify/library.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "notify/channel.h"
#include "spec/manifest.h"

namespace tiphys::notify {
namespace {

TEST(Library, HasAManifestForEachName) {
  for (const LibraryTemplate& t : library()) {
    std::vector<diag::Diagnostic> findings;
    const auto manifests = spec::load_manifests(t.yaml, std::string(t.name), findings);
    ASSERT_EQ(manifests.size(), 1U) << t.name;
    EXPECT_TRUE(findings.empty()) << t.name << findings.front().error.message;
    EXPECT_EQ(manifests[0].kind, "ClusterWorkflowTemplate");
    EXPECT_EQ(manifests[0].name, t.name);
    EXPECT_TRUE(t.description.ends_with('.') && t.description.size() < 100) << t.description;
    EXPECT_EQ(find_in_library(t.name), &t);
  }
  EXPECT_EQ(find_in_library("nothing"), nullptr);
}

TEST(Library, HasATemplateForEachKindOfChannel) {
  std::set<std::string> kinds;
  for (const LibraryTemplate& t : library()) {
    std::vector<diag::Diagnostic> findings;
    const auto manifests = spec::load_manifests(t.yaml, std::string(t.name), findings);
    for (const value::Value& body : manifests.at(0).object["spec"]["templates"].list()) {
      const value::Value& notify = body["plugin"]["tiphys"]["notify"];
      if (notify.is_null()) continue;
      kinds.emplace(notify["kind"].string_or(""));
      const Channel* channel = find_channel(notify["kind"].string_or(""));
      ASSERT_NE(channel, nullptr) << t.name;
      for (const std::string& problem : channel->problems(notify["config"])) {
        // what a parameter will be is not known here
        EXPECT_TRUE(problem.find("unknown") == std::string::npos &&
                    problem.find("required") == std::string::npos)
            << t.name << ": " << problem;
      }
    }
  }
  const auto all = channel_kinds();
  EXPECT_TRUE(std::ranges::equal(kinds, all));
}

TEST(Library, HasTheTemplatesOfTheExamples) {
  for (const char* name : {"step-notify-webhook", "step-notify-email"}) {
    std::ostringstream text;
    text << std::ifstream("examples/" + std::string(name) + ".yaml").rdbuf();
    ASSERT_NE(find_in_library(name), nullptr) << name;
    EXPECT_EQ(find_in_library(name)->yaml, text.str()) << name;
  }
}

}  // namespace
}  // namespace tiphys::notify
