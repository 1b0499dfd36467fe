// A resubmitted workflow must be the user's own again, without what its first run left on it.
#include "cli/resubmit.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::cli {
namespace {

std::string again(std::string_view old, bool is_suspended = false,
                  const std::vector<std::string>& parameters = {}) {
  auto made = resubmitted(*value::parse_json(old), is_suspended, parameters);
  return made ? value::to_json((*made)["metadata"]) + value::to_json((*made)["spec"])
              : "error: " + made.error().message;
}

TEST(Resubmitted, GetsAGeneratedNameAndALabelWithTheOldOne) {
  EXPECT_EQ(again(R"({"metadata":{"name":"w","namespace":"n","uid":"u"},"spec":{}})"),
            R"({"generateName":"w-","labels":{"workflows.argoproj.io/resubmitted-from-workflow":)"
            R"("w"},"namespace":"n"}{})");
  EXPECT_TRUE(again(R"({"metadata":{"name":"g-abcde","generateName":"g-"}})")
                  .starts_with(R"({"generateName":"g-")"));
}

TEST(Resubmitted, KeepsTheUsersLabelsAndAnnotations) {
  EXPECT_EQ(again(R"({"metadata":{"name":"w","annotations":{"a":"1"},"labels":{"b":"2",
                      "workflows.argoproj.io/phase":"Failed",
                      "workflows.argoproj.io/completed":"true",
                      "workflows.argoproj.io/creator":"me"}},"spec":{}})"),
            R"({"annotations":{"a":"1"},"generateName":"w-","labels":{"b":"2",)"
            R"("workflows.argoproj.io/resubmitted-from-workflow":"w"}}{})");
}

TEST(Resubmitted, ForgetsShutdownAndAResumedSuspension) {
  const char* old = R"({"metadata":{"name":"w"},"spec":{"entrypoint":"m","shutdown":"Stop",
                        "suspend":true,"activeDeadlineSeconds":0}})";
  EXPECT_TRUE(again(old).ends_with(R"({"entrypoint":"m"})"));
  EXPECT_TRUE(again(old, true).ends_with(R"({"entrypoint":"m","suspend":true})"));
}

TEST(Resubmitted, TakesOtherParameters) {
  const char* old = R"({"metadata":{"name":"w"},
                        "spec":{"arguments":{"parameters":[{"name":"a","value":"1"}]}}})";
  EXPECT_TRUE(again(old, false, {"a=2"})
                  .ends_with(R"({"arguments":{"parameters":[{"name":"a","value":"2"}]}})"));
  EXPECT_TRUE(again(old, false, {"a"}).starts_with("error: "));
}

}  // namespace
}  // namespace tiphys::cli
