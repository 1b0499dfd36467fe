// A line can be read by people and by programs, whatever is in its fields, and no URL's secret part
// gets into it.
#include "observe/log.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::observe {
namespace {

constexpr clock::Instant kAt{1'767'225'600'123'456'000};
const value::Map kFields = {{"workflow", "a-b"}, {"node", "a-b[0].step(0:x y)"},
                            {"exitCode", 3},     {"error", "said \"no\"\nand = ended"},
                            {"hook", ""},        {"lock", value::Value()}};

TEST(LogTest, TextIsALineWithWordsForFields) {
  EXPECT_EQ(log_line({}, kAt, LogLevel::kWarn, "node failed", kFields),
            R"t(warning: node failed workflow=a-b node="a-b[0].step(0:x y)" exitCode=3 )t"
            R"(error="said \"no\"\nand = ended")");
  EXPECT_EQ(log_line({.text_has_time = true}, kAt, LogLevel::kInfo, "up", {}),
            "2026-01-01T00:00:00.123456Z info: up");
}

TEST(LogTest, JsonIsAnObjectALine) {
  const std::string line =
      log_line({.format = LogFormat::kJson}, kAt, LogLevel::kError, "node failed", kFields);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto v = value::parse_json(line);
  ASSERT_TRUE(v) << line;
  EXPECT_EQ((*v)["time"].string_or(""), "2026-01-01T00:00:00.123456Z");
  EXPECT_EQ((*v)["level"].string_or(""), "error");
  EXPECT_EQ((*v)["msg"].string_or(""), "node failed");
  EXPECT_EQ((*v)["error"].string_or(""), "said \"no\"\nand = ended");
  EXPECT_EQ((*v)["exitCode"].int_or(0), 3);
  EXPECT_FALSE((*v).map().find("hook"));
  EXPECT_FALSE((*v).map().find("lock"));
}

TEST(LogTest, KnowsTheWordsOfArgosFlag) {
  EXPECT_EQ(parse_log_level("debug"), LogLevel::kDebug);
  EXPECT_EQ(parse_log_level("warn"), LogLevel::kWarn);
  EXPECT_EQ(parse_log_level("warning"), LogLevel::kWarn);
  EXPECT_FALSE(parse_log_level("loud"));
  EXPECT_FALSE(parse_log_level(""));
}

TEST(LogTest, UrlsKeepTheirHostOnly) {
  EXPECT_EQ(without_urls(R"(Post "https://hooks.example.org/services/T0/B0/s3cret": EOF)"),
            R"(Post "https://hooks.example.org/...": EOF)");
  EXPECT_EQ(without_urls("git clone https://me:s3cret@example.org:8/x?key=1 and http://h?k=2"),
            "git clone https://example.org:8/... and http://h/...");
  EXPECT_EQ(without_urls("http://plain failed"), "http://plain failed");
  EXPECT_EQ(without_urls("no url: at all"), "no url: at all");
}

TEST(LogTest, LevelsBelowTheOneThatIsSetAreNotLogged) {
  set_up_log({.level = LogLevel::kWarn});
  EXPECT_FALSE(is_logged(LogLevel::kInfo));
  EXPECT_TRUE(is_logged(LogLevel::kError));
  testing::internal::CaptureStderr();
  log(LogLevel::kInfo, "not this");
  log(LogLevel::kError, "but this {}", {{"node", "{0}"}});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "error: but this {} node={0}\n");
}

}  // namespace
}  // namespace tiphys::observe
