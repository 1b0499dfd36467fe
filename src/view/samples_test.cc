// Our views must be those of the real argo CLI, byte for byte: compares with what argo v4.1.2
// printed, where those samples are at hand (beside the project); skips otherwise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "clock/rfc3339.h"
#include "value/json.h"
#include "view/list_view.h"
#include "view/workflow_view.h"
#include "view/yaml_view.h"

#ifndef TIPHYS_SOURCE_DIR
#define TIPHYS_SOURCE_DIR "."  // tests run in the project's top folder
#endif

namespace tiphys::view {

namespace {

namespace fs = std::filesystem;
using value::Value;

const fs::path kSamples = fs::path(TIPHYS_SOURCE_DIR) / ".." / "shared" / "api" / "cli-samples";

std::string read(const std::string& name) {
  std::ifstream in(kSamples / name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Value json_of(const std::string& name) {
  auto parsed = value::parse_json(read(name));
  EXPECT_TRUE(parsed) << name;
  return parsed ? *parsed : Value();
}

/// Argo prints a resourcesDuration in a random order; both texts are brought into ours.
std::string ordered(const std::string& text) {
  static const std::regex swapped(R"((\d+s\*\(100Mi memory\)),(\d+s\*\(1 cpu\)))");
  return std::regex_replace(text, swapped, "$2,$1");
}

/// When the samples were printed.
clock::Instant sample_time() { return *clock::parse_rfc3339("2026-11-23T19:39:20Z"); }

class Samples : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kSamples)) GTEST_SKIP() << "no samples of the real CLI here";
    for (const auto& entry : fs::directory_iterator(kSamples)) {
      if (entry.path().extension() == ".json") names_.push_back(entry.path().stem());
    }
    std::ranges::sort(names_);
    ASSERT_FALSE(names_.empty());
  }

  /// Compares each NAME.get`ending`.txt that exists with what `options` print.
  void compare(const std::string& ending, GetOptions options) {
    options.now = sample_time();
    int compared = 0;
    for (const std::string& name : names_) {
      const std::string file = name + ".get" + ending + ".txt";
      if (!fs::exists(kSamples / file)) continue;
      ++compared;
      EXPECT_EQ(format_workflow(json_of(name + ".json"), options), ordered(read(file))) << file;
    }
    EXPECT_GT(compared, 0);
  }

  std::vector<Value> listed() const {
    std::vector<Value> workflows;
    for (const std::string& name : names_) workflows.push_back(json_of(name + ".json"));
    sort_for_list(workflows);
    return workflows;
  }

  std::vector<std::string> names_;
};

// The samples with flags were printed without colours, except for those of plain `get`.
GetOptions plain(Output output = Output::kText) { return {.output = output, .color = false}; }

TEST_F(Samples, Get) { compare("", {}); }
TEST_F(Samples, GetWithoutColors) { compare("-nocolor", plain()); }
TEST_F(Samples, GetWithoutUtf8) {
  GetOptions options = plain();
  options.utf8 = false;
  compare("-noutf8", options);
}
TEST_F(Samples, GetWide) { compare("-wide", plain(Output::kWide)); }
TEST_F(Samples, GetShort) { compare("-short", plain(Output::kShort)); }
TEST_F(Samples, GetStatus) {
  GetOptions options = plain();
  options.status = "Failed";
  compare("-status-Failed", options);
}
TEST_F(Samples, GetNodeFieldSelector) {
  GetOptions options = plain();
  options.node_field_selector = "displayName=nothing";
  compare("-nfs", options);
}

TEST_F(Samples, GetYamlAndJson) {
  const std::string text = read("steps-ok-abc12.get-json.txt");
  const Value workflow = json_of("steps-ok-abc12.get-json.txt");
  EXPECT_EQ(to_yaml(workflow), read("steps-ok-abc12.get-yaml.txt"));
  const value::JsonStyle as_get{.key_order = value::KeyOrder::kAsGiven, .indent = 4};
  EXPECT_EQ(value::to_json(workflow, as_get) + "\n", text);
}

TEST_F(Samples, List) {
  const clock::Instant now = sample_time();
  EXPECT_EQ(format_list(listed(), {.now = now}), read("list.txt"));
  EXPECT_EQ(format_list(listed(), {.show_namespace = true, .now = now}), read("list-A.txt"));
  EXPECT_EQ(format_list(listed(), {.wide = true, .now = now}), read("list-wide.txt"));
  EXPECT_EQ(format_list(listed(), {.headers = false, .now = now}), read("list-noheaders.txt"));
}

TEST_F(Samples, ListYamlAndJson) {
  const Value all = json_of("list-json.txt");
  EXPECT_EQ(to_yaml(all) + "\n", read("list-yaml.txt"));
  const value::JsonStyle as_list{.key_order = value::KeyOrder::kAsGiven, .indent = 2};
  EXPECT_EQ(value::to_json(all, as_list) + "\n", read("list-json.txt"));
}

}  // namespace

}  // namespace tiphys::view
