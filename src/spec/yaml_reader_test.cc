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

// libyaml's time for them grows with their square.
TEST(ReadYaml, BoundsDirectives) {
  std::string text;
  for (int i = 0; i < 65; ++i) text += fmt::format("%TAG !a{}! x\n", i);
  EXPECT_EQ(json_of(text + "---\na"), "error: yaml: too many directives");
  EXPECT_EQ(json_of("# c\n%TAG ! " + std::string(2000, 'x') + "\n---\na"),
            "error: yaml: too long directive");
}

TEST(ReadYaml, RefusesWhatIsNoText) {
  EXPECT_EQ(json_of("a: \xFF"), "error: yaml: invalid leading UTF-8 octet");
  EXPECT_EQ(json_of("a: \xC3"), "error: yaml: incomplete UTF-8 octet sequence");
  EXPECT_EQ(json_of("a: \x01"), "error: yaml: control characters are not allowed");
  EXPECT_EQ(json_of("\xEF\xBB\xBF"
                    "a: b"),
            R"({"a":"b"})");
}

TEST(ReadYaml, GivesTheLineBreakAtTheEndOfABlockOnlyWhenItIsThere) {
  EXPECT_EQ(json_of("k: |\n  a\n  b"), R"({"k":"a\nb"})");
  EXPECT_EQ(json_of("k: |\n  a\n  b\n"), R"({"k":"a\nb\n"})");
}

// What YAML 1.2 readers take differently.
TEST(ReadYaml, FollowsArgosReader) {
  EXPECT_EQ(json_of("a: |\nb: >\nc: 1"), R"({"a":"","b":"","c":1})");  // empty blocks
  EXPECT_EQ(json_of(R"(k: "\/")"), "error: yaml: found unknown escape character");
  EXPECT_EQ(json_of("k: \"a\\\\/b\""), R"({"k":"a\\/b"})");
  EXPECT_EQ(json_of("%YAML 1.2\n---\na: 1"), "error: yaml: found incompatible YAML document");
  EXPECT_EQ(json_of("[!a, b]"), "error: yaml: did not find expected whitespace or line break");
  EXPECT_EQ(json_of("[-]"), R"(["-"])");
  EXPECT_EQ(json_of("{a: b?c}"), "error: yaml: did not find expected ',' or ']'");
  EXPECT_EQ(json_of("a: [b]\nc: d?e"), R"({"a":["b"],"c":"d?e"})");
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

TEST(ReadYaml, LooksBehindAnchorsAndTags) {
  const char* text =
      "a: &x !!str  v\n"
      "b: !m  # c\n"
      "  k: &y\n"
      "c: |2\n"
      "\n"
      "    two\n"
      "d:\n"
      "-\n"
      "- \xC3\xA9: !!str \"\xC3\xA9\"\n"
      "e: !!seq [&q 1, *q]\n";
  auto document = read_yaml(text, {.file = "f.yaml"});
  ASSERT_TRUE(document) << document.error().message;
  const auto at = [&](const char* pointer) {
    const diag::Position p = document->positions->value(pointer);
    return fmt::format("{}:{}", p.line, p.column);
  };
  EXPECT_EQ(at("/a"), "1:14");
  EXPECT_EQ(at("/b"), "3:3");
  EXPECT_EQ(at("/b/k"), "3:3");  // nothing stands there but the anchor
  EXPECT_EQ(at("/c"), "6:3");    // the first line that is not empty, behind the indentation
  EXPECT_EQ(at("/d/0"), "8:1");
  EXPECT_EQ(at("/d/1/\xC3\xA9"), "9:14");
  EXPECT_EQ(at("/e"), "10:10");
  EXPECT_EQ(at("/e/0"), "10:14");
  EXPECT_EQ(at("/e/1"), "10:17");
}

TEST(ReadYaml, TellsThePlaceOfAFault) {
  auto document = read_yaml("a: 1\nb: [1, 2\n", {.file = "f.yaml", .first_line = 5});
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().at.file, "f.yaml");
  EXPECT_GE(document.error().at.line, 6);
  const auto place_of = [](std::string_view broken) {
    const auto read = read_yaml(broken, {.file = "f.yaml"});
    return read ? "" : fmt::format("{}:{}", read.error().at.line, read.error().at.column);
  };
  EXPECT_EQ(place_of("a: 1\n\xC3\xA9: [1, \"\\y\"]\n"), "2:10");
  EXPECT_EQ(place_of("a:\n  \"b\nc: 1\n"), "2:3");  // where the quote begins
  EXPECT_EQ(place_of("a: 1\nb\nc: 1\n"), "2:1");    // the key without `:`
  EXPECT_EQ(place_of("a: b: c"), "1:5");
  EXPECT_EQ(place_of("a: 1\nb: \xFF"), "2:4");
}

}  // namespace
}  // namespace tiphys::spec
