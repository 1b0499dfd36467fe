// Secrets stay in a file that only its owner reads, come back byte for byte, and never show up in
// errors or lists.
#include "store/secrets.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "store/base64.h"

namespace tiphys::store {

namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class SecretsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "tiphys-secrets-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] Secrets secrets() const { return Secrets(path()); }
  [[nodiscard]] std::string path() const { return folder_ / "secrets.json"; }

  fs::path folder_;
};

TEST_F(SecretsTest, BytesComeBackAsTheyWere) {
  const std::string bytes("\0\xff\n\"x\"", 6);
  ASSERT_TRUE(secrets().put("a", "mail", {{"password", bytes}, {"empty", ""}}));
  EXPECT_EQ(*secrets().find("a", "mail", "password"), bytes);
  EXPECT_EQ(*secrets().find("a", "mail", "empty"), "");
}

TEST_F(SecretsTest, TheFileIsItsOwnersAloneWhateverWasThere) {
  const mode_t before = umask(0);
  std::ofstream(path()) << "{}";
  std::ofstream(path() + ".new") << "left by a crash";
  ASSERT_TRUE(secrets().put("a", "s", {{"k", "v"}}));
  umask(before);
  struct stat info{};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_FALSE(fs::exists(path() + ".new"));
}

TEST_F(SecretsTest, PutReplacesTheSecretAsAWhole) {
  ASSERT_TRUE(secrets().put("a", "s", {{"old", "1"}}));
  ASSERT_TRUE(secrets().put("a", "s", {{"new", "2"}}));
  const auto gone = secrets().find("a", "s", "old");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().message, "key 'old' does not exist for secret 's'");
}

TEST_F(SecretsTest, ListsNamesAndKeysButNoValues) {
  ASSERT_TRUE(secrets().put("b", "s", {{"z", "hidden"}, {"y", "hidden"}}));
  ASSERT_TRUE(secrets().put("a", "t", {}));
  const auto all = secrets().list("");
  ASSERT_THAT(*all, SizeIs(2));
  EXPECT_EQ((*all)[0].name, "t");
  EXPECT_EQ((*all)[1].name_space, "b");
  EXPECT_THAT((*all)[1].keys, ElementsAre("y", "z"));
  EXPECT_THAT(*secrets().list("a"), SizeIs(1));
}

TEST_F(SecretsTest, WhatIsRemovedIsNotFound) {
  ASSERT_TRUE(secrets().put("a", "s", {{"k", "v"}}));
  ASSERT_TRUE(secrets().remove("a", "s"));
  EXPECT_EQ(secrets().find("a", "s", "k").error().message, "secrets \"s\" not found");
  EXPECT_EQ(secrets().remove("a", "s").error().code, diag::Code::kNotFound);
}

TEST_F(SecretsTest, ErrorsNameTheFileButNotWhatIsInIt) {
  std::ofstream(path()) << R"({"a/s": {"k": "aHVudGVyMg)";
  for (const auto& error : {secrets().find("a", "s", "k").error(),
                            secrets().put("a", "t", {{"k", "topsecret"}}).error()}) {
    EXPECT_THAT(error.message, HasSubstr("is damaged"));
    EXPECT_THAT(error.message, Not(HasSubstr("aHVudGVyMg")));
    EXPECT_THAT(error.message, Not(HasSubstr("topsecret")));
  }
  const Secrets nowhere(folder_ / "missing" / "secrets.json");
  const auto refused = nowhere.put("a", "t", {{"k", "topsecret"}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("cannot lock the secrets file"));
  EXPECT_EQ(nowhere.find("a", "t", "k").error().code, diag::Code::kNotFound);
}

TEST_F(SecretsTest, WritersOfSeveralProcessesDoNotLoseEachOthersSecrets) {
  constexpr int kProcesses = 4;
  constexpr int kEach = 10;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = fork();
    if (child == 0) {
      for (int i = 0; i < kEach; ++i) {
        if (!secrets().put("a", fmt::format("s{}-{}", p, i), {{"k", "v"}})) _exit(1);
      }
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_THAT(*secrets().list("a"), SizeIs(kProcesses * kEach));
}

TEST(Base64, ReadsWhatItWritesAndRefusesTheRest) {
  for (const char* text : {"", "a", "ab", "abc", "abcd"}) {
    EXPECT_EQ(decode_base64(encode_base64(text)), text);
  }
  EXPECT_EQ(encode_base64("hunter2"), "aHVudGVyMg==");
  EXPECT_EQ(decode_base64("aHVu\ndGVyMg==\n"), "hunter2");
  for (const char* text : {"a", "abc", "=", "====", "ab=c", "a===", "=abc", "a!bc", "ab==cdef"}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace

}  // namespace tiphys::store
