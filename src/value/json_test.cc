// Goal: JSON is read leniently as Go reads it, and written byte for byte as Go's encoding/json
// writes it.
#include "value/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace tiphys::value {
namespace {

TEST(Json, FloatsPrintAsInGo) {
  EXPECT_EQ(float_to_json(0), "0");
  EXPECT_EQ(float_to_json(-0.0), "-0");
  EXPECT_EQ(float_to_json(1.5), "1.5");
  EXPECT_EQ(float_to_json(100), "100");
  EXPECT_EQ(float_to_json(0.1), "0.1");
  EXPECT_EQ(float_to_json(1e-6), "0.000001");
  EXPECT_EQ(float_to_json(1.25e-7), "1.25e-7");
  EXPECT_EQ(float_to_json(1e20), "100000000000000000000");
  EXPECT_EQ(float_to_json(1e21), "1e+21");
  EXPECT_EQ(float_to_json(1180591620717411303424.0), "1.1805916207174113e+21");
  EXPECT_EQ(float_to_json(73786976294838206464.0), "73786976294838210000");
}

TEST(Json, StringsAreEscapedAsInGo) {
  EXPECT_EQ(to_json("<a&b>\n\t\b\f\x01\"\\"), R"("\u003ca\u0026b\u003e\n\t\b\f\u0001\"\\")");
  EXPECT_EQ(to_json("\xe2\x80\xa8\xff\x7f"), "\"\\u2028\\ufffd\x7f\"");
  std::string raw;
  append_json_string(raw, "<>", false);
  EXPECT_EQ(raw, "\"<>\"");
}

TEST(Json, MapsAreSortedAndIndented) {
  const auto v = parse_json(R"({"b":[1,2.0,{}],"a":[],"c":{"x":null}})");
  ASSERT_TRUE(v);
  EXPECT_EQ(to_json(*v), R"({"a":[],"b":[1,2,{}],"c":{"x":null}})");
  EXPECT_EQ(to_json(*v, {.key_order = KeyOrder::kAsGiven}),
            R"({"b":[1,2,{}],"a":[],"c":{"x":null}})");
  EXPECT_EQ(to_json(*v, {.indent = 2}),
            "{\n  \"a\": [],\n  \"b\": [\n    1,\n    2,\n    {}\n  ],\n  \"c\": {\n    \"x\": "
            "null\n  }\n}");
}

TEST(Json, ReadsWhatGoForgives) {
  const auto lone = parse_json(R"(["\ud800x","\ud83d\ude00"])");
  ASSERT_TRUE(lone);
  EXPECT_EQ(lone->list()[0].as_string(), "\xef\xbf\xbdx");
  EXPECT_EQ(lone->list()[1].as_string(), "\xf0\x9f\x98\x80");
  const auto big = parse_json("[123456789012345678901234567890, 18446744073709551615, -1]");
  ASSERT_TRUE(big);
  EXPECT_EQ(big->list()[0].as_float(), 123456789012345678901234567890.0);
  EXPECT_EQ(big->list()[1].as_float(), 18446744073709551615.0);
  EXPECT_EQ(big->list()[2].as_int(), -1);
  const auto bytes = parse_json("\"a\xff\"");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->as_string(), "a\xef\xbf\xbd");
}

TEST(Json, RejectsWhatGoRejects) {
  for (const char* text :
       {"", "{", "[1,]", "01", "nul", "\"a", "1 2", "'a'", "{a:1}", "1e999", "+1"}) {
    EXPECT_FALSE(parse_json(text)) << text;
  }
}

TEST(Json, LastOfDuplicateKeysWins) {
  EXPECT_EQ(to_json(parse_json(R"({"a":1,"a":2})").value()), R"({"a":2})");
}

TEST(Json, LeavesOutWhatIsNotWanted) {
  constexpr std::string_view kLeftOut[] = {"big", "spec"};
  const auto v =
      parse_json(R"({"a":{"big":[1,{"x":2}],"b":[{"spec":{},"c":3}]},"spec":4})", kLeftOut);
  ASSERT_TRUE(v);
  EXPECT_EQ(to_json(*v), R"({"a":{"b":[{"c":3}]}})");
}

TEST(Json, ReadsLargeTextsAndSmallOnesInTurns) {
  const std::string large = "\"" + std::string(100'000, 'x') + "\"";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(parse_json("[1]").value().list().size(), 1U);
    EXPECT_EQ(parse_json(large).value().as_string().size(), 100'000U);
    EXPECT_FALSE(parse_json("[1"));
  }
}

}  // namespace
}  // namespace tiphys::value
