// Goal: editors and CI systems read what lint found.
#include "cli/lint_formats.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::cli {
namespace {

std::vector<diag::Diagnostic> findings() {
  return {{diag::Severity::kWarning,
           {diag::Code::kBadExpression, "there is no phase \"Fialed\"", {"a,b.yaml", 7, 3}},
           "did you mean \"Failed\"?"},
          {diag::Severity::kError, {diag::Code::kInvalidManifest, "50% is\nwrong", {}}, ""}};
}

TEST(LintFormats, Json) {
  const auto list = value::parse_json(format_findings("json", findings()));
  ASSERT_TRUE(list);
  ASSERT_EQ(list->list().size(), 2U);
  EXPECT_EQ(list->list()[0]["severity"].string_or(""), "error");
  EXPECT_EQ(value::to_json(list->list()[1], {.key_order = value::KeyOrder::kAsGiven}),
            R"({"file":"a,b.yaml","line":7,"column":3,"severity":"warning","rule":"expression",)"
            R"("message":"there is no phase \"Fialed\"","suggestion":"did you mean \"Failed\"?"})");
}

TEST(LintFormats, Sarif) {
  const auto log = value::parse_json(format_findings("sarif", findings()));
  ASSERT_TRUE(log);
  EXPECT_EQ((*log)["version"].string_or(""), "2.1.0");
  const value::Value& results = (*log)["runs"].list()[0]["results"];
  EXPECT_TRUE(results.list()[0]["locations"].is_null());
  const value::Value& place = results.list()[1]["locations"].list()[0]["physicalLocation"];
  EXPECT_EQ(place["region"]["startLine"].int_or(0), 7);
  EXPECT_EQ(place["artifactLocation"]["uri"].string_or(""), "a,b.yaml");
}

TEST(LintFormats, SarifWantsPathsAsUris) {
  const auto log = value::parse_json(format_findings(
      "sarif", {{diag::Severity::kError,
                 {diag::Code::kInvalidManifest, "wrong", {"my files/50%#é.yaml", 1, 1}},
                 ""}}));
  ASSERT_TRUE(log);
  const value::Value& result = (*log)["runs"].list()[0]["results"].list()[0];
  EXPECT_EQ(
      result["locations"].list()[0]["physicalLocation"]["artifactLocation"]["uri"].string_or(""),
      "my%20files/50%25%23%C3%A9.yaml");
}

TEST(LintFormats, AnnotationsOfGitHub) {
  EXPECT_EQ(format_findings("github", findings()),
            "::error::50%25 is%0Awrong\n"
            "::warning file=a%2Cb.yaml,line=7,col=3::there is no phase \"Fialed\"; did you mean "
            "\"Failed\"?\n");
}

}  // namespace
}  // namespace tiphys::cli
