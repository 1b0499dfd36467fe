// Goal: on a narrow screen the step, its duration and its message are seen before names of pods.
#include "view/fit.h"

#include <gtest/gtest.h>

namespace tiphys::view {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows table() {
  return {{"STEP", "TEMPLATE", "PODNAME", "DURATION", "MESSAGE"},
          {" \x1b[31m✖\x1b[39m a", "tmpl", "wf-tmpl-1234567890", "3s", "main: Error", ""},
          {"", "", "", "", "", ""}};
}

TEST(FitTable, LeavesOutPodsAndThenTemplates) {
  EXPECT_NE(fit_table(table(), 0).find("PODNAME"), std::string::npos);
  EXPECT_NE(fit_table(table(), 80).find("PODNAME"), std::string::npos);
  const std::string narrow = fit_table(table(), 46);
  EXPECT_EQ(narrow.find("PODNAME"), std::string::npos);
  EXPECT_NE(narrow.find("TEMPLATE"), std::string::npos);
  const std::string narrower = fit_table(table(), 30);
  EXPECT_EQ(narrower.find("TEMPLATE"), std::string::npos);
  EXPECT_NE(narrower.find("main: Error\n"), std::string::npos) << "no blanks at the end";
}

TEST(FitTable, ShortensStepsAtLast) {
  Rows rows = table();
  rows[1][0] = " ✖ a-step-with-a-very-long-name-indeed";
  const std::string text = fit_table(rows, 44);
  EXPECT_NE(text.find(" ✖ a-step-with-a-ver…  3s "), std::string::npos) << text;
  EXPECT_NE(text.find("main: Error"), std::string::npos) << text;
}

TEST(CutLines, KeepsEscapeSequences) {
  EXPECT_EQ(cut_lines("\x1b[31mabc\x1b[39m\nxyz\n", 2), "\x1b[31mab\x1b[39m\nxy\n");
  EXPECT_EQ(seen_width("\x1b[31m✖\x1b[39m a"), 3);
}

}  // namespace
}  // namespace tiphys::view
