// Bytes lie once however many keys have them, no key ever shows half a file, nobody who has a file
// can change another's, and a process that dies leaves nothing that is not removed.
#include "executor/content_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "executor/content_blobs.h"
#include "executor/content_check.h"
#include "executor/content_scratch.h"

namespace tiphys::executor {
namespace {

namespace fs = std::filesystem;

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

struct stat stat_of(const std::string& path) {
  struct stat st = {};
  EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
  return st;
}

struct ContentStoreTest : testing::Test {
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-content-XXXXXX";
    home = ::mkdtemp(pattern);
    root = home + "/artifacts";
    source = home + "/source";
  }
  void TearDown() override { fs::remove_all(home); }

  [[nodiscard]] std::string write(const std::string& text, mode_t mode = 0644) const {
    std::ofstream(source, std::ios::binary | std::ios::trunc) << text;
    ::chmod(source.c_str(), mode);
    return source;
  }
  [[nodiscard]] std::string key(const std::string& name) const { return root + "/b/" + name; }
  void put(const std::string& text, const std::string& name, mode_t mode = 0644) const {
    const auto done = put_content(root, write(text, mode), key(name));
    EXPECT_TRUE(done) << done.error().message;
  }
  void remove(const std::string& name) const { EXPECT_TRUE(remove_content(root, key(name))); }
  [[nodiscard]] std::vector<std::string> blobs() const {
    std::vector<std::string> found;
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(blobs_path(root), error)) {
      if (entry.is_regular_file()) found.push_back(entry.path().string());
    }
    return found;
  }
  void expect_no_scratch() const { EXPECT_TRUE(content_scratches(root).empty()); }

  std::string home;
  std::string root;
  std::string source;
};

TEST_F(ContentStoreTest, TheSameBytesLieOnce) {
  put("hello", "one");
  put("hello", "two");
  put("other", "three");
  EXPECT_EQ(stat_of(key("one")).st_ino, stat_of(key("two")).st_ino);
  EXPECT_EQ(text_of(key("two")), "hello");
  EXPECT_EQ(text_of(key("three")), "other");
  EXPECT_EQ(blobs().size(), 2U);
  EXPECT_TRUE(
      fs::exists(blobs_path(root) +
                 "/2c/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824-0644"));
  expect_no_scratch();
}

TEST_F(ContentStoreTest, AFileIsNotTheSourceItself) {
  put("hello", "one");
  std::ofstream(source) << "changed";
  EXPECT_EQ(text_of(key("one")), "hello");
}

TEST_F(ContentStoreTest, WhoeverReadsGetsAFileOfHisOwn) {
  put("hello", "one");
  ASSERT_TRUE(copy_content(key("one"), home + "/in/file"));
  EXPECT_NE(stat_of(key("one")).st_ino, stat_of(home + "/in/file").st_ino);
  std::ofstream(home + "/in/file") << "changed";
  EXPECT_EQ(text_of(key("one")), "hello");
}

TEST_F(ContentStoreTest, BytesGoWithTheLastKey) {
  put("hello", "one");
  put("hello", "deep/two");
  remove("one");
  EXPECT_EQ(text_of(key("deep/two")), "hello");
  EXPECT_EQ(blobs().size(), 1U);
  remove("deep");
  EXPECT_TRUE(blobs().empty());
  remove("deep");  // again, as after a crash
  expect_no_scratch();
}

TEST_F(ContentStoreTest, AFolderWithTheSameFileTwiceGoesWithItsBytes) {
  fs::create_directories(source + "/below");
  std::ofstream(source + "/a") << "same";
  std::ofstream(source + "/below/b") << "same";
  std::ofstream(source + "/empty");
  fs::create_symlink("a", source + "/link");
  ::chmod((source + "/below").c_str(), 0500);
  ASSERT_TRUE(put_content(root, source, key("folder")));
  EXPECT_EQ(blobs().size(), 1U);
  EXPECT_EQ(stat_of(key("folder/a")).st_nlink, 3U);
  EXPECT_EQ(text_of(key("folder/below/b")), "same");
  EXPECT_EQ(fs::read_symlink(key("folder/link")), "a");
  EXPECT_EQ(stat_of(key("folder/below")).st_mode & 07777U, 0500U);
  ::chmod((source + "/below").c_str(), 0700);
  EXPECT_EQ(fs::file_size(key("folder/empty")), 0U);
  remove("folder");
  EXPECT_TRUE(blobs().empty());
  EXPECT_FALSE(fs::exists(key("folder")));
  expect_no_scratch();
}

TEST_F(ContentStoreTest, WhatIsPutReplacesWhatWasThereOfAnyKind) {
  put("old", "k");
  put("new", "k");
  EXPECT_EQ(text_of(key("k")), "new");
  EXPECT_EQ(blobs().size(), 1U) << "the bytes of the old one are gone";
  put("new", "k");
  EXPECT_EQ(stat_of(key("k")).st_nlink, 2U);
  const std::string folder = home + "/folder";
  fs::create_directories(folder);
  std::ofstream(folder + "/x") << "x";
  ASSERT_TRUE(put_content(root, folder, key("k")));
  EXPECT_EQ(text_of(key("k/x")), "x");
  put("file", "k");
  EXPECT_EQ(text_of(key("k")), "file");
  EXPECT_EQ(blobs().size(), 1U);
  expect_no_scratch();
}

TEST_F(ContentStoreTest, ModesAreKeptAndNotShared) {
  put("#!/bin/sh\n", "program", 0755);
  put("#!/bin/sh\n", "text", 0640);
  EXPECT_EQ(stat_of(key("program")).st_mode & 07777U, 0755U);
  EXPECT_EQ(stat_of(key("text")).st_mode & 07777U, 0640U);
}

TEST_F(ContentStoreTest, FilesOfAnOlderStoreStayAndAreReplacedAndRemoved) {
  fs::create_directories(root + "/b");
  std::ofstream(key("old")) << "old";
  std::ofstream(key("gone")) << "old";
  put("old", "new");
  EXPECT_EQ(text_of(key("old")), "old");
  EXPECT_EQ(stat_of(key("old")).st_nlink, 1U);
  put("newer", "old");
  EXPECT_EQ(text_of(key("old")), "newer");
  remove("gone");
  EXPECT_FALSE(fs::exists(key("gone")));
}

TEST_F(ContentStoreTest, ABlobThatSomebodyWroteToIsNotUsedAgain) {
  put("hello", "one");
  std::ofstream(key("one")) << "12345";  // in place, as an editor might
  put("hello", "two");
  EXPECT_EQ(text_of(key("two")), "hello");
  remove("one");
  EXPECT_EQ(blobs().size(), 1U);
  put("hello", "three");
  EXPECT_EQ(stat_of(key("two")).st_ino, stat_of(key("three")).st_ino);
}

TEST_F(ContentStoreTest, ABlobThatLostItsEndOrItsModeIsNotUsedAgain) {
  put("hello", "one");
  ASSERT_EQ(::truncate(key("one").c_str(), 0), 0);
  put("hello", "two");
  ::chmod(key("two").c_str(), 0600);
  put("hello", "three");
  EXPECT_EQ(text_of(key("three")), "hello");
  EXPECT_EQ(stat_of(key("three")).st_mode & 07777U, 0644U);
  for (const char* name : {"one", "two", "three"}) remove(name);
  EXPECT_TRUE(blobs().empty());
}

TEST_F(ContentStoreTest, WithoutExtendedAttributesBytesAreCompared) {
  const auto forget = [this](const std::string& name) {
    ::removexattr(key(name).c_str(), "user.tiphys");
  };
  put("hello", "one");
  forget("one");
  put("hello", "two");
  EXPECT_EQ(stat_of(key("one")).st_ino, stat_of(key("two")).st_ino);
  std::ofstream(key("one")) << "12345";
  put("hello", "three");
  EXPECT_EQ(text_of(key("three")), "hello");
  forget("three");
  remove("three");
  EXPECT_TRUE(blobs().empty()) << "found by its bytes";
}

TEST_F(ContentStoreTest, AFileWithAllItsLinksIsFollowedByANewOne) {
  put("hello", "first");
  constexpr int kMore = 70'000;  // than ext4 allows
  int made = 0;
  while (made < kMore && ::link(key("first").c_str(), key(std::to_string(made)).c_str()) == 0) {
    ++made;
  }
  if (made == kMore) GTEST_SKIP() << "this file system has no such limit";
  put("hello", "next");
  put("hello", "last");
  EXPECT_EQ(text_of(key("next")), "hello");
  EXPECT_EQ(stat_of(key("next")).st_nlink, 3U);
  EXPECT_EQ(stat_of(key("next")).st_ino, stat_of(key("last")).st_ino);
  ASSERT_TRUE(remove_content(root, root + "/b"));
  EXPECT_TRUE(blobs().empty());
}

TEST_F(ContentStoreTest, WhereNoBlobCanBeMadeAFileIsOneOfItsOwn) {
  fs::create_directories(root + "/" + kContentFolder);
  std::ofstream(blobs_path(root)) << "in the way";
  put("hello", "one");
  put("hello", "two");
  EXPECT_EQ(text_of(key("two")), "hello");
  EXPECT_EQ(stat_of(key("two")).st_nlink, 1U);
  remove("one");
  EXPECT_FALSE(fs::exists(key("one")));
}

TEST_F(ContentStoreTest, WithoutAScratchFolderAFileIsCopied) {
  fs::create_directories(root);
  std::ofstream(root + "/" + kContentFolder) << "in the way";
  put("hello", "one");
  put("hello!", "one");
  EXPECT_EQ(text_of(key("one")), "hello!");
  ASSERT_TRUE(put_content_text(root, "log", key("log")));
  EXPECT_EQ(text_of(key("log")), "log");
  remove("one");
  EXPECT_FALSE(fs::exists(key("one")));
}

TEST_F(ContentStoreTest, ATextIsKeptLikeAFile) {
  put("hello", "one");
  ASSERT_TRUE(put_content_text(root, "hello", key("text")));
  EXPECT_EQ(stat_of(key("one")).st_ino, stat_of(key("text")).st_ino);
  ASSERT_TRUE(put_content_text(root, "", key("text")));
  EXPECT_EQ(fs::file_size(key("text")), 0U);
  EXPECT_EQ(text_of(key("one")), "hello");
}

TEST_F(ContentStoreTest, WhatCannotBeReadLeavesWhatWasThere) {
  put("hello", "one");
  const auto missing = put_content(root, home + "/none", key("one"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            "copy " + home + "/none to " + key("one") + ": No such file or directory");
  ASSERT_EQ(::mkfifo((home + "/fifo").c_str(), 0600), 0);
  EXPECT_FALSE(put_content(root, home + "/fifo", key("one")));
  EXPECT_EQ(text_of(key("one")), "hello");
  expect_no_scratch();
}

TEST_F(ContentStoreTest, ALargeFileIsCopiedInPieces) {
  std::string text(9U << 20U, '\0');
  for (std::size_t i = 0; i < text.size(); ++i)
    text[i] = static_cast<char>((i * 2654435761U) >> 7U);
  put(text, "one");
  put(text, "two");
  EXPECT_EQ(text_of(key("two")), text);
  EXPECT_EQ(stat_of(key("one")).st_ino, stat_of(key("two")).st_ino);
  const auto blob = blob_name(fs::path(blobs().front()).filename().native());
  ASSERT_TRUE(blob);
  EXPECT_EQ(digest_of_file(key("one")), blob->digest);
}

// What a killed process leaves: a scratch folder with files in it, linked to blobs or not.
TEST_F(ContentStoreTest, WhatADeadProcessLeftIsSwept) {
  put("kept", "kept");
  const pid_t child = ::fork();
  if (child == 0) {
    ContentScratch scratch(root);
    for (const char* text : {"kept", "lost"}) {
      const std::string file = scratch.new_name();
      std::ofstream(file) << text;
      ::chmod(file.c_str(), 0644);
      link_to_blob(root, file, *digest_of_file(file), scratch.new_name());
    }
    std::ofstream(scratch.new_name()) << "half";
    ::_exit(scratch.path().empty() ? 1 : 0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(blobs().size(), 2U);
  ASSERT_EQ(content_scratches(root).size(), 1U);
  sweep_content(root);
  EXPECT_EQ(blobs().size(), 1U);
  EXPECT_EQ(text_of(key("kept")), "kept");
  expect_no_scratch();
}

TEST_F(ContentStoreTest, WhatALivingOneWorksInIsNot) {
  ContentScratch scratch(root);
  const std::string file = scratch.new_name();
  std::ofstream(file) << "mine";
  sweep_content(root);
  EXPECT_EQ(text_of(file), "mine");
}

// Those who put, remove and sweep at once neither lose a file nor leave a blob.
TEST_F(ContentStoreTest, ManyAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 30;
  std::ofstream(source) << "same";
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      const std::string mine = key(std::to_string(t));
      for (int i = 0; i < kRounds; ++i) {
        ASSERT_TRUE(put_content(root, source, mine));
        ASSERT_EQ(text_of(mine), "same");
        ASSERT_TRUE(put_content(root, source, key("shared")));
        if (i % 10 == 0) sweep_content(root);
        ASSERT_TRUE(remove_content(root, mine));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(text_of(key("shared")), "same");
  remove("shared");
  EXPECT_TRUE(blobs().empty());
  expect_no_scratch();
}

TEST_F(ContentStoreTest, ACheckFindsWhatIsDamagedAndWhatNobodyHas) {
  EXPECT_EQ(check_content(root).contents, 0U);
  put("hello", "one");
  put("hello", "deep/two");
  put("other", "three");
  put("lost", "four");
  fs::remove(key("four"));  // by hand
  const ContentReport good = check_content(root);
  EXPECT_EQ(good.contents, 2U);
  EXPECT_EQ(good.bytes, 10);
  EXPECT_EQ(good.files, 3U);
  EXPECT_EQ(good.abandoned, 1U);
  EXPECT_TRUE(good.damaged.empty());
  // As a disk might: neither size nor time tell it.
  const auto at = fs::last_write_time(key("one"));
  std::ofstream(key("one")) << "jello";
  fs::last_write_time(key("one"), at);
  const std::vector<std::string> both = {"b/deep/two", "b/one"};
  EXPECT_EQ(check_content(root).damaged, both);
  EXPECT_EQ(check_content(root).damaged, both) << "it stays";
  put("hello", "five");
  EXPECT_EQ(text_of(key("five")), "hello");
  EXPECT_EQ(text_of(key("one")), "jello");
  for (const char* name : {"one", "deep", "three", "five"}) remove(name);
  EXPECT_TRUE(blobs().empty());
}

TEST_F(ContentStoreTest, ADamagedBlobGoesWithItsLastFile) {
  put("hello", "one");
  std::ofstream(key("one")) << "jello";
  EXPECT_EQ(check_content(root).damaged, (std::vector<std::string>{"b/one"}));
  remove("one");
  EXPECT_TRUE(blobs().empty());
}

TEST_F(ContentStoreTest, TheNameOfABlobTellsItsContent) {
  put("hello", "one", 0755);
  const auto name = blob_name(fs::path(blobs().front()).filename().native());
  ASSERT_TRUE(name);
  EXPECT_EQ(name->mode, 0755U);
  EXPECT_EQ(blob_path(root, *name), blobs().front());
  EXPECT_FALSE(blob_name("readme"));
  EXPECT_FALSE(blob_name("2cf2-0644"));
}

}  // namespace
}  // namespace tiphys::executor
