// Programs are found as a shell finds them: in the first folder of the PATH that has them.
#include "executor/program_paths.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

namespace tiphys::executor {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

struct ProgramPathsTest : testing::Test {
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-programs-XXXXXX";
    root = ::mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(root); }
  std::string program(const std::string& name) {
    const std::string path = root + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n";
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }

  std::string root;
  ProgramPaths paths;
};

TEST_F(ProgramPathsTest, TheOneThatExistsComesFirstAndTheOthersFollowInOrder) {
  const std::string c = program("c");
  EXPECT_THAT(paths.found_first({root + "/a", root + "/b", c, root + "/d"}, 1),
              ElementsAre(c, root + "/a", root + "/b", root + "/d"));
}

TEST_F(ProgramPathsTest, WithoutAnyTheOrderStays) {
  EXPECT_THAT(paths.found_first({root + "/a", root + "/b"}, 1),
              ElementsAre(root + "/a", root + "/b"));
}

TEST_F(ProgramPathsTest, AnEarlierOneThatAppearsIsFoundAfterASecond) {
  const std::string late = root + "/a";
  const std::string b = program("b");
  EXPECT_THAT(paths.found_first({late, b}, 1), ElementsAre(b, late));
  program("a");
  EXPECT_THAT(paths.found_first({late, b}, 2'000'000'000), ElementsAre(late, b));
}

}  // namespace
}  // namespace tiphys::executor
