// argo's spellings must be understood, and a mistyped command must lead to the right one.
#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace tiphys::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Normalized, AShortFlagMayHaveAnEqualsSign) {
  EXPECT_THAT(normalized({"get", "w", "-o=json", "-p=a=b"}),
              ElementsAre("get", "w", "-ojson", "-pa=b"));
  EXPECT_THAT(normalized({"--output=json", "-", "-=", "-o"}),
              ElementsAre("--output=json", "-", "-=", "-o"));
  EXPECT_THAT(normalized({"x", "--", "-o=json"}), ElementsAre("x", "--", "-o=json"));
}

TEST(Normalized, HelpIsACommandToo) {
  EXPECT_THAT(normalized({"help", "template", "list"}), ElementsAre("template", "list", "--help"));
  EXPECT_THAT(normalized({"help"}), ElementsAre("--help"));
}

struct UnknownCommand : testing::Test {
  UnknownCommand() {
    app.add_option("-n,--namespace", name_space);
    app.add_option("--loglevel", level);
    app.add_flag("-v,--verbose", is_verbose);
    app.add_subcommand("submit");
    app.add_subcommand("list");
    app.add_subcommand("template")->add_subcommand("create");
  }
  std::string name_space;
  std::string level;
  bool is_verbose = false;
  CLI::App app{"", "tiphys"};
};

TEST_F(UnknownCommand, IsNotTheValueOfAFlag) {
  EXPECT_FALSE(unknown_command(app, {"--loglevel", "info", "-n", "x", "list"}));
  EXPECT_FALSE(unknown_command(app, {"--loglevel=info", "list"}));
  EXPECT_TRUE(unknown_command(app, {"-v", "info"}));
}

TEST_F(UnknownCommand, IsToldWithTheNearestOne) {
  const auto text = unknown_command(app, {"submti", "file"});
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("unknown command \"submti\" for \"tiphys\""));
  EXPECT_THAT(*text, HasSubstr("Did you mean this?\n\tsubmit\n"));
}

TEST_F(UnknownCommand, IsFoundBelowAnotherCommand) {
  const auto text = unknown_command(app, {"-n", "argo", "template", "creat"});
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("unknown command \"creat\" for \"tiphys template\""));
}

TEST_F(UnknownCommand, ArgumentsAreNoCommands) {
  EXPECT_FALSE(unknown_command(app, {"submit", "nonsense"}));
  EXPECT_FALSE(unknown_command(app, {"--no-color", "list", "x"}));
  EXPECT_FALSE(unknown_command(app, {"template"}));
  EXPECT_FALSE(unknown_command(app, {}));
}

}  // namespace
}  // namespace tiphys::cli
