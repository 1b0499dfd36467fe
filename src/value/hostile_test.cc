// Goal: no JSON text of a MiB crashes or takes more than 256 MiB, or time that grows with its
// square.
#include <string>

#include <gtest/gtest.h>

#include "peak_memory.h"
#include "value/json.h"

namespace tiphys::value {
namespace {

constexpr std::size_t kSize = 1U << 20U;

std::string repeated(std::string_view text, std::size_t size) {
  std::string out;
  while (out.size() < size) out += text;
  return out;
}

// Whether it is JSON; what it takes to write it again is bounded, too.
bool parse_bounded(const std::string& text) {
  bool is_json = false;
  const std::size_t peak = test::peak_memory([&] {
    const auto v = parse_json(text);
    is_json = v.has_value();
    if (is_json) (void)to_json(*v);
  });
  EXPECT_LT(peak, 256U << 20U) << text.substr(0, 100);
  return is_json;
}

TEST(HostileJson, Nesting) {
  EXPECT_FALSE(parse_bounded(repeated("[", kSize)));
  EXPECT_FALSE(parse_bounded(repeated("{\"a\":", kSize)));
  EXPECT_FALSE(parse_bounded(repeated("[", kSize / 2) + repeated("]", kSize / 2)));
  EXPECT_TRUE(parse_bounded(repeated("[", 1000) + repeated("]", 1000)));
}

TEST(HostileJson, ManyParts) {
  EXPECT_TRUE(parse_bounded("[" + repeated("1,", kSize) + "1]"));
  EXPECT_TRUE(parse_bounded("[" + repeated("[],", kSize) + "1]"));
  EXPECT_TRUE(parse_bounded("[" + repeated("{},", kSize) + "1]"));
  EXPECT_TRUE(parse_bounded("{" + repeated("\"a\":1,", kSize) + "\"a\":1}"));
}

// Looking through all keys for each one would take 5 * 10^9 comparisons.
TEST(HostileJson, ManyKeys) {
  std::string text = "{\"k\":1";
  for (int i = 0; i < 100'000; ++i) text += ",\"k" + std::to_string(i) + "\":1";
  EXPECT_TRUE(parse_bounded(text + "}"));
}

TEST(HostileJson, Numbers) {
  EXPECT_FALSE(parse_bounded("1e999999999"));
  EXPECT_FALSE(parse_bounded(std::string(1'000'000, '9')));
  EXPECT_TRUE(parse_bounded("0." + std::string(1'000'000, '9')));
  EXPECT_TRUE(parse_bounded("1e-999999999"));
}

TEST(HostileJson, Texts) {
  EXPECT_TRUE(parse_bounded("\"" + repeated("\\u0000", kSize) + "\""));
  EXPECT_TRUE(parse_bounded("\"" + repeated("\xff", kSize) + "\""));
  EXPECT_FALSE(parse_bounded("\"" + std::string(kSize, 'a')));
}

}  // namespace
}  // namespace tiphys::value
