// Goal: sprig's functions and jsonpath give what Go's give (the expected texts were measured).
#include <gtest/gtest.h>

#include "expr/environment.h"
#include "expr/program.h"
#include "expr/sprig.h"
#include "value/json.h"
#include "vars/scope.h"

namespace tiphys::expr {
namespace {

std::string result_of(const std::string& expression,
                      const vars::MapScope& scope = vars::MapScope()) {
  const auto program = Program::parse(expression);
  if (!program) return "(error) " + program.error().message;
  const auto result = program->run(scope);
  return result ? value::to_json(*result) : "(error) " + result.error().message;
}

struct Case {
  std::string expression;
  std::string json;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(result_of(c.expression), c.json) << c.expression;
}

void expect_errors(const std::vector<std::string>& expressions) {
  for (const std::string& e : expressions) EXPECT_TRUE(result_of(e).starts_with("(error)")) << e;
}

// Goal: the table has every function of Argo's map, sorted, each once.
TEST(Sprig, TableIsComplete) {
  const auto rows = sprig_functions();
  EXPECT_EQ(rows.size(), 209U);
  for (std::size_t i = 1; i < rows.size(); ++i) EXPECT_LT(rows[i - 1].name, rows[i].name);
}

// Goal: text functions count bytes and keep Go's corner cases.
TEST(Sprig, Text) {
  expect_all({{R"(sprig.substr(-1, 3, "hello"))", R"("hel")"},
              {R"(sprig.snakecase("HTTPServer2Go"))", R"("http_server2_go")"},
              {R"(sprig.camelcase("foo_bar-baz Qux"))", R"("FooBarBazQux")"},
              {R"(sprig.wrapWith(5, "|", "Hello World"))", R"("Hello|World")"},
              {R"(sprig.splitn("-", 2, "a-b-c"))", R"({"_0":"a","_1":"b-c"})"},
              {R"(sprig.b64dec("a"))", R"("illegal base64 data at input byte 0")"},
              {R"(sprig.regexReplaceAll("a(x*)b", "-ab-axxb-", "${1}W"))", R"("-W-xxW-")"},
              {R"(sprig.regexSplit("z+", "pizza", -1))", R"(["pi","a"])"}});
  expect_errors({R"(sprig.upper(1))", R"(sprig.substr(2, 1, "hello"))", R"(sprig.fail("boom"))"});
}

// Goal: decimals add without binary rounding; whole numbers wrap and divide as Go's.
TEST(Sprig, Numbers) {
  expect_all({{"sprig.addf(0.1, 0.2)", "0.3"},
              {"sprig.divf(1, 3)", "0.3333333333333333"},
              {"sprig.div(-7, 2)", "-3"},
              {"sprig.int('010')", "8"},
              {"sprig.round(-2.5, 0)", "-3"},
              {"sprig.seq(5, -2, 0)", R"("5 3 1")"}});
  expect_errors({"sprig.div(1, 0)", "sprig.divf(1, 0)", "sprig.until(100000000)"});
}

// Goal: lists and maps are copied, merged and searched as in Go.
TEST(Sprig, Collections) {
  expect_all({{"sprig.chunk(2, [1, 2, 3])", "[[1,2],[3]]"},
              {"sprig.merge({a: 1, b: {c: 1}}, {a: 2, b: {d: 2}})", R"({"a":1,"b":{"c":1,"d":2}})"},
              {R"(sprig.dig("a", "z", "dflt", {a: {b: 1}}))", R"("dflt")"},
              {"let m = {a: 1}; [sprig.set(m, 'b', 2), m]", R"([{"a":1,"b":2},{"a":1}])"}});
}

// Goal: conditions on versions as Masterminds/semver checks them.
TEST(Sprig, Versions) {
  expect_all({{R"(sprig.semverCompare("^0.2", "0.2.5"))", "true"},
              {R"(sprig.semverCompare("1.2 - 1.10.0", "1.10.0"))", "true"},
              {R"(sprig.semverCompare(">=1", "2.0.0-rc1"))", "false"},
              {R"(sprig.semver("v1.2").String())", R"("1.2.0")"}});
  expect_errors({R"(sprig.semverCompare("", "1.2.3"))", R"(sprig.semver("bad"))"});
}

// Goal: random functions repeat at the same time of the clock, and differ at another one.
TEST(Sprig, RandomFollowsTheClock) {
  vars::MapScope early;
  early.set(std::string(kClockVariable), std::int64_t{1'000});
  vars::MapScope late;
  late.set(std::string(kClockVariable), std::int64_t{2'000});
  const std::string first = result_of("sprig.uuidv4()", early);
  EXPECT_EQ(first.size(), 38U);
  EXPECT_EQ(first, result_of("sprig.uuidv4()", early));
  EXPECT_NE(first, result_of("sprig.uuidv4()", late));
}

// Goal: what is encrypted can be decrypted, and functions that make secrets say that they cannot.
TEST(Sprig, Secrets) {
  EXPECT_EQ(result_of(R"(sprig.decryptAES("k", sprig.encryptAES("k", "text")))"), R"("text")");
  EXPECT_NE(result_of(R"(sprig.genCA("x", 1))").find("not supported"), std::string::npos);
}

// Goal: paths find values, skip failures within wildcards and filters, and fail for missing keys.
TEST(JsonPath, FindsValues) {
  const std::string list = R"('[{"n":"a","v":1},{"n":"b","v":2.5},{"n":"c"}]')";
  expect_all({{"jsonpath(" + list + ", '$[?(@.v > 1)].n')", R"(["b"])"},
              {"jsonpath(" + list + ", '$[*].v')", "[1,2.5]"},
              {"jsonpath(" + list + ", '$..n')", R"(["a","b","c"])"},
              {"jsonpath(" + list + ", '$[(@.length-1)].n')", R"("c")"},
              {"jsonpath(" + list + ", '$[::-1].n')", R"(["c","b","a"])"},
              {"jsonpath(" + list + R"(, "$[?(@.n == 'b' || @.v == 1)].n"))", R"(["a","b"])"},
              {"jsonpath(" + list + ", '$.length')", "3"}});
  expect_errors({"jsonpath(" + list + ", '$[7]')", "jsonpath('{}', '$.x')", "jsonpath('{}', 'x')",
                 "jsonpath('{}', '$[?()]')", "jsonpath('', '$')"});
}

// Goal: what is wrong with a JSON text is told as Go tells it.
TEST(JsonPath, TellsFaultsOfTheTextInGosWords) {
  for (const char* call : {"jsonpath('x', '$')", "fromJSON('x')", "sprig.mustFromJson('x')"}) {
    EXPECT_NE(result_of(call).find("invalid character 'x' looking for beginning of value"),
              std::string::npos)
        << call << ": " << result_of(call);
  }
}

// Goal: hostile paths end with an error, not with a full stack.
TEST(JsonPath, LimitsItsWork) {
  const std::string negations(5'000, '!');
  EXPECT_TRUE(result_of("jsonpath('[1]', '$[?(" + negations + "1)]')").starts_with("(error)"));
  std::string sum = "1";
  for (int i = 0; i < 5'000; ++i) sum += "+1";
  EXPECT_TRUE(result_of("jsonpath('[1]', '$[?(" + sum + ")]')").starts_with("(error)"));
}

}  // namespace
}  // namespace tiphys::expr
