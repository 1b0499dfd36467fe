// The supervisor's journal on a disk that refuses half of a record: what follows can still be read.
#include "executor/journal.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>

namespace tiphys::executor {
namespace {

TEST(JournalOnAFullDisk, HalfARecordDoesNotHideThoseAfterIt) {
  char folder[] = "/tmp/tiphys-journal-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/journal";
  Journal journal;
  ASSERT_TRUE(journal.open(path));
  journal.started("first");
  ASSERT_TRUE(journal.flush());

  // The kernel writes up to the limit and refuses the rest, as a full disk does.
  (void)std::signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = std::filesystem::file_size(path) + 5;
  ::setrlimit(RLIMIT_FSIZE, &full);
  journal.started("second");
  EXPECT_FALSE(journal.flush());
  ::setrlimit(RLIMIT_FSIZE, &before);

  journal.started("third");
  ASSERT_TRUE(journal.flush());
  Journal next;
  const auto entries = next.open(path);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(entries);
  EXPECT_EQ(entries->size(), 3U);
  EXPECT_TRUE(entries->contains("second"));  // kept, and written when there was room
  EXPECT_TRUE(entries->contains("third"));
}

}  // namespace
}  // namespace tiphys::executor
