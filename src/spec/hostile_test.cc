// Goal: no YAML text of a MiB crashes or takes more than 256 MiB, or time that grows with its
// square.
#include <string>

#include <gtest/gtest.h>

#include "peak_memory.h"
#include "spec/yaml_reader.h"
#include "value/json.h"

namespace tiphys::spec {
namespace {

constexpr std::size_t kSize = 1U << 20U;

std::string repeated(std::string_view text, std::size_t size) {
  std::string out;
  while (out.size() < size) out += text;
  return out;
}

// "" if it can be read, else why not; what it takes to write it as JSON is bounded, too.
std::string read_bounded(const std::string& text) {
  std::string error;
  const std::size_t peak = test::peak_memory([&] {
    const auto document = read_yaml(text, {.file = "f"});
    if (document) {
      (void)value::to_json(document->value);
    } else {
      error = document.error().message;
    }
  });
  EXPECT_LT(peak, 256U << 20U) << text.substr(0, 100);
  return error;
}

TEST(HostileYaml, AliasBombs) {
  std::string lists = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  std::string maps = "a0: &a0 {x: 1}\n";
  std::string merges = "a0: &a0 {x: 1}\n";
  for (int i = 1; i < 100; ++i) {
    const std::string n = std::to_string(i);
    const std::string last = "*a" + std::to_string(i - 1);
    lists += "a" + n + ": &a" + n + " [" + repeated(last + ", ", 40) + last + "]\n";
    maps += "a" + n + ": &a" + n + " {x: " + last + ", y: " + last + "}\n";
    merges +=
        "a" + n + ": &a" + n + " {<<: [" + last + ", " + last + "], k" + n + ": " + last + "}\n";
  }
  EXPECT_EQ(read_bounded(lists), "yaml: document contains excessive aliasing");
  EXPECT_EQ(read_bounded(maps), "yaml: document contains excessive aliasing");
  EXPECT_EQ(read_bounded(merges), "yaml: document contains excessive aliasing");
  EXPECT_NE(read_bounded("a: &a [*a]"), "");
}

TEST(HostileYaml, Nesting) {
  EXPECT_NE(read_bounded(repeated("[", kSize)), "");
  EXPECT_NE(read_bounded(repeated("{a: ", kSize)), "");
  EXPECT_NE(read_bounded(repeated("- ", kSize)), "");
  EXPECT_NE(read_bounded(repeated("? ", kSize)), "");
  std::string indented;
  for (std::size_t i = 0; i < 1400; ++i) indented += std::string(i, ' ') + "a:\n";
  EXPECT_NE(read_bounded(indented), "");
}

TEST(HostileYaml, ManyParts) {
  EXPECT_EQ(read_bounded(repeated("- \n", kSize)), "");
  EXPECT_EQ(read_bounded("[" + repeated("a,", kSize) + "]"), "");
  EXPECT_EQ(read_bounded("[" + repeated("[],", kSize) + "]"), "");
  EXPECT_EQ(read_bounded("[" + repeated("{},", kSize) + "]"), "");
}

// Looking through all keys for each one would take 5 * 10^9 comparisons.
TEST(HostileYaml, ManyKeys) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(read_bounded(text), "");
  std::string twice;
  for (int i = 0; i < 100'000; ++i) twice += "k" + std::to_string(i % 50'000) + ": 1\n";
  EXPECT_NE(read_bounded(twice), "");
}

TEST(HostileYaml, Numbers) {
  EXPECT_EQ(read_bounded("a: 1e999999999"), "");  // a text, as for Argo
  EXPECT_EQ(read_bounded("a: " + std::string(1'000'000, '9')), "");
  EXPECT_EQ(read_bounded("a: 0." + std::string(1'000'000, '9')), "");
  EXPECT_EQ(read_bounded("a: 0x" + std::string(1'000'000, 'f')), "");
  EXPECT_EQ(read_bounded("a: 1" + std::string(1'000'000, '_')), "");
}

TEST(HostileYaml, Directives) {
  EXPECT_NE(read_bounded(repeated("%TAG !a! b\n", kSize) + "--- a"), "");
}

}  // namespace
}  // namespace tiphys::spec
