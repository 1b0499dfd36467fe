#include "spec/labels.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::spec {
namespace {

bool matches(const char* selector, const Labels& labels) {
  const auto parsed = Selector::parse(selector);
  EXPECT_TRUE(parsed) << selector;
  return parsed && parsed->matches(labels);
}

// Goal: every operator decides as kubectl's does, also for labels that are not there.
TEST(Labels, Operators) {
  const Labels labels = {{"a", "b"}, {"n", "3"}};
  for (const char* yes : {"", "a", "a=b", "a==b", "!z", "z!=b", "a in (b, c)", "z notin (b)", "n>2",
                          "n<4", " a = b , n", "a in (,b)"}) {
    EXPECT_TRUE(matches(yes, labels)) << yes;
  }
  for (const char* no : {"z", "!a", "a!=b", "a notin (b)", "a in (c)", "a>1", "n>3", "a="}) {
    EXPECT_FALSE(matches(no, labels)) << no;
  }
}

// Goal: texts that are no selectors are refused.
TEST(Labels, Refuses) {
  for (const char* bad : {"a in", "a in b", "=b", "a b", "a=b,", "a=b=c", "-a", "a in (b", "!a=b",
                          "a>x", ",", "a in (b=c)"}) {
    EXPECT_FALSE(Selector::parse(bad)) << bad;
  }
}

// Goal: the object form is the same as the text, and sorted by key.
TEST(Labels, Objects) {
  const auto selector = Selector::from_object(*value::parse_json(
      R"({"matchExpressions":[{"key":"b","operator":"In","values":["z","y"]}],
          "matchLabels":{"a":"1"}})"));
  ASSERT_TRUE(selector);
  EXPECT_EQ(selector->to_string(), "a=1,b in (y,z)");
  EXPECT_TRUE(Selector::from_object({})->matches({}));
  EXPECT_FALSE(Selector::from_object(
      *value::parse_json(R"({"matchExpressions":[{"key":"b","operator":"Foo"}]})")));
}

}  // namespace
}  // namespace tiphys::spec
