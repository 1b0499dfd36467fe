#include "plan/expand.h"

#include <gtest/gtest.h>

#include "plan/go_format.h"
#include "plan/raw_json.h"
#include "value/json.h"

namespace tiphys::plan {
namespace {

using value::Value;

Value json(std::string_view text) { return *value::parse_json(text); }

// Goal: items of every kind give Argo's names and values.
TEST(Expand, Names) {
  const vars::MapScope scope;
  const auto items = expand(json(R"({"name":"t","template":"x","arguments":{"parameters":[
      {"name":"p","value":"{{item}}"}]},
      "withParam":"[1.0, \"a(b)\", {\"b\":1,\"a\":\"<\"}, [1, \"x\"], true, null]"})"),
                            scope);
  ASSERT_TRUE(items) << items.error().message;
  const char* kWanted[][2] = {
      {"(0:1.0)", "1.0"},          {"(1:ab)", "a(b)"},   {"(2:a:<,b:1)", R"({"a":"\u003c","b":1})"},
      {"(3:[1 x])", R"([1,"x"])"}, {"(4:true)", "true"}, {"(5:[])", "null"}};
  ASSERT_EQ(items->size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    const Item& item = (*items)[i];
    EXPECT_EQ(item.node_suffix, kWanted[i][0]);
    EXPECT_EQ(item.step["name"].as_string(), "t");
    EXPECT_EQ(item.step["arguments"]["parameters"].list()[0]["value"].as_string(), kWanted[i][1]);
    EXPECT_TRUE(item.step["withParam"].is_null());
  }
}

// Goal: members of maps are variables, next to those of the caller; hooks are replaced, too.
TEST(Expand, Members) {
  vars::MapScope scope;
  scope.set("workflow.name", "w");
  const auto items =
      expand(json(R"({"name":"t","when":"{{item.k}} == 1","hooks":{"h":{"expression":"{{item.k}}"}},
               "x":"{{workflow.name}}{{=item.k + 'e'}}","withItems":[{"k":"v"}]})"),
             scope);
  ASSERT_TRUE(items) << items.error().message;
  EXPECT_EQ((*items)[0].step["x"].as_string(), "wve");
  EXPECT_EQ((*items)[0].step["hooks"]["h"]["expression"].as_string(), "v");
  EXPECT_EQ((*items)[0].step["when"].as_string(), "v == 1");
}

// Goal: unknown tags stop the loop, unless nothing will run anyway.
TEST(Expand, Strict) {
  const vars::MapScope scope;
  EXPECT_EQ(expand(json(R"({"name":"t","x":"{{zz}}","withItems":[1]})"), scope).error().message,
            "failed to resolve {{zz}}");
  EXPECT_EQ(
      expand(json(R"({"name":"t","x":"{{zz}}","when":"false","withItems":[1]})"), scope)->size(),
      1U);
  EXPECT_FALSE(expand(json(R"({"name":"t","withParam":"{}"})"), scope));
  EXPECT_TRUE(expand(json(R"({"name":"t","withParam":"{}","when":"1 == 2"})"), scope)->empty());
  EXPECT_TRUE(expand(json(R"({"name":"t","withParam":"[]"})"), scope)->empty());
}

// Goal: sequences count up and down, from texts or numbers, in Go's formats.
TEST(Expand, Sequences) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(*sequence_items(json(R"({"start":3,"end":"1"})")), (Texts{"\"3\"", "\"2\"", "\"1\""}));
  EXPECT_EQ(*sequence_items(json(R"({"count":2,"format":"n%02X"})")),
            (Texts{"\"n00\"", "\"n01\""}));
  EXPECT_TRUE(sequence_items(json(R"({"count":0})"))->empty());
  EXPECT_FALSE(sequence_items(json("{}")));
  EXPECT_FALSE(sequence_items(json(R"({"count":"x"})")));
  EXPECT_FALSE(sequence_items(json(R"({"count":1,"format":"\""})")));
}

// Goal: the format of a sequence is fmt.Sprintf's, mistakes included.
TEST(GoFormat, Verbs) {
  const struct {
    const char* format;
    std::int64_t v;
    const char* wanted;
  } kCases[] = {{"%5d|", 9, "    9|"},
                {"%-5d|", 9, "9    |"},
                {"%+d", 9, "+9"},
                {"%05d", -9, "-0009"},
                {"%#x", 255, "0xff"},
                {"%O", 8, "0o10"},
                {"%c", 65, "A"},
                {"%q", 65, "'A'"},
                {"%U", 65, "U+0041"},
                {"%6.3d", 9, "   009"},
                {"%s", 9, "%!s(int=9)"},
                {"%", 9, "%!(NOVERB)%!(EXTRA int=9)"},
                {"%d%d", 9, "9%!d(MISSING)"},
                {"%[1]d-%[1]d", 9, "9-9"},
                {"%[2]d", 9, "%!d(BADINDEX)"},
                {"x", 9, "x%!(EXTRA int=9)"}};
  for (const auto& c : kCases) EXPECT_EQ(go_format(c.format, c.v), c.wanted) << c.format;
}

// Goal: JSON text is taken apart without touching what stands inside of strings and brackets.
TEST(RawJson, Elements) {
  const auto elements = raw_elements(R"( [ "a,]" , {"k" : [1, 2]},3e2 ] )");
  ASSERT_EQ(elements.size(), 3U);
  EXPECT_EQ(elements[0], R"("a,]")");
  EXPECT_EQ(elements[1], R"({"k" : [1, 2]})");
  EXPECT_EQ(elements[2], "3e2");
  EXPECT_TRUE(raw_elements("[ ]").empty());
  EXPECT_EQ(raw_members(R"({"a\"":1, "b":{"c":2}})")[1].second, R"({"c":2})");
  EXPECT_EQ(compact(R"({ "a b" : "<\"" })", true), R"({"a b":"\u003c\""})");
}

TEST(Expand, SaysInGosWordsWhyAWithParamIsNoList) {
  const vars::MapScope scope;
  const auto told = [&](const std::string& text) {
    const auto items = expand(value::Map{{"name", "t"}, {"withParam", text}}, scope);
    return items ? std::string("expanded") : items.error().message;
  };
  const std::string start = "withParam value could not be parsed as a JSON list: ";
  EXPECT_EQ(told(" oops\n"), start + "oops: invalid character 'o' looking for beginning of value");
  EXPECT_EQ(told("[1,"), start + "[1,: unexpected end of JSON input");
  const std::string wrong_type = " into Go value of type []v1alpha1.Item";
  EXPECT_EQ(told("{}"), start + "{}: json: cannot unmarshal object" + wrong_type);
  EXPECT_EQ(told("1.5"), start + "1.5: json: cannot unmarshal number" + wrong_type);
  EXPECT_EQ(told("\"a\""), start + "\"a\": json: cannot unmarshal string" + wrong_type);
  EXPECT_EQ(told("true"), start + "true: json: cannot unmarshal bool" + wrong_type);
}

}  // namespace
}  // namespace tiphys::plan
