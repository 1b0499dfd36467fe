// A view must tell the same story to the step and to the one who reads its outputs.
#include "executor/view.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "executor/path_words.h"

namespace tiphys::executor {
namespace {

using testing::ElementsAre;

struct ViewTest : testing::Test {
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-view-XXXXXX";
    scratch = ::mkdtemp(pattern);
  }
  void TearDown() override { std::filesystem::remove_all(scratch); }
  std::string scratch;
};

TEST(PathWords, FindsPathsAsAShellWould) {
  EXPECT_THAT(mentioned_paths("cat /tmp/a.txt >/mnt/b; curl http://h/x -o=/c 'a/b' $HOME/x /"),
              ElementsAre("/tmp/a.txt", "/mnt/b", "/c"));
  EXPECT_EQ(clean_path("//a/./b/../c/"), "/a/c");
  EXPECT_EQ(clean_path("/../.."), "/");
  EXPECT_TRUE(is_below("/a/b", "/a"));
  EXPECT_FALSE(is_below("/ab", "/a"));
}

TEST_F(ViewTest, NothingDeclaredIsTheHostsView) {
  const auto view = View::make({.scratch = scratch, .mentioned = {"/dev/null", "/bin/true"}});
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->mounts().empty());
  EXPECT_EQ(view->real_path("/etc/hostname"), "/etc/hostname");
  EXPECT_EQ(view->save(), "");
}

TEST_F(ViewTest, DeclaredPathsLieInTheScratchFolder) {
  const auto view = View::make({.scratch = scratch,
                                .declared = {"/tmp/tiphys-x", "/tiphys-y/z"},
                                .volumes = {{"/mnt/tiphys-v", scratch}}});
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_FALSE(view->root().empty());
  for (const char* path : {"/tmp/tiphys-x", "/tiphys-y/z"}) {
    const auto place = view->place_for(path);
    ASSERT_TRUE(place);
    EXPECT_TRUE(is_below(*place, scratch)) << *place;
    std::ofstream(*place) << "x";
    EXPECT_EQ(view->real_path(path), *place);
    EXPECT_EQ(View::load(view->save()).real_path(path), *place);
  }
  EXPECT_EQ(view->real_path("/mnt/tiphys-v/f"), scratch + "/f");
}

TEST_F(ViewTest, AVolumeBelowALinkIsMountedWhereTheLinkLeads) {
  ASSERT_EQ(::mkdir((scratch + "/run").c_str(), 0755), 0);
  ASSERT_EQ(::symlink((scratch + "/run").c_str(), (scratch + "/var-run").c_str()), 0);
  const auto view = View::make({.scratch = scratch + "/s",
                                .declared = {},
                                .volumes = {{scratch + "/var-run/argo", "/etc"}}});
  ASSERT_TRUE(view) << view.error().message;
  const std::string staged = scratch + "/s/fs/0/m/argo";
  EXPECT_TRUE(std::filesystem::is_directory(scratch + "/s/fs/0/u/argo"));
  EXPECT_TRUE(std::ranges::any_of(view->mounts(), [&](const wire::Mount& m) {
    return m.source == "/etc" && m.target == staged;
  }));
}

TEST_F(ViewTest, LinksAreFollowedAsTheStepSeesThem) {
  const auto view = View::make({.scratch = scratch, .declared = {"/tmp/tiphys-x"}});
  ASSERT_TRUE(view);
  const auto target = view->place_for("/tmp/tiphys-target");
  const auto link = view->place_for("/tmp/tiphys-x");
  ASSERT_TRUE(target && link);
  std::ofstream(*target) << "x";
  ASSERT_EQ(::symlink("/tmp/tiphys-target", link->c_str()), 0);
  EXPECT_EQ(view->real_path("/tmp/tiphys-x"), *target);
}

TEST_F(ViewTest, WithoutMountsPathsAreRewritten) {
  const auto view = View::make({.scratch = scratch,
                                .declared = {"/tmp/tiphys-x", "/tmp/tiphys-x-long"},
                                .may_mount = false});
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->mounts().empty());
  EXPECT_EQ(view->rewrite("echo > /tmp/tiphys-x-long; cat /tmp/tiphys-x"),
            "echo > " + scratch + "/fs/tmp/tiphys-x-long; cat " + scratch + "/fs/tmp/tiphys-x");
  EXPECT_EQ(view->real_path("/tmp/tiphys-x"), scratch + "/fs/tmp/tiphys-x");
}

}  // namespace
}  // namespace tiphys::executor
