// Findings must point at their place, also in lines with tabs and other than English letters.
#include "diag/render.h"

#include <gtest/gtest.h>

namespace tiphys::diag {
namespace {

const char* const kText = "a: 1\nspec:\n  entrypiont: m\n\tb: \xC3\xA9xyz\n";

std::optional<std::string_view> source(const std::string& file) {
  if (file != "f.yaml") return std::nullopt;
  return kText;
}

Diagnostic finding(int line, int column, std::string message = "unknown field") {
  Diagnostic d;
  d.error = {Code::kInvalidManifest, std::move(message), {"f.yaml", line, column}};
  return d;
}

TEST(Render, ShowsPlaceLineCaretAndSuggestion) {
  Diagnostic d = finding(3, 3);
  d.suggestion = "did you mean \"entrypoint\"?";
  EXPECT_EQ(render(d, source),
            "f.yaml:3:3: error: unknown field; did you mean \"entrypoint\"?\n"
            "    entrypiont: m\n"
            "    ^\n");
}

TEST(Render, KeepsTabsAndCountsLettersOfSeveralBytesOnce) {
  Diagnostic d = finding(4, 7);
  d.severity = Severity::kWarning;
  EXPECT_EQ(render(d, source),
            "f.yaml:4:7: warning: unknown field\n"
            "  \tb: \xC3\xA9xyz\n"
            "  \t    ^\n");
}

TEST(Render, WorksWithoutPlaceSourceOrLine) {
  Diagnostic d;
  d.error.message = "no entrypoint";
  EXPECT_EQ(render(d, source), "error: no entrypoint\n");
  d.error.at = {"other.yaml", 1, 1};
  EXPECT_EQ(render(d, source), "other.yaml:1:1: error: no entrypoint\n");
  d.error.at = {"f.yaml", 99, 1};
  EXPECT_EQ(render(d, source), "f.yaml:99:1: error: no entrypoint\n");
}

TEST(Render, CutsLongLinesAroundTheCaret) {
  const std::string line = std::string(300, 'a') + "X" + std::string(300, 'b');
  const auto text = [&](const std::string&) -> std::optional<std::string_view> { return line; };
  const std::string out = render(finding(1, 301), text, {.width_max = 40});
  EXPECT_NE(out.find("..."), std::string::npos);
  EXPECT_NE(out.find('X'), std::string::npos);
  EXPECT_LT(out.size(), 200U);
}

TEST(RenderAll, SortsByPlace) {
  EXPECT_EQ(render_all({finding(4, 1, "two"), finding(1, 2, "one")}, nullptr),
            "f.yaml:1:2: error: one\nf.yaml:4:1: error: two\n");
}

}  // namespace
}  // namespace tiphys::diag
