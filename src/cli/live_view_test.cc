// A drawing must never be taller than its screen, and must show what is at work.
#include "cli/live_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tiphys::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using value::List;
using value::Map;
using value::Value;

/// A workflow `w` of `done` finished and `going` running steps.
Value workflow(int done, int going) {
  Map nodes;
  List children;
  for (int i = 0; i < done + going; ++i) {
    const std::string name = "s" + std::to_string(i);
    nodes.set(name, Map{{"id", name},
                        {"name", "w." + name},
                        {"displayName", name},
                        {"type", "Pod"},
                        {"boundaryID", "w"},
                        {"templateName", "t"},
                        {"phase", i < done ? "Succeeded" : "Running"}});
    children.emplace_back(name);
  }
  nodes.set("w", Map{{"id", "w"},
                     {"name", "w"},
                     {"displayName", "w"},
                     {"type", "DAG"},
                     {"templateName", "m"},
                     {"phase", "Running"},
                     {"children", children}});
  return Map{{"metadata", Map{{"name", "w"}}},
             {"spec", Map{}},
             {"status", Map{{"phase", "Running"}, {"progress", "1/2"}, {"nodes", nodes}}}};
}

view::GetOptions plain() { return {.color = false, .utf8 = false, .width = 80}; }

std::ptrdiff_t lines(const std::string& text) { return std::ranges::count(text, '\n'); }

TEST(FitToScreen, ShowsAllWhereThereIsRoom) {
  const std::string text = fit_to_screen(workflow(2, 2), plain(), 60);
  EXPECT_THAT(text, StartsWith("Name:"));
  EXPECT_THAT(text, HasSubstr("s0"));
}

TEST(FitToScreen, LeavesOutTheHeaderFirst) {
  const std::string text = fit_to_screen(workflow(3, 2), plain(), 9);
  EXPECT_THAT(text, StartsWith("w  Running  1/2\n"));
  EXPECT_THAT(text, HasSubstr("s0"));
  EXPECT_THAT(text, HasSubstr("s4"));
}

TEST(FitToScreen, ThenShowsWhatIsAtWork) {
  const std::string text = fit_to_screen(workflow(100, 2), plain(), 10);
  EXPECT_THAT(text, Not(HasSubstr("s99 ")));
  EXPECT_THAT(text, HasSubstr("s101"));
  EXPECT_LE(lines(text), 10);
}

TEST(FitToScreen, ThenCountsWhatDoesNotFit) {
  const std::string text = fit_to_screen(workflow(0, 100), plain(), 10);
  EXPECT_EQ(lines(text), 10);
  EXPECT_THAT(text, HasSubstr(" more\n"));
}

TEST(FitToScreen, IsNeverTallerThanTheScreen) {
  for (int rows = 0; rows < 130; ++rows) {
    EXPECT_LE(lines(fit_to_screen(workflow(40, 60), plain(), rows)), rows) << rows;
  }
}

}  // namespace
}  // namespace tiphys::cli
