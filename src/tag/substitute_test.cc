#include "tag/substitute.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::tag {
namespace {

using value::Value;

vars::MapScope sample() {
  vars::MapScope scope;
  scope.set("a.b", "v");
  scope.set("quote", "say \"hi\"\n");
  scope.set("inner", "b");
  scope.set("absent", nullptr);
  scope.set("esc", "\x1b[0m");
  return scope;
}
const Strictness kLenient = {};
const Strictness kAll = {.all = true};

// Goal: known tags are replaced as they are, unknown ones stay as they were written.
TEST(Substitute, Text) {
  const auto scope = sample();
  EXPECT_EQ(*substitute("x {{a.b}} {{ a.b }} y", scope, kLenient), "x v v y");
  EXPECT_EQ(*substitute("{{ zz }}{{a.b}}", scope, kLenient), "{{ zz }}v");
  EXPECT_EQ(*substitute("{{quote}}{{esc}}", scope, kAll), "say \"hi\"\n\x1b[0m");
  EXPECT_EQ(*substitute("no tags", scope, kAll), "no tags");
  EXPECT_EQ(*substitute("{{a.{{inner}}}}", scope, kLenient), "{{a.b}}");
}

// Goal: what must resolve and does not is a missing variable, so that the caller can wait for it.
TEST(Substitute, Strictness) {
  const auto scope = sample();
  const auto all = substitute("{{zz}}", scope, kAll);
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, diag::Code::kMissingVariable);
  EXPECT_EQ(all.error().message, "failed to resolve {{zz}}");
  const Strictness tasks = {.prefixes = {"tasks"}};
  EXPECT_FALSE(substitute("{{tasks.x.outputs.result}}", scope, tasks));
  EXPECT_TRUE(substitute("{{tasksx}}{{steps.x}}", scope, tasks));
  EXPECT_TRUE(substitute("{{tasks.x.outputs.artifacts.y}}", scope, tasks));
}

// Goal: the output of a skipped node is an error for good, in any mode.
TEST(Substitute, AbsentOptional) {
  const auto scope = sample();
  const auto got = substitute("{{absent}}", scope, kLenient);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, diag::Code::kInvalidManifest);
}

// Goal: an unclosed tag is plain text where tags may stay, and an error where everything must
// resolve.
TEST(Substitute, Unclosed) {
  const auto scope = sample();
  EXPECT_EQ(*substitute("{{a.b}} {{a.b", scope, kLenient), "v {{a.b");
  EXPECT_FALSE(substitute("{{a.b", scope, kAll));
}

// Goal: in values keys and strings are replaced, and what has no tags is shared.
TEST(Substitute, Values) {
  const auto scope = sample();
  const Value v = *value::parse_json(R"({"{{a.b}}":["{{a.b}}",1,{"k":"x"}],"same":{"k":[1,2]}})");
  const auto got = substitute(v, scope, kLenient);
  ASSERT_TRUE(got);
  EXPECT_EQ(value::to_json(*got), R"({"same":{"k":[1,2]},"v":["v",1,{"k":"x"}]})");
  EXPECT_EQ(&(*got)["same"].map(), &v["same"].map());
  EXPECT_TRUE(has_tags(v));
  EXPECT_FALSE(has_tags(v["same"]));
}

// Goal: expression tags insert texts as they are and the rest as JSON; late variables wait.
TEST(Substitute, Expressions) {
  const auto scope = sample();
  EXPECT_EQ(*substitute("{{=a.b + '!'}}", scope, kAll), "v!");
  EXPECT_EQ(*substitute("{{=[1, a.b]}}", scope, kAll), R"([1,"v"])");
  EXPECT_EQ(*substitute("{{=item ?? 'x'}}", scope, kLenient), "{{=item ?? 'x'}}");
  EXPECT_EQ(*substitute("{{=zz + 1}}", scope, kLenient), "{{=zz + 1}}");
  EXPECT_EQ(substitute("{{=zz}}", scope, kAll).error().message,
            "failed to evaluate expression: zz is missing");
  EXPECT_FALSE(substitute("{{=1 +}}", scope, kLenient));
}

// Goal: in a document values are escaped as Argo does, and what that breaks is an error.
TEST(Substitute, Documents) {
  const auto scope = sample();
  EXPECT_EQ(*substitute_document(R"({"v": "{{quote}}"})", scope, kAll), R"({"v": "say \"hi\"\n"})");
  EXPECT_FALSE(substitute_document(R"({"v": "{{esc}}"})", scope, kAll));
  EXPECT_FALSE(substitute_document(R"({"v":{{a.b}}})", scope, kAll));
}

// Goal: validation sees every tag with its place.
TEST(FindTags, InOrder) {
  const auto tags = find_tags("a {{ x.y }} {{=1 + 1}} {{open");
  ASSERT_EQ(tags.size(), 2U);
  EXPECT_EQ(tags[0].name, "x.y");
  EXPECT_EQ(tags[0].offset, 2U);
  EXPECT_TRUE(tags[1].is_expression);
  EXPECT_EQ(tags[1].name, "1 + 1");
}

}  // namespace
}  // namespace tiphys::tag
