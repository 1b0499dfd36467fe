// The file is a JSON array of events once it is closed, and one that lacks its end at any moment
// before.
#include "observe/trace.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "value/json.h"

namespace tiphys::observe {
namespace {

struct TraceTest : testing::Test {
  TraceTest() {
    char pattern[] = "/tmp/tiphys-trace-XXXXXX";
    folder = ::mkdtemp(pattern);
    path = folder + "/trace.json";
  }
  ~TraceTest() override { std::filesystem::remove_all(folder); }
  TraceTest(const TraceTest&) = delete;
  TraceTest& operator=(const TraceTest&) = delete;

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  [[nodiscard]] value::List events(const std::string& end) const {
    auto v = value::parse_json(text() + end);
    EXPECT_TRUE(v) << text();
    return v ? v->list() : value::List();
  }

  std::string folder;
  std::string path;
};

TEST_F(TraceTest, IsAnArrayThatMayLackItsEnd) {
  {
    auto trace = Trace::open(path);
    ASSERT_TRUE(trace);
    trace->name_group(2, "steps");
    trace->slice({.group = 2, .lane = 3}, "a \"b\"", {5'000'500}, {7'501'000},
                 {{"phase", "Failed"}});
    trace->flush();
    ASSERT_EQ(events("]").size(), 2U);
    trace->arrow_from(1, {.group = 2, .lane = 3}, {7'501'000});
  }
  const value::List all = events("");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0]["args"]["name"].string_or(""), "steps");
  EXPECT_EQ(all[1]["name"].string_or(""), "a \"b\"");
  EXPECT_EQ(all[1]["ph"].string_or(""), "X");
  EXPECT_DOUBLE_EQ(all[1]["ts"].as_float(), 5000.5);
  EXPECT_DOUBLE_EQ(all[1]["dur"].as_float(), 2500.5);
  EXPECT_EQ(all[1]["pid"].int_or(0), 2);
  EXPECT_EQ(all[1]["tid"].int_or(0), 3);
  EXPECT_EQ(all[1]["args"]["phase"].string_or(""), "Failed");
  EXPECT_EQ(all[2]["ts"].int_or(0), 7500) << "an arrow leaves from inside of its slice";
}

TEST_F(TraceTest, IsAnEmptyArrayWhenNothingHappened) {
  ASSERT_TRUE(Trace::open(path));
  EXPECT_TRUE(events("").empty());
}

TEST_F(TraceTest, SaysWhyItCannotBeWritten) {
  const auto trace = Trace::open(folder + "/none/trace.json");
  ASSERT_FALSE(trace);
  EXPECT_NE(trace.error().message.find("No such file"), std::string::npos);
}

}  // namespace
}  // namespace tiphys::observe
