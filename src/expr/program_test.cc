// Goal: expressions give the values, types and errors that expr-lang v1.17.8 gives in Argo's
// environment.
#include "expr/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expr/environment.h"
#include "value/json.h"

namespace tiphys::expr {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

vars::MapScope scope() {
  vars::MapScope s;
  s.set("workflow.status", "Running");
  s.set("workflow.parameters", "[]");
  s.set("workflow.parameters.n", "42");
  s.set("steps.a.outputs.result", "x");
  s.set("steps.my-step.status", "Failed");
  s.set("item", "a");
  s.set("skipped.value", nullptr);
  s.set(std::string(kClockVariable), std::int64_t{1'700'000'000'000'000'000});
  return s;
}

// The result as JSON, or "error: MESSAGE".
std::string run(std::string_view source) {
  const auto program = Program::parse(source);
  if (!program) return "error: " + program.error().message;
  const auto result = program->run(scope());
  return result ? value::to_json(*result) : "error: " + result.error().message;
}

struct Case {
  const char* source;
  const char* wanted;
};

void expect_all(std::initializer_list<Case> cases) {
  for (const auto& [source, wanted] : cases) EXPECT_EQ(run(source), wanted) << source;
}

void expect_errors(std::initializer_list<Case> cases) {
  for (const auto& [source, wanted] : cases) {
    EXPECT_THAT(run(source), testing::AllOf(HasSubstr("error: "), HasSubstr(wanted))) << source;
  }
}

TEST(Program, Literals) {
  expect_all({{"0xfF", "255"},
              {"0b11", "3"},
              {"0o17", "15"},
              {"1_000", "1000"},
              {".5", "0.5"},
              {"1e3", "1000"},
              {"'it\\'s'", "\"it's\""},
              {"`a``b`", "\"a`b\""},
              {R"("\u00e9\x41\101\u{1F600}")", "\"éAA😀\""},
              {R"(b"\xff")", "\"/w==\""},
              {"{a: 1, \"b\": [nil]}", R"({"a":1,"b":[null]})"},
              {"1 /* x */ + 2 // y", "3"}});
}

TEST(Program, OperatorsAndPrecedence) {
  expect_all({{"1 + 2 * 3", "7"},
              {"7 / 2", "3.5"},
              {"-7 % 3", "-1"},
              {"2 ** 3 ** 2", "512"},
              {"-2 ** 2", "-4"},
              {"1 < 2 < 3", "true"},
              {"not true or true", "true"},
              {"1..3 == [1, 2, 3]", "true"},
              {"3 not in 1..2", "true"},
              {"\"ab\" matches \"^a.$\"", "true"},
              {"nil ?? 1", "1"},
              {"false ? 1 : true ? 2 : 3", "2"},
              {"if false { 1 } else if true { 2 } else { 3 }", "2"},
              {"\"abc\"[1:]", "\"bc\""},
              {"[1, 2, 3][-1]", "3"},
              {"9223372036854775807 + 1", "-9223372036854775808"}});
}

TEST(Program, Closures) {
  expect_all({{"filter(1..5, # % 2 == 0)", "[2,4]"},
              {"map([{\"a\": 1}], .a)", "[1]"},
              {"map(1..2, map(1..2, # * 10))", "[[10,20],[10,20]]"},
              {"reduce(1..4, #acc * #)", "24"},
              {"map([5, 6], #index)", "[0,1]"},
              {"sortBy([3, 1, 2], -#)", "[3,2,1]"},
              {"count([1, 2, 3], # > 1)", "2"},
              {"find([1, 2, 3], # > 5)", "null"},
              {"findLastIndex([1, 2, 1], # == 1)", "2"},
              {"groupBy([1, 2, 3], # % 2)[1]", "[1,3]"},
              {"sum([1, 2.5])", "3.5"},
              {"one([1, 2], # == 1) and none([1], # == 2)", "true"},
              {"1..4 | filter(# > 2) | map(# + 1) | sum()", "9"},
              {"let x = 2; let y = x * 3; x + y", "8"}});
}

TEST(Program, BuiltIns) {
  expect_all({{"len(\"äö\")", "2"},
              {"split(\"a,b,c\", \",\", 2)", R"(["a","b,c"])"},
              {"replace(\"aaa\", \"a\", \"b\", 2)", "\"bba\""},
              {"string(1e6)", "\"1e+06\""},
              {"string({\"b\": [1, nil], \"a\": true})", "\"map[a:true b:[1 \\u003cnil\\u003e]]\""},
              {"int(\"-7\") + float(\"0.5\")", "-6.5"},
              {"round(2.5)", "3"},
              {"median([3, 1, 2, 4])", "2.5"},
              {"flatten([1, [2, [3]]])", "[1,2,3]"},
              {"uniq([1, 1.0, \"1\"])", "[1,\"1\"]"},
              {"take([1, 2, 3], 2)", "[1,2]"},
              {"fromJSON(\"[1, {\\\"a\\\": null}]\")[1]", "{\"a\":null}"},
              {"toJSON([1])", "\"[\\n  1\\n]\""},
              {"toJson({\"a\": 1.50})", "\"{\\\"a\\\":1.5}\""},
              {"fromBase64(toBase64(\"hi\"))", "\"hi\""},
              {"bitshr(-8, 1)", "-4"},
              {"bitushr(-1, 63)", "1"},
              {"type(1.5) + type(nil) + type([])", "\"floatnilarray\""},
              {"fromPairs([[\"a\", 1]])[\"a\"]", "1"},
              {"asInt(\"12\") + 1", "13"},
              {"first([]) ?? \"none\"", "\"none\""}});
}

TEST(Program, Times) {
  expect_all({{"now().Unix()", "1700000000"},
              {"string(duration(\"90m\"))", "\"1h30m0s\""},
              {"(date(\"2024-03-01\") - date(\"2024-02-28\")).Hours()", "48"},
              {"date(\"2024-02-29\").Weekday().String()", "\"Thursday\""},
              {"date(\"2024-07-01 12:00\", \"2006-01-02 15:04\", \"Europe/Berlin\")",
               "\"2024-07-01T12:00:00+02:00\""},
              {"date(\"2024-01-31\").AddDate(0, 1, 0).Format(\"Jan _2\")", "\"Mar  2\""},
              {"duration(\"1s\") * 3 == duration(\"3s\")", "true"}});
}

TEST(Program, Environment) {
  expect_all({{"workflow.status == \"Running\"", "true"},
              {"steps[\"my-step\"].status", "\"Failed\""},
              {"workflow.parameters", R"({"n":"42"})"},
              {"workflow.parameters.missing", "null"},
              {"workflow.parameters.missing == \"x\"", "false"},
              {"workflow.nope?.deeper", "null"},
              {"workflow.nope?.deeper ?? \"d\"", "\"d\""},
              {"skipped.value ?? \"d\"", "\"d\""},
              {"item + \"b\"", "\"ab\""},
              {"$env.item", "\"a\""},
              {"$env?.nothing", "null"},
              {"len(steps)", "2"}});
}

TEST(Program, CompileTimeErrors) {
  expect_errors({{"unknown == 1", "unknown name unknown (1:1)"},
                 {"1 + \"a\"", "invalid operation: + (mismatched types int and string) (1:3)"},
                 {"item.x", "type string has no field x"},
                 {"len(1)", "invalid argument for len (type int)"},
                 {"upper(1)", "cannot use int as argument (type string) to call upper"},
                 {"filter(1, true)", "builtin filter takes only array (got int)"},
                 {"map([1], )", "unexpected token"},
                 {"5 % 0", "integer divide by zero"},
                 {"\"a\" matches \"(\"", "regexp"},
                 {"let len = 1; 2", "cannot redeclare builtin len"},
                 {"1 ?? 2 + 3", "cannot be mixed"},
                 {"\"abc", "literal not terminated"},
                 {"item ? 1 : 2", "non-bool expression (type string) used as condition"},
                 {"", "unexpected token EOF"}});
}

TEST(Program, RunTimeErrors) {
  expect_errors(
      {{"workflow.nope.deeper", "cannot fetch deeper from <nil> (1:15)"},
       {"fromJSON(\"[1]\")[3]", "index out of range: 3 (array length is 1)"},
       {"workflow.parameters.n + 1", "invalid operation: string + int"},
       {"int(workflow.status)", "invalid operation: int(Running)"},
       {"0 / 0", "json: unsupported value: NaN"},
       {"fromPairs([[\"a\", 1]])", "json: unsupported type: map[interface {}]"},
       {"asInt", "json: unsupported type"},
       {"1..10000000", "memory budget exceeded"},
       {"let l = 1..999; all(l, all(l, all(l, all(l, # > 0))))", "step budget exceeded"}});
}

TEST(Program, DeepNestingIsAnErrorNotACrash) {
  const std::string open(100'000, '(');
  EXPECT_THAT(run(open), HasSubstr("error: "));
  EXPECT_THAT(run(std::string(100'000, '-') + "1"), HasSubstr("error: "));
  std::string sum = "1";
  for (int i = 0; i < 4'000; ++i) sum += "+1";
  EXPECT_EQ(run(sum), "4001");
}

TEST(Program, BoolsAndTexts) {
  const auto condition = Program::parse("workflow.status == \"Running\"");
  ASSERT_TRUE(condition);
  EXPECT_TRUE(condition->run_bool(scope()).value());
  const auto number = Program::parse("1 + 1");
  ASSERT_TRUE(number);
  EXPECT_EQ(number->run_bool(scope()).error().message,
            "unable to cast expression result '%!s(int=2)' to bool");
  EXPECT_EQ(Program::parse("workflow.nope.x == 'a'")->run_bool(scope()).error().message,
            "unable to evaluate expression 'workflow.nope.x == 'a'': cannot fetch x from <nil> "
            "(1:15)\n | workflow.nope.x == 'a'\n | ..............^");
  EXPECT_THAT(Program::parse("nosuch == 1")->run_bool(scope()).error().message,
              testing::StartsWith("unknown name nosuch (1:1)"));
  Cost used;
  EXPECT_EQ(number->run_for_tag(scope(), used).value(), value::Value(2));
  EXPECT_EQ(Program::parse("[item]")->run_for_tag(scope(), used).value(), value::List{"a"});
  EXPECT_EQ(Program::parse("item")->run_for_tag(scope(), used).value(), "a");
  EXPECT_EQ(Program::parse("nil")->run_for_tag(scope(), used).error().code,
            diag::Code::kMissingVariable);
  // Go writes a nil slice as null, which is no missing value.
  EXPECT_TRUE(
      Program::parse("split(item, \"a\", 0)")->run_for_tag(scope(), used).value().is_null());
  EXPECT_EQ(Program::parse("1 / 0")->run_for_tag(scope(), used).error().code,
            diag::Code::kInvalidManifest);
}

TEST(Program, SaysWhatItReads) {
  const auto program = Program::parse(
      "steps[\"a\"].outputs.result == workflow.status && asInt(inputs.parameters.n) > 0 && "
      "tasks[item].status == nil");
  ASSERT_TRUE(program);
  EXPECT_THAT(program->reads(), ElementsAre("inputs.parameters.n", "item", "steps.a.outputs.result",
                                            "tasks", "workflow.status"));
}

// None of these may fill the stack, the memory or an hour.
TEST(Program, EndsWhereValuesGrowWithoutEnd) {
  const vars::MapScope none;
  for (const char* source :
       {"reduce(1..100000, [#acc], 1)", "toJSON(reduce(1..40, [#acc, #acc], 1))",
        "reduce(1..40, [#acc, #acc], 1) == reduce(1..40, [#acc, #acc], 1)",
        R"(reduce(1..99999, #acc + "xxxxxxxxxxxxxxxxxxxxxxxx", ""))",
        R"(reduce(1..60, toBase64(#acc), "x"))", "uniq(map(1..100000, #))",
        R"(join(split(repeat("a", 900000), ""), repeat("b", 10000)))",
        R"(sprig.regexReplaceAll("a", repeat("a", 900000), repeat("b", 1000)))"}) {
    const auto program = Program::parse(source);
    ASSERT_TRUE(program) << source;
    const auto result = program->run(none);
    ASSERT_FALSE(result) << source;
    EXPECT_THAT(result.error().message,
                testing::AnyOf(HasSubstr("budget exceeded"), HasSubstr("nested too deep")));
  }
  EXPECT_FALSE(Program::parse(std::string(2'000'000, 'x')));
}

TEST(Program, EvaluationsOfOneTextShareABudget) {
  const vars::MapScope none;
  const auto program = Program::parse("len(map(1..300000, # + 1))");
  ASSERT_TRUE(program);
  Cost used;
  int count = 0;
  while (count < 1000 && program->run_for_tag(none, used)) ++count;
  EXPECT_GT(count, 1);
  EXPECT_LT(count, 100);
}

// Most expressions are run on the variables as they are, without maps made of them; `let` prevents
// that.
TEST(Program, GivesTheSameWithAndWithoutMaps) {
  for (const std::string source : {"steps.a.outputs.result",
                                   "steps.a.outputs",
                                   "steps.b",
                                   "steps.b.status",
                                   "steps.b?.status",
                                   "steps.b?.outputs?.result ?? 'none'",
                                   "steps.b?.outputs.result ?? 'none'",
                                   "steps.a?.outputs?.result ?? 'none'",
                                   "steps.a.status",
                                   "steps.a.status?.x",
                                   "steps.a?.outputs?.other?.x ?? 'none'",
                                   "steps.a?.outputs.result.x ?? 'none'",
                                   "workflow.parameters?.n",
                                   "workflow.parameters?.m",
                                   "other?.x",
                                   "item?.x",
                                   "item",
                                   "skipped?.value?.x",
                                   "skipped.value",
                                   "workflow.status == 'Running' || false and other == 1",
                                   "false and other == 1",
                                   "true || steps.b.status.x",
                                   "[steps.b?.outputs?.result, item]",
                                   "asInt(workflow.parameters.n) + 1",
                                   "asInt(nil)",
                                   "toJson(nil)",
                                   "asFloat(item)",
                                   "steps.b?.status.trim()",
                                   "(steps.b?.status).x",
                                   "not (item in ['b', 'a'])",
                                   "steps.b?.status in ['b', 'a']",
                                   "sum(1..3) + len(item)"}) {
    const std::string direct = run(source);
    const std::string by_maps = run("let unused = 1; " + source);
    EXPECT_EQ(direct.substr(0, direct.find(" (1:")), by_maps.substr(0, by_maps.find(" (1:")))
        << source;
  }
}

TEST(Program, SumsOfSeriesNeedNoList) {
  expect_all({{"sum(1..100)", "5050"},
              {"sum(2..3)", "5"},
              {"sum(1..2000000)", "2000001000000"},
              {"sum(1..10, #)", "55"},
              {"sum(1..10, # * 3)", "165"},
              {"sum(1..10, 3 * #)", "165"},
              {"sum(1..10, # + 1)", "65"},
              {"sum(1..10, # - 1)", "45"},
              {"sum(1..10, 1 - #)", "-45"},
              {"sum(1..10, # % 2)", "5"},
              {"sum(-3..3)", "0"},
              {"sum(1..9223372036854775807)", "-4611686018427387904"},
              {"reduce(1..100, #acc + #)", "5050"},
              {"reduce(1..100, # + #acc, 5)", "5055"},
              {"reduce(1..3, #acc - #, 5)", "-1"},
              {"sum(map(1..3, # * #))", "14"},
              {"sum(map([1, 2], #index))", "1"}});
}

TEST(Program, AVariableHidesABuiltIn) {
  vars::MapScope s;
  s.set("len", "5");
  Cost used;
  EXPECT_EQ(Program::parse("len")->run_for_tag(s, used).value(), "5");
  EXPECT_THAT(Program::parse("len(\"a\")")->run_for_tag(s, used).error().message,
              HasSubstr("string is not callable"));
  EXPECT_EQ(Program::parse("::len(\"a\")")->run_for_tag(s, used).value(), value::Value(1));
}

}  // namespace
}  // namespace tiphys::expr
