#include "plan/depends.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "peak_memory.h"
#include "value/json.h"

namespace tiphys::plan {
namespace {

using Decision = Depends::Decision;
using States = std::map<std::string, TaskState, std::less<>>;

Depends read(std::string_view task, std::string_view others = R"([{"name":"a"},{"name":"b-1"}])") {
  const value::Value list = *value::parse_json(others);
  const auto depends = Depends::read(*value::parse_json(task), [&](std::string_view name) {
    const value::Value* found = nullptr;
    for (const auto& other : list.list()) {
      if (other["name"].string_or("") == name) found = &other;
    }
    return found;
  });
  EXPECT_TRUE(depends);
  return *depends;
}

diag::Result<Decision> decide(const Depends& depends, const States& states) {
  return depends.decide([&](std::string_view name) -> const TaskState* {
    const auto it = states.find(name);
    return it == states.end() ? nullptr : &it->second;
  });
}

const TaskState kSucceeded = task_state({"Succeeded"});
const TaskState kFailed = task_state({"Failed"});

// Goal: bare names are spelled out, dependencies are found, and nothing is decided too early.
TEST(Depends, Logic) {
  const Depends d = read(R"({"name":"t","depends":"a && !b-1.Failed"})");
  EXPECT_EQ(d.logic(), "(a.Succeeded || a.Skipped || a.Daemoned) && !b-1.Failed");
  EXPECT_EQ(d.dependencies(), (std::vector<std::string>{"a", "b-1"}));
  EXPECT_EQ(*decide(d, {{"a", kSucceeded}}), Decision::kWait);
  EXPECT_EQ(*decide(d, {{"a", kSucceeded}, {"b-1", kSucceeded}}), Decision::kRun);
  EXPECT_EQ(*decide(d, {{"a", kSucceeded}, {"b-1", kFailed}}), Decision::kOmit);
}

// Goal: `dependencies` forgives what continueOn of the other task forgives.
TEST(Depends, OldForm) {
  const Depends d = read(R"({"name":"t","dependencies":["a"]})",
                         R"([{"name":"a","continueOn":{"failed":true}}])");
  EXPECT_EQ(*decide(d, {{"a", kFailed}}), Decision::kRun);
  EXPECT_EQ(*decide(d, {{"a", task_state({"Error"})}}), Decision::kOmit);
  EXPECT_EQ(*decide(read(R"({"name":"t"})"), {}), Decision::kRun);
}

// Goal: bad logic is an error when it is decided, an unknown task one at once.
TEST(Depends, Errors) {
  EXPECT_FALSE(decide(read(R"({"name":"t","depends":"a &&"})"), {{"a", kSucceeded}}));
  EXPECT_FALSE(decide(read(R"({"name":"t","depends":"a.Foo"})"), {{"a", kSucceeded}}));
  EXPECT_FALSE(Depends::read(*value::parse_json(R"({"name":"t","depends":"zz"})"),
                             [](std::string_view) { return nullptr; }));
  EXPECT_EQ(validate_task_results(*value::parse_json(R"({"depends":"a.Foo"})")).error().message,
            "task result 'Foo' for task 'a' is invalid");
}

// Goal: a loop's state looks at its items, and unknown items count as not failed.
TEST(Depends, Loops) {
  EXPECT_TRUE(task_state({"Failed"}, {{"Failed", "Failed"}}).all_failed);
  EXPECT_FALSE(task_state({"Failed"}, {{"Failed", ""}}).all_failed);
  EXPECT_FALSE(task_state({"Succeeded"}, std::vector<std::string>{}).all_failed);
  EXPECT_TRUE(task_state({"Failed"}, {{"Failed", "Succeeded"}}).any_succeeded);
}

// Goal: a node is fulfilled when nothing more will come from it.
TEST(Depends, Fulfilled) {
  EXPECT_TRUE(is_fulfilled({"Omitted"}));
  EXPECT_FALSE(is_fulfilled({"Running"}));
  EXPECT_TRUE(is_fulfilled({"Running", true}));
  EXPECT_FALSE(is_fulfilled({"Pending", true}));
  EXPECT_FALSE(is_fulfilled({"Succeeded", false, false}));
}

// Goal: a graph of a MiB in which each task waits for all those in front takes little memory.
TEST(Depends, ManyThatWait) {
  std::string names;
  std::vector<Depends> waiting;
  const value::Value any = *value::parse_json(R"({"name":"any"})");
  const std::size_t peak = test::peak_memory([&] {
    for (int i = 0; i < 500; ++i) {
      const std::string task = fmt::format(R"({{"name":"t","dependencies":[{}]}})", names);
      auto depends = Depends::read(*value::parse_json(task),
                                   [&](std::string_view) -> const value::Value* { return &any; });
      ASSERT_TRUE(depends);
      waiting.push_back(std::move(*depends));
      names += fmt::format(R"({}"t{}")", names.empty() ? "" : ",", i);
    }
  });
  EXPECT_LT(peak, 64U << 20U);
}

}  // namespace
}  // namespace tiphys::plan
