// Goal: no expression crashes, runs for ever or takes more than 256 MiB, whatever it says.
//
// Steps are counted instead of time: kMaxSteps of them take less than a second.
#include <string>

#include <gtest/gtest.h>

#include "expr/builtins.h"
#include "expr/program.h"
#include "peak_memory.h"

namespace tiphys::expr {
namespace {

constexpr std::size_t kMemoryMax = 256U << 20U;
constexpr std::uint64_t kOvershoot = 2'000'000;  // the last step may be a large one

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

// What a step of a workflow might have put out: a MiB each.
const vars::MapScope& scope() {
  static const vars::MapScope made = [] {
    constexpr std::size_t kSize = 1U << 20U;
    vars::MapScope s;
    s.set("big", std::string(kSize, 'a'));
    s.set("binary", repeated("01101001", kSize / 8));
    s.set("list", "[" + repeated("1,", kSize / 2) + "1]");
    s.set("deep", repeated("[", kSize));
    std::string members = "{\"x\":1";
    for (int i = 0; i < 70'000; ++i) members += ",\"k" + std::to_string(i) + "\":1";
    s.set("members", members + "}");
    return s;
  }();
  return made;
}

// "" if the expression has a value, else its error.
std::string run_bounded(const std::string& source) {
  (void)scope();
  Cost used;
  std::string error;
  const std::size_t peak = test::peak_memory([&] {
    const auto program = Program::parse(source);
    if (!program) {
      error = program.error().message;
      return;
    }
    const auto result = program->run_for_tag(scope(), used);
    if (!result) error = result.error().message;
  });
  const std::string shown = source.substr(0, 100);
  EXPECT_LT(peak, kMemoryMax) << shown;
  EXPECT_LT(used.steps, CallContext::kMaxSteps + kOvershoot) << shown;
  return error;
}

void expect_refused(const std::string& source, const std::string& why) {
  const std::string error = run_bounded(source);
  EXPECT_NE(error.find(why), std::string::npos) << source.substr(0, 100) << ": " << error;
}

TEST(Hostile, DeepSources) {
  constexpr std::size_t kCount = 300'000;
  for (const std::string part :
       {"(", "[", "{a:", "!", "-", "not ", "a.b(", "1 + (", "a ? a : ", "f(", "all(a, ",
        "let a = 1; ", "a?.", "a[", "\"", "1..", "2 ** "}) {
    EXPECT_NE(run_bounded(repeated(part, kCount)), "") << part;
  }
  for (const std::string part :
       {" + 1", ".a", "[0]", " || true", " ?? 1", " | len()", ", 1", "?.a"}) {
    EXPECT_NE(run_bounded("big" + repeated(part, 100'000)), "") << part;
  }
}

TEST(Hostile, GiantNumbers) {
  expect_refused("1e999999999", "");
  expect_refused(std::string(1'000'000, '9'), "");
  expect_refused("0x" + std::string(1'000'000, 'f'), "");
  EXPECT_EQ(run_bounded("0." + std::string(1'000'000, '9')), "");
  EXPECT_NE(run_bounded("10 ** 400"), "");  // infinite
  EXPECT_EQ(run_bounded("toJson(2 ** 1000)"), "");
}

TEST(Hostile, Ranges) {
  EXPECT_EQ(run_bounded("1..999998"), "");
  expect_refused("1..1000001", "memory budget exceeded");
  expect_refused("1..9223372036854775807", "memory budget exceeded");
  expect_refused("[1..600000, 1..600000]", "memory budget exceeded");
  expect_refused("map(1..1001, 1..999)", "memory budget exceeded");
}

TEST(Hostile, Texts) {
  expect_refused("repeat('x', 1000000000)", "memory budget exceeded");
  expect_refused("repeat(repeat('x', 9999), 9999)", "memory budget exceeded");
  expect_refused("reduce(1..999, #acc + #acc, 'xx')", "memory budget exceeded");
  expect_refused("join(map(1..99999, big), big)", "memory budget exceeded");
  expect_refused("toJSON(map(1..99999, big))", "memory budget exceeded");
  expect_refused("map(1..99999, big + 'x')", "memory budget exceeded");
  expect_refused("map(1..99999, big[1:])", "memory budget exceeded");
  expect_refused("map(1..99999, upper(big))", "memory budget exceeded");
  expect_refused("replace(big, 'a', big)", "memory budget exceeded");
  expect_refused("sprig.replace('a', big, big)", "memory budget exceeded");
  expect_refused("sprig.regexReplaceAll('a', big, big)", "budget exceeded");
  expect_refused("len(map(1..400000, [big]))", "memory budget exceeded");
  expect_refused("len(split(join(map(1..50, big), ''), ''))", "memory budget exceeded");
}

TEST(Hostile, LoopsInLoops) {
  expect_refused("count(1..9999, count(1..9999, # > 0) > 1)", "memory budget exceeded");
  expect_refused("map(1..999, map(1..999, map(1..999, #)))", "memory budget exceeded");
  expect_refused("filter(1..99999, # in map(1..9999, #))", "budget exceeded");
  expect_refused("reduce(1..99999, concat(#acc, [#]), [])", "memory budget exceeded");
  expect_refused("reduce(1..99, [#acc, #acc], [])", "memory budget exceeded");
  expect_refused("groupBy(1..999998, #)", "memory budget exceeded");
  expect_refused("uniq(map(1..99999, [#]))", "step budget exceeded");
  expect_refused("let l = 1..9999; concat(" + repeated("l, ", 100'000) + "l)", "");
}

// Each of these goes through a long text or list once for each element of another.
TEST(Hostile, LongWorkInALoop) {
  for (const std::string work :
       {"big contains 'b'", "big == binary", "len(big)", "indexOf(big, 'b')", "trim(big) == ''",
        "hash(big)", "'b' in fromJSON(list)", "fromJSON(list)[0]", "int(big)", "big matches 'b'",
        "sprig.regexMatch('b', big)", "sprig.contains('b', big)", "len(split(big, ''))"}) {
    EXPECT_NE(run_bounded("map(1..99999, " + work + ")"), "") << work;
  }
}

TEST(Hostile, RegularExpressions) {
  expect_refused("'x' matches '(((a{1000}){1000}){1000})'", "error parsing regexp");
  expect_refused("'x' matches string(" + std::string("'(a{1000}){1000}'") + ")",
                 "error parsing regexp");
  expect_refused("map(1..99999, 'x' matches string(#))", "step budget exceeded");
  expect_refused("map(1..99, binary matches '[01]*1[01]{900}$')", "step budget exceeded");
  expect_refused("map(1..99999, sprig.regexMatch(string(#), 'x'))", "step budget exceeded");
  expect_refused("sprig.regexReplaceAll('a*b|a', big, 'x')", "step budget exceeded");
  EXPECT_EQ(run_bounded("big matches '(a+a+)+b'"), "");
}

TEST(Hostile, JsonTexts) {
  EXPECT_EQ(run_bounded("len(fromJSON(list))"), "");
  EXPECT_EQ(run_bounded("len(fromJSON(members))"), "");
  EXPECT_NE(run_bounded("fromJSON(deep)"), "");
  expect_refused("fromJSON('[' + join(map(1..9, list), ',') + ']')", "memory budget exceeded");
}

}  // namespace
}  // namespace tiphys::expr
