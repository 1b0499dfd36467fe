// What of a failed step's log goes into messages and mails.
#include "runtime/failure_logs.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::runtime {
namespace {

namespace fs = std::filesystem;
using value::Map;
using value::Value;

struct FailureLogsTest : testing::Test {
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-failure-logs-XXXXXX";
    config.home = ::mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(config.home); }

  /// A log of so many lines, and its failure.
  Value failed(const std::string& pod, std::size_t lines) {
    const fs::path path = config.log_path("u", pod);
    fs::create_directories(path.parent_path());
    std::ofstream out(path, std::ios::binary);
    for (std::size_t i = 0; i < lines; ++i) {
      out << "2026-11-26T10:01:04.000000000Z line " << i << " of this log\n";
    }
    return Map{{"podName", pod}};
  }

  Config config;
};

TEST_F(FailureLogsTest, MessagesHaveTheLastTenLines) {
  Map event{{"failures", value::List{failed("p", 100), failed("q", 2)}}};
  add_failure_logs(config, "u", event);
  const Value failures = *event.find("failures");
  const std::string log(failures.list()[0]["log"].string_or(""));
  EXPECT_TRUE(log.starts_with("line 90 of this log\n")) << log;
  EXPECT_TRUE(log.ends_with("line 99 of this log")) << log;
  EXPECT_EQ(failures.list()[1]["log"], Value("line 0 of this log\nline 1 of this log"));
}

TEST_F(FailureLogsTest, MailsHaveTheWholeLogOrItsEnd) {
  constexpr std::size_t kMany = 40'000;
  Map event{{"failures", value::List{failed("short", 100), failed("long", kMany)}}};
  add_whole_logs(config, "u", event);
  const Value failures = *event.find("failures");
  const std::string whole(failures.list()[0]["wholeLog"].string_or(""));
  EXPECT_TRUE(whole.starts_with("line 0 of this log\nline 1 ")) << whole;
  EXPECT_TRUE(whole.ends_with("line 99 of this log\n")) << whole;
  const std::string end(failures.list()[1]["wholeLog"].string_or(""));
  EXPECT_TRUE(end.starts_with("[… the ")) << end.substr(0, 100);
  EXPECT_NE(end.find(" bytes before this are left out]\nline "), std::string::npos);
  EXPECT_TRUE(end.ends_with("line 39999 of this log\n"));
  EXPECT_LT(end.size(), 1024UL * 1024 + 100);
  EXPECT_GT(end.size(), 300'000U);
  EXPECT_FALSE(failures.list()[0]["log"].is_string());
}

TEST_F(FailureLogsTest, AllLogsOfAMailAreBounded) {
  value::List failures;
  for (const char* pod : {"a", "b", "c", "d", "e"}) failures.push_back(failed(pod, 60'000));
  Map event{{"failures", std::move(failures)}};
  add_whole_logs(config, "u", event);
  std::size_t size = 0;
  const Value with = *event.find("failures");
  for (const Value& f : with.list()) size += f["wholeLog"].string_or("").size();
  EXPECT_LT(size, 4UL * 1024 * 1024 + 1000);
}

}  // namespace
}  // namespace tiphys::runtime
