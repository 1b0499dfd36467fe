// While a tree is on the screen, lines are kept back for it: the same lines in the same form.
#include "cli/log_notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/log.h"

namespace tiphys::cli {
namespace {

using observe::LogLevel;
using testing::ElementsAre;

TEST(LogNotesTest, KeepsTheLinesOfTheLevelThatIsSet) {
  observe::set_up_log({.level = LogLevel::kWarn});
  LogNotes notes;
  observe::log(LogLevel::kInfo, "hook fired");
  observe::log(LogLevel::kWarn, "images are ignored", {{"node", "a"}});
  EXPECT_THAT(notes.take(), ElementsAre("warning: images are ignored node=a"));
  EXPECT_TRUE(notes.take().empty());
}

TEST(LogNotesTest, WhatNobodyTookGoesToStandardError) {
  testing::internal::CaptureStderr();
  {
    observe::set_up_log({.level = LogLevel::kInfo});
    const LogNotes notes;
    observe::log(LogLevel::kInfo, "late");
  }
  observe::log(LogLevel::kInfo, "later");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "info: late\ninfo: later\n");
}

}  // namespace
}  // namespace tiphys::cli
