// All processes of a folder sign with one key, which nobody else may read.
#include "runtime/link_key.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace tiphys::runtime {

TEST(LinkKey, IsMadeOnceAndKept) {
  char pattern[] = "/tmp/tiphys-links-XXXXXX";
  const std::string home = ::mkdtemp(pattern);
  const auto first = link_key(home);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->size(), 32U);
  EXPECT_EQ(*link_key(home), *first);
  struct stat info{};
  ASSERT_EQ(::stat((home + "/links.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  std::ofstream(home + "/links.key") << "short";
  EXPECT_FALSE(link_key(home));
  std::filesystem::remove_all(home);
}

}  // namespace tiphys::runtime
