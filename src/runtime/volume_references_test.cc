#include "runtime/volume_references.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::runtime {
namespace {

value::Value json(std::string text) { return value::parse_json(text).value(); }

std::string told_of(std::string body) {
  static const value::Value spec = json(
      R"({"volumes":[{"name":"v","emptyDir":{}}],
          "volumeClaimTemplates":[{"metadata":{"name":"c"}}]})");
  const auto checked = check_volume_references(json(std::move(body)), spec);
  return checked ? "" : checked.error().message;
}

TEST(VolumeReferences, AreOfTheTemplateTheWorkflowOrItsClaims) {
  EXPECT_EQ("", told_of(R"({"volumes":[{"name":"own"}],
                            "container":{"volumeMounts":[{"name":"own"},{"name":"v"},{"name":"c"}]}})"));
  EXPECT_EQ("", told_of(R"({"suspend":{}})"));
}

TEST(VolumeReferences, ThatTheWorkflowHasNotAreToldInArgosWords) {
  constexpr const char* kMissing = "volume 'nope' not found in workflow spec";
  EXPECT_EQ(kMissing, told_of(R"({"container":{"volumeMounts":[{"name":"nope"}]}})"));
  EXPECT_EQ(kMissing, told_of(R"({"script":{"volumeMounts":[{"name":"v"},{"name":"nope"}]}})"));
  EXPECT_EQ(kMissing, told_of(R"({"containerSet":{"volumeMounts":[{"name":"nope"}]}})"));
  EXPECT_EQ(kMissing,
            told_of(R"({"containerSet":{"containers":[{"volumeMounts":[{"name":"nope"}]}]}})"));
  EXPECT_EQ(kMissing,
            told_of(R"({"container":{},"sidecars":[{"volumeMounts":[{"name":"nope"}]}]})"));
  EXPECT_EQ(kMissing,
            told_of(R"({"container":{},"initContainers":[{"volumeMounts":[{"name":"nope"}]}]})"));
}

}  // namespace
}  // namespace tiphys::runtime
