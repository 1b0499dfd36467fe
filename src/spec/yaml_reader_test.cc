// YAML must mean what it means to kubectl and argo, and every part must know its place.
#include "spec/yaml_reader.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "value/json.h"

namespace tiphys::spec {
namespace {

std::string json_of(std::string_view yaml, bool is_strict = true) {
  auto document = read_yaml(yaml, {.file = "f.yaml", .is_strict = is_strict});
  if (!document) return "error: " + document.error().message;
  return value::to_json(document->value);
}

TEST(ReadYaml, TypesScalarsAsYaml11) {
  EXPECT_EQ(json_of("[yes, Off, y, 0644, 0x1F, 1_000, 08, 1e3, 1.0, 12:30, ~, '1', !!str 1]"),
            R"([true,false,true,420,31,1000,8,1000,1,"12:30",null,"1","1"])");
}

TEST(ReadYaml, ReadsEscapedQuotesThatStandTogether) {
  EXPECT_EQ(json_of("k: 'a != '''' b}}'"), R"({"k":"a != '' b}}"})");
  EXPECT_EQ(json_of("k: '''''q'''''"), R"({"k":"''q''"})");
}

TEST(ReadYaml, MakesKeysText) {
  EXPECT_EQ(json_of("{1: a, yes: b, 1.5: c}"), R"({"1":"a","1.5":"c","true":"b"})");
  EXPECT_EQ(json_of("a: {{x}}"), R"(error: yaml: invalid map key: {"x":null})");
}

TEST(ReadYaml, RefusesDuplicateKeysUnlessLenient) {
  EXPECT_EQ(json_of("a: 1\na: 2"), R"(error: yaml: line 2: key "a" already set in map)");
  EXPECT_EQ(json_of("a: 1\na: 2", false), R"({"a":2})");
}

TEST(ReadYaml, ResolvesAliasesAndMergeKeys) {
  EXPECT_EQ(json_of("a: &x {k: 1}\nb: {<<: *x, j: 2}\nc: *x"),
            R"({"a":{"k":1},"b":{"j":2,"k":1},"c":{"k":1}})");
  EXPECT_EQ(json_of("a: &x [1, *x]"), "error: yaml: anchor 'x' value contains itself");
  EXPECT_EQ(json_of("a: *x"), "error: yaml: unknown anchor 'x' referenced");
}

// A file of a few hundred bytes must not take the machine down.
TEST(ReadYaml, BoundsAliases) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb +=
        fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  EXPECT_EQ(json_of(bomb), "error: yaml: document contains excessive aliasing");
}

TEST(ReadYaml, BoundsDepth) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_EQ(json_of(deep), "error: yaml: exceeded max depth of 1000");
}

TEST(ReadYaml, GivesTheLineBreakAtTheEndOfABlockOnlyWhenItIsThere) {
  EXPECT_EQ(json_of("k: |\n  a\n  b"), R"({"k":"a\nb"})");
  EXPECT_EQ(json_of("k: |\n  a\n  b\n"), R"({"k":"a\nb\n"})");
}

// What YAML 1.2 readers take differently.
TEST(ReadYaml, FollowsArgosReader) {
  EXPECT_EQ(json_of("a: |\nb: >\nc: 1"), R"({"a":"","b":"","c":1})");  // empty blocks
  EXPECT_EQ(json_of(R"(k: "\/")"), "error: yaml: found unknown escape character");
  EXPECT_EQ(json_of("[-]"), R"(["-"])");
  EXPECT_EQ(json_of("[a?b]"), "error: yaml: did not find expected ',' or ']'");
  EXPECT_EQ(json_of("k: 'a'#b"), R"({"k":"a"})");
  EXPECT_EQ(json_of("- \ta"), "error: yaml: found character that cannot start any token");
  EXPECT_EQ(json_of("k: !!int 1.0"), "error: yaml: cannot decode !!float `1.0` as a !!int");
  EXPECT_EQ(json_of("k: 18446744073709551615"), R"({"k":18446744073709551615})");
  EXPECT_EQ(json_of("k: {!!merge <<: {a: 1}}"), R"({"k":{"a":1}})");
}

TEST(ReadYaml, KnowsThePlaceOfEachPart) {
  const char* text =
      "a: 'x'\n"
      "b: |\n"
      "    lit\n"
      "c:\n"
      "  - d: \xC3\xA9 z\n"
      "    e: [1, 22]\n"
      "f: ''\n";
  auto document = read_yaml(text, {.file = "f.yaml", .first_line = 11});
  ASSERT_TRUE(document);
  const auto at = [&](const char* pointer) {
    const diag::Position p = document->positions->value(pointer);
    const diag::Position k = document->positions->key(pointer);
    return fmt::format("{}:{} {}:{}", p.line, p.column, k.line, k.column);
  };
  EXPECT_EQ(at("/a"), "11:5 11:1");  // inside of the quotes
  EXPECT_EQ(at("/b"), "13:5 12:1");
  EXPECT_EQ(at("/c/0/d"), "15:8 15:5");
  EXPECT_EQ(at("/c/0/e/1"), "16:12 16:12");
  EXPECT_EQ(at("/f"), "17:1 17:1");
  EXPECT_EQ(at("/c/0/e/9/nothing"), "16:8 16:8");  // the nearest that is known
}

TEST(ReadYaml, TellsThePlaceOfAFault) {
  auto document = read_yaml("a: 1\nb: [1, 2\n", {.file = "f.yaml", .first_line = 5});
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().at.file, "f.yaml");
  EXPECT_GE(document.error().at.line, 6);
}

}  // namespace
}  // namespace tiphys::spec
