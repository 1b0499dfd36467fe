// What a user writes about the requests of hooks holds for the nearest thing that says it, and a
// mistake changes nothing.
#include "runtime/http_hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::runtime {
namespace {

using testing::ElementsAre;

value::Value json(const char* text) { return *value::parse_json(text); }

const char* const kWorkflow =
    R"({"name": "w", "annotations": {"notifications.tiphys.dev/http-hooks": "await",
        "notifications.tiphys.dev/http-hook-retries": "0s, 2s 1m"}})";

TEST(HttpHooks, WithoutAWordTheDefaultHolds) {
  const HttpHookRules rules = http_hook_rules(json("{}"), json("{}"), HttpHooks::kOnce);
  EXPECT_EQ(rules.mode, HttpHooks::kOnce);
  EXPECT_EQ(rules.schedule.waits, notify::Schedule::standard().waits);
}

TEST(HttpHooks, AWorkflowSpeaksForItsTemplates) {
  const HttpHookRules rules = http_hook_rules(json("{}"), json(kWorkflow), HttpHooks::kRetry);
  EXPECT_EQ(rules.mode, HttpHooks::kAwait);
  EXPECT_THAT(rules.schedule.waits, ElementsAre(clock::Duration{}, clock::Duration::seconds(2),
                                                clock::Duration::seconds(60)));
}

TEST(HttpHooks, ATemplateSpeaksForItself) {
  for (const char* body :
       {R"({"metadata": {"annotations": {"notifications.tiphys.dev/http-hooks": "once"}}})",
        R"({"annotations": {"notifications.tiphys.dev/http-hooks": "once"}})"}) {
    const HttpHookRules rules = http_hook_rules(json(body), json(kWorkflow), HttpHooks::kRetry);
    EXPECT_EQ(rules.mode, HttpHooks::kOnce);
    EXPECT_EQ(rules.schedule.waits.size(), 3U);  // of the workflow, since it says nothing of them
  }
}

TEST(HttpHooks, WhatCannotBeReadHasNoEffect) {
  for (const char* retries : {"soon", "0s, -5s", " , "}) {
    const value::Value metadata = value::Map{
        {"annotations", value::Map{{"notifications.tiphys.dev/http-hooks", "often"},
                                   {"notifications.tiphys.dev/http-hook-retries", retries}}}};
    const HttpHookRules rules = http_hook_rules(json("{}"), metadata, HttpHooks::kRetry);
    EXPECT_EQ(rules.mode, HttpHooks::kRetry);
    EXPECT_EQ(rules.schedule.waits.size(), 8U) << retries;
  }
}

}  // namespace
}  // namespace tiphys::runtime
