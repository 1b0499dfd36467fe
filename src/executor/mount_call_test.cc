// A volume must be what was looked at, also when a step changes it in the moment before the mount.
#include "executor/mount_call.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tiphys::executor {
namespace {

namespace fs = std::filesystem;
using Kind = wire::Mount::Kind;

constexpr int kRefused = 200;  // no mount namespace here

class MountCallTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-mount-call-XXXXXX";
    top = fs::canonical(::mkdtemp(pattern)).string();
    fs::create_directories(top + "/open/a/b");
    fs::create_directories(top + "/closed/b");
    fs::create_directories(top + "/target");
    std::ofstream(top + "/open/a/b/mine") << "x";
    std::ofstream(top + "/closed/b/secret") << "x";
  }
  void TearDown() override { fs::remove_all(top); }

  /// In a mount namespace of its own: the errno of the mount, or 0 if `file` is there then, else
  /// -1.
  [[nodiscard]] int mount(Kind kind, const std::string& source, const std::string& trusted,
                          const std::string& file) const {
    const std::string target = top + "/target";
    const std::string seen = target + "/" + file;
    const MountCall call = {kind, source.c_str(), target.c_str(), trusted.c_str()};
    const pid_t child = ::fork();
    if (child == 0) {
      if (::unshare(CLONE_NEWNS) != 0) ::_exit(kRefused);
      if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(kRefused);
      if (!carry_out(call)) ::_exit(errno);
      ::_exit(::access(seen.c_str(), F_OK) == 0 ? 0 : 255);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
  }

  std::string top;
};

TEST_F(MountCallTest, FollowsNoLinkThatAStepMayHaveMade) {
  const std::string folder = top + "/open";
  const int plain = mount(Kind::kBind, folder + "/a/b", folder, "mine");
  if (plain == kRefused) GTEST_SKIP() << "no mount namespaces";
  EXPECT_EQ(0, plain);
  EXPECT_EQ(0, mount(Kind::kBindReadOnly, folder + "/a/b", folder, "mine"));
  EXPECT_EQ(0, mount(Kind::kBind, folder, folder, "a/b/mine"));
  EXPECT_EQ(0, mount(Kind::kBind, "/etc", "/", "passwd"));
  // What a step does between the look and the mount.
  fs::rename(folder + "/a", folder + "/away");
  fs::create_symlink(top + "/closed", folder + "/a");
  EXPECT_EQ(ELOOP, mount(Kind::kBind, folder + "/a/b", folder, "secret"));
  EXPECT_EQ(ELOOP, mount(Kind::kBindReadOnly, folder + "/a/b", folder, "secret"));
  EXPECT_EQ(ELOOP, mount(Kind::kBind, folder + "/a", folder, "b/secret"));
  EXPECT_EQ(EXDEV, mount(Kind::kBind, folder + "/../closed/b", folder, "secret"));
  EXPECT_EQ(EINVAL, mount(Kind::kBind, top + "/closed/b", folder, "secret"));
  // A path that nobody but the engine writes may hold links.
  EXPECT_EQ(0, mount(Kind::kBind, folder + "/a/b", "", "secret"));
}

}  // namespace
}  // namespace tiphys::executor
