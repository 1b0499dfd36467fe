// Who gets a lock next, and that nobody who is gone keeps one.
#include "runtime/locks.h"

#include <gtest/gtest.h>

#include "store/memory.h"

namespace tiphys::runtime {
namespace {

class LocksTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* uid : {"a", "b", "c"}) {
      const store::WorkflowRow row{.uid = uid, .name_space = "default", .name = uid};
      ASSERT_TRUE(store_.create_workflow(row, {.uid = uid, .sequence = 1, .payload = "{}"}));
    }
  }
  static engine::AcquireLocks wants(const std::string& holder, std::int64_t priority = 0,
                                    std::int64_t created = 0) {
    return {.run = 1,
            .ticket = 1,
            .holder = holder,
            .locks = {{.name = "default/Mutex/m"}},
            .priority = priority,
            .created_at = {created}};
  }
  static engine::ReleaseLocks returns(const std::string& holder) {
    return {.holder = holder, .locks = {{.name = "default/Mutex/m"}}};
  }

  store::MemoryStore store_;
  Locks locks_{store_, testing::TempDir()};
};

TEST_F(LocksTest, AMutexHasOneHolder) {
  EXPECT_TRUE(locks_.acquire("a", wants("default/a"))->is_acquired);
  EXPECT_TRUE(locks_.acquire("a", wants("default/a"))->is_acquired) << "asked for again";
  const engine::LocksAnswered second = locks_.acquire("b", wants("default/b")).value();
  EXPECT_FALSE(second.is_acquired);
  EXPECT_EQ(second.waiting, "default/Mutex/m");
  EXPECT_EQ(second.message, "Waiting for default/Mutex/m lock. Lock status: 0/1");
  EXPECT_TRUE(locks_.retry(true).empty()) << "nothing is new";
  locks_.release("a", returns("default/a"));
  const auto answers = locks_.retry(false);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].first, "b");
  EXPECT_TRUE(answers[0].second.is_acquired);
}

TEST_F(LocksTest, TheHigherPriorityThenTheOlderWorkflowIsNext) {
  EXPECT_TRUE(locks_.acquire("a", wants("default/a"))->is_acquired);
  EXPECT_FALSE(locks_.acquire("b", wants("default/b", 0, 10))->is_acquired);
  EXPECT_FALSE(locks_.acquire("c", wants("default/c", 1, 20))->is_acquired);
  locks_.release("a", returns("default/a"));
  const auto answers = locks_.retry(false);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].first, "c");
}

TEST_F(LocksTest, AWorkflowThatIsGoneHoldsNothing) {
  EXPECT_TRUE(locks_.acquire("a", wants("default/a"))->is_acquired);
  EXPECT_FALSE(locks_.acquire("b", wants("default/b"))->is_acquired);
  ASSERT_TRUE(store_.delete_workflow("a"));
  const auto answers = locks_.retry(true);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(answers[0].second.is_acquired);
}

TEST_F(LocksTest, ALostReleaseIsMadeUpForAfterARestart) {
  EXPECT_TRUE(locks_.acquire("a", wants("default/a/n1"))->is_acquired);
  EXPECT_FALSE(locks_.acquire("a", wants("default/a/n2"))->is_acquired);
  locks_.reconcile("a", {.holders = {"default/a/n2"}});
  const auto answers = locks_.retry(false);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(answers[0].second.is_acquired);
}

TEST_F(LocksTest, AStoreThatFailsOnlyPutsOffALock) {
  store_.fail_write(1, store::FailureTime::kBeforeEffect, true);
  EXPECT_FALSE(locks_.acquire("a", wants("default/a")).has_value());
  EXPECT_TRUE(locks_.trouble().has_value());
  EXPECT_TRUE(locks_.retry(false).empty());
  EXPECT_TRUE(locks_.trouble().has_value());
  store_.heal();
  const auto answers = locks_.retry(false);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].first, "a");
  EXPECT_TRUE(answers[0].second.is_acquired);
  EXPECT_FALSE(locks_.trouble().has_value());
}

// Else the holder would lose what it has acquired since.
TEST_F(LocksTest, WhatTheStoreDidNotTakeIsMadeUpForInOrder) {
  EXPECT_TRUE(locks_.acquire("a", wants("default/a"))->is_acquired);
  EXPECT_FALSE(locks_.acquire("b", wants("default/b"))->is_acquired);
  store_.fail_write(1, store::FailureTime::kBeforeEffect, true);
  locks_.release("a", returns("default/a"));
  locks_.reconcile("b", {.holders = {"default/b"}});
  EXPECT_FALSE(locks_.acquire("a", wants("default/a")).has_value());
  store_.heal();
  const auto answers = locks_.retry(false);
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].first, "b");
  EXPECT_TRUE(answers[0].second.is_acquired);
  EXPECT_EQ(answers[1].first, "a");
  EXPECT_FALSE(answers[1].second.is_acquired);
}

TEST_F(LocksTest, ASemaphoreTakesItsLimitFromAConfigMap) {
  engine::AcquireLocks what = wants("default/a");
  what.locks[0] = {.name = "default/ConfigMap/c/k",
                   .kind = engine::Lock::Kind::kSemaphore,
                   .name_space = "default",
                   .config_map = "c",
                   .key = "k"};
  EXPECT_EQ(locks_.acquire("a", what)->error,
            "failed to initialize semaphore default/ConfigMap/c/k with limit");
  ASSERT_TRUE(store_.put_object({.kind = "ConfigMap",
                                 .name_space = "default",
                                 .name = "c",
                                 .json = R"({"data":{"k":"2"}})",
                                 .created_at = {}}));
  EXPECT_TRUE(locks_.acquire("a", what)->is_acquired);
  what.holder = "default/b";
  EXPECT_TRUE(locks_.acquire("b", what)->is_acquired);
  what.holder = "default/c";
  EXPECT_EQ(locks_.acquire("c", what)->message,
            "Waiting for default/ConfigMap/c/k lock. Lock status: 0/2");
}

}  // namespace
}  // namespace tiphys::runtime
