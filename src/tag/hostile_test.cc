// Goal: no text with tags makes substitution run for ever or take more than 256 MiB.
#include <string>

#include <gtest/gtest.h>

#include "peak_memory.h"
#include "tag/substitute.h"

namespace tiphys::tag {
namespace {

constexpr std::size_t kMemoryMax = 256U << 20U;
constexpr std::size_t kSize = 1U << 20U;

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

// Both ways, and whether what cannot be replaced is an error or stays; "" if the text was replaced.
std::string replace_bounded(const std::string& text, const Strictness& strictness) {
  vars::MapScope scope;
  scope.set("big", std::string(kSize, 'a'));
  scope.set("quotes", std::string(kSize, '"'));
  scope.set("tag", "{{tag}}");
  std::string error;
  const std::size_t peak = test::peak_memory([&] {
    const auto replaced = substitute(text, scope, strictness);
    if (!replaced) error = replaced.error().message;
  });
  EXPECT_LT(peak, kMemoryMax) << text.substr(0, 100);
  const std::size_t peak_of_document =
      test::peak_memory([&] { (void)substitute_document("\"" + text + "\"", scope, strictness); });
  EXPECT_LT(peak_of_document, kMemoryMax) << text.substr(0, 100);
  return error;
}

void expect_refused(const std::string& text, const std::string& why) {
  for (const bool all : {false, true}) {
    const std::string error = replace_bounded(text, {.all = all});
    EXPECT_NE(error.find(why), std::string::npos) << text.substr(0, 100) << ": " << error;
  }
}

TEST(HostileTags, ShareOneBudget) {
  expect_refused(repeated("{{=1..999998}}", 50), "take too much time or memory");
  expect_refused(repeated("{{=join(map(1..20, big), \'\')}}", 50), "of text");
  expect_refused(repeated("{{=len(filter(1..9999, # % 7 == 3))}}", 1000),
                 "take too much time or memory");
}

TEST(HostileTags, AreBoundedInWhatTheyStandFor) {
  expect_refused(repeated("{{big}}", 1000), "the tags stand for more than 32 MiB of text");
  expect_refused(repeated("{{=big}}", 1000), "the tags stand for more than 32 MiB of text");
  EXPECT_EQ(replace_bounded(repeated("{{big}}", 20), {}), "");
  EXPECT_EQ(replace_bounded(repeated("{{quotes}}", 20), {}), "");
}

TEST(HostileTags, ManyOfThem) {
  EXPECT_EQ(replace_bounded(repeated("{{tag}}", kSize / 8), {}), "");
  EXPECT_EQ(replace_bounded(repeated("{{=1}}", 20'000), {}), "");
  EXPECT_EQ(replace_bounded(repeated("{{", kSize / 2), {}), "");
  EXPECT_EQ(replace_bounded(repeated("{{a", kSize / 3) + "}}", {}), "");
  EXPECT_NE(replace_bounded("{{=" + repeated("(", kSize) + "}}", {}), "");
}

}  // namespace
}  // namespace tiphys::tag
