// Which claims go with the end of their workflow.
#include "runtime/claim_gc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::runtime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

value::Value spec_with(std::string_view gc) {
  return value::parse_json(std::string(R"({"volumeClaimTemplates":[{"metadata":{"name":"a"}},
                             {"metadata":{"name":"b"}}])") +
                           std::string(gc) + "}")
      .value();
}

TEST(ClaimGc, ThoseOfASuccessGoAndThoseOfAFailureStay) {
  EXPECT_THAT(claims_to_remove(spec_with(""), "w", "Succeeded"), ElementsAre("w-a", "w-b"));
  EXPECT_THAT(claims_to_remove(spec_with(""), "w", "Failed"), IsEmpty());
}

TEST(ClaimGc, AllGoWhenTheWorkflowSaysSo) {
  const auto spec = spec_with(R"(,"volumeClaimGC":{"strategy":"OnWorkflowCompletion"})");
  EXPECT_THAT(claims_to_remove(spec, "w", "Error"), ElementsAre("w-a", "w-b"));
}

TEST(ClaimGc, AWorkflowWithoutClaimsHasNone) {
  EXPECT_THAT(claims_to_remove(value::Value(value::Map{}), "w", "Succeeded"), IsEmpty());
}

}  // namespace
}  // namespace tiphys::runtime
