#include "executor/host_paths.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace tiphys::executor {
namespace {

namespace fs = std::filesystem;

class HostPaths : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-host-paths-XXXXXX";
    top = fs::canonical(::mkdtemp(pattern)).string();
    fs::create_directories(top + "/open/data");
    fs::create_directories(top + "/closed");
  }
  void TearDown() override { fs::remove_all(top); }

  [[nodiscard]] std::string refused(const std::string& path, const std::string& list) const {
    const auto allowed = allowed_host_path(path, list);
    return allowed ? "" : allowed.error().message;
  }

  std::string top;
};

TEST_F(HostPaths, AreNoneUnlessTheListNamesThem) {
  EXPECT_EQ(
      "hostPath '/etc' is not allowed on this machine: name a folder that holds it in "
      "TIPHYS_HOST_PATHS or --host-paths",
      refused("/etc", ""));
  EXPECT_EQ(top + "/open/data", allowed_host_path(top + "/open/data", "/srv:" + top + "/open"));
  EXPECT_EQ(top + "/open/new/x", allowed_host_path(top + "/open/new/x", top + "/open"));
  EXPECT_EQ("/etc", allowed_host_path("/etc", "/"));
  EXPECT_NE("", refused(top + "/open2", top + "/open"));
  EXPECT_NE("", refused(top + "/open/../closed", top + "/open"));
}

TEST_F(HostPaths, MayBeLinksThatStayInTheListButNotLinksThatLeaveIt) {
  fs::create_symlink(top + "/open/data", top + "/open/within");
  fs::create_symlink(top + "/closed", top + "/open/out");
  fs::create_symlink(top + "/nowhere", top + "/open/dangling");
  fs::create_symlink(top + "/open", top + "/alias");
  const std::string list = top + "/alias";
  EXPECT_EQ(top + "/open/data", allowed_host_path(top + "/open/within", list));
  EXPECT_NE(std::string::npos, refused(top + "/open/out/x", list).find(top + "/closed/x)"));
  EXPECT_NE("", refused(top + "/open/dangling", list));
  EXPECT_NE("", refused(top + "/open/dangling/x", list));
}

TEST_F(HostPaths, ComeWithTheFolderThatAllowsThem) {
  fs::create_symlink(top + "/open", top + "/alias");
  EXPECT_EQ(top + "/open", allowing_folder(top + "/open/data", "/srv:" + top + "/alias"));
  EXPECT_EQ("/", allowing_folder("/etc", "/"));
  EXPECT_EQ("", allowing_folder("/etc", "/srv"));
}

TEST_F(HostPaths, AreAListOfAbsoluteFolders) {
  EXPECT_TRUE(is_path_list(""));
  EXPECT_TRUE(is_path_list("/a:/b"));
  EXPECT_FALSE(is_path_list("/a:b"));
}

TEST_F(HostPaths, BelowAVolumeDoNotLeaveIt) {
  fs::create_symlink(top + "/closed", top + "/open/out");
  EXPECT_EQ(top + "/open/data", path_inside(top + "/open", "/data"));
  EXPECT_EQ(top + "/open/new", path_inside(top + "/open", "/new"));
  const auto left = path_inside(top + "/open", "/out");
  ASSERT_FALSE(left);
  EXPECT_EQ("subPath 'out' leads out of its volume", left.error().message);
}

}  // namespace
}  // namespace tiphys::executor
