// A working folder may pass on to another step only if it is as it was made.
#include "executor/scratch_folders.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace tiphys::executor {
namespace {

namespace fs = std::filesystem;

struct ScratchFoldersTest : testing::Test {
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-scratch-XXXXXX";
    root = ::mkdtemp(pattern);
    work = root + "/work";
  }
  void TearDown() override { fs::remove_all(root); }
  std::string take() {
    auto taken = folders.take(work);
    EXPECT_TRUE(taken);
    return taken.value_or("");
  }

  std::string root;
  std::string work;
  ScratchFolders folders;
};

TEST_F(ScratchFoldersTest, TwoStepsNeverShareOne) {
  const std::string a = take();
  const std::string b = take();
  EXPECT_NE(a, b);
  EXPECT_TRUE(fs::is_directory(a) && fs::is_directory(b));
}

TEST_F(ScratchFoldersTest, AnEmptyOnePassesOn) {
  const std::string a = take();
  folders.give_back(work, a);
  EXPECT_EQ(take(), a);
}

TEST_F(ScratchFoldersTest, OneThatHoldsSomethingDoesNot) {
  for (const std::string& name : {std::string("x"), std::string(200, 'n')}) {
    const std::string a = take();
    std::ofstream(a + "/" + name) << "left";
    folders.give_back(work, a);
    EXPECT_NE(take(), a) << name;
    EXPECT_FALSE(fs::exists(a)) << name;
  }
}

TEST_F(ScratchFoldersTest, OneWhoseModeWasChangedDoesNot) {
  const std::string a = take();
  ::chmod(a.c_str(), 0500);
  folders.give_back(work, a);
  EXPECT_NE(take(), a);
}

TEST_F(ScratchFoldersTest, NothingIsLeftOfAWorkflow) {
  const std::string a = take();
  folders.give_back(work, a);
  folders.remove(work);
  EXPECT_FALSE(fs::exists(work));
  EXPECT_TRUE(fs::is_directory(take()));
}

}  // namespace
}  // namespace tiphys::executor
