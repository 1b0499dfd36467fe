// Lines of logs must be printed and filtered as argo does.
#include "cli/log_lines.h"

#include <gtest/gtest.h>

#include "clock/rfc3339.h"

namespace tiphys::cli {
namespace {

constexpr std::string_view kLine = "2026-11-24T10:00:00.5Z hello  world ";

TEST(LogLines, AreTakenApartAtTheFirstBlank) {
  EXPECT_EQ(log_time(kLine), "2026-11-24T10:00:00.5Z");
  EXPECT_EQ(log_text(kLine), "hello  world ");
  EXPECT_EQ(log_text("2026-11-24T10:00:00.5Z"), "");
  EXPECT_EQ(log_text("2026-11-24T10:00:00.5Z "), "");
}

TEST(LogLines, HaveThePodInFront) {
  EXPECT_EQ(format_log_line("p", kLine, {}), "p: hello  world ");
  EXPECT_EQ(format_log_line("p", kLine, {.timestamps = true}),
            "p: 2026-11-24T10:00:00.5Z hello  world ");
}

TEST(LogLines, AreColouredByThePodsName) {
  // The colours that argo has for these names.
  EXPECT_EQ(format_log_line("foo", "t x", {.color = true}), "\x1b[32mfoo: x\x1b[0m");
  EXPECT_EQ(format_log_line("bar", "t x", {.color = true}), "\x1b[35mbar: x\x1b[0m");
  EXPECT_EQ(format_log_line("baz", "t x", {.color = true}), "\x1b[37mbaz: x\x1b[0m");
  // Code points are added up, not bytes: U+00E4 is 228, a multiple of 6.
  EXPECT_EQ(format_log_line("\xC3\xA4", "t x", {.color = true}), "\x1b[32m\xC3\xA4: x\x1b[0m");
}

TEST(LogFilter, PassesAllByDefault) { EXPECT_TRUE(LogFilter().passes(kLine)); }

TEST(LogFilter, LooksForThePatternInTheTextOnly) {
  auto f = LogFilter::make("^hel+o", {});
  ASSERT_TRUE(f);
  EXPECT_TRUE(f->passes(kLine));
  EXPECT_FALSE(f->passes("2026-11-24T10:00:00.5Z  hello"));
  auto digits = LogFilter::make("2026", {});
  ASSERT_TRUE(digits);
  EXPECT_FALSE(digits->passes(kLine));
}

TEST(LogFilter, LeavesOutWhatIsOlder) {
  auto f = LogFilter::make("", *clock::parse_rfc3339("2026-11-24T10:00:00.5Z"));
  ASSERT_TRUE(f);
  EXPECT_TRUE(f->passes(kLine));
  EXPECT_FALSE(f->passes("2026-11-24T10:00:00.499999999Z x"));
}

TEST(LogFilter, RefusesABadPattern) {
  auto f = LogFilter::make("(", {});
  ASSERT_FALSE(f);
  EXPECT_TRUE(f.error().message.starts_with("--grep '('"));
}

}  // namespace
}  // namespace tiphys::cli
