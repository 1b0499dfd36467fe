// What only a store on a disk can get wrong: files that are no store, crashes, full disks, several
// processes at once, old and new versions.
#include "store/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "store/schema.h"

namespace tiphys::store {

namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

WorkflowRow workflow(const std::string& name) {
  return {.uid = "uid-" + name,
          .name_space = "a",
          .name = name,
          .created_at = {1},
          .metadata_json = "{}",
          .spec_json = "{}",
          .status_json = "{}"};
}

/// Two events and a node: what must appear together or not at all.
Batch numbered_batch(const std::string& uid, std::uint64_t n) {
  Batch batch;
  batch.events = {{uid, 2 * n, "e"}, {uid, 2 * n + 1, "e"}};
  batch.nodes = {{uid, static_cast<std::uint32_t>(n), std::string(200, 'n')}};
  return batch;
}

/// Runs `body` in a child process; its result is the exit status.
pid_t in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  return child;
}

int status_of(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

class SqliteTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "tiphys-sqlite-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = folder_ / "state.db";
  }
  void TearDown() override {
    umount2(folder_.c_str(), MNT_DETACH);  // if a test mounted one
    fs::remove_all(folder_);
  }

  std::unique_ptr<Store> open() {
    auto store = open_sqlite(path_);
    if (store) return std::move(*store);
    ADD_FAILURE() << store.error().message;
    return nullptr;
  }

  std::string open_error() {
    auto store = open_sqlite(path_);
    return store ? "it opened" : store.error().message;
  }

  /// Runs SQL on the file, as any program could; gives the last column of the rows.
  std::string sql(const std::string& text) {
    sqlite3* database = nullptr;
    sqlite3_open(path_.c_str(), &database);
    std::string values;
    auto keep = [](void* out, int columns, char** row, char**) {
      std::string& all = *static_cast<std::string*>(out);
      if (!all.empty()) all += '\n';
      all += row[columns - 1] == nullptr ? "" : row[columns - 1];
      return 0;
    };
    const int code = sqlite3_exec(database, text.c_str(), keep, &values, nullptr);
    EXPECT_EQ(code, SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
    return values;
  }

  /// Makes the folder a small disk; false without the right to. TearDown() takes it away.
  bool mount_disk(const char* size) {
    return mount("tmpfs", folder_.c_str(), "tmpfs", 0, size) == 0;
  }

  fs::path folder_;
  fs::path path_;
};

TEST_F(SqliteTest, ANewStoreIsItsOwnersAloneAndSaysItsVersion) {
  const mode_t before = umask(0);
  {
    const auto store = open();
    ASSERT_TRUE(store->create_workflow(workflow("w"), {"uid-w", 1, "e"}));
    for (const char* end : {"", "-wal", "-shm"}) {
      struct stat info{};
      ASSERT_EQ(stat((path_.string() + end).c_str(), &info), 0) << end;
      EXPECT_EQ(info.st_mode & 0777U, 0600U) << end;
    }
  }
  umask(before);
  EXPECT_EQ(sql("PRAGMA user_version"), std::to_string(migrations().size()));
  EXPECT_EQ(sql("PRAGMA application_id"), std::to_string(kApplicationId));
  EXPECT_EQ(sql("PRAGMA journal_mode"), "wal");
}

TEST_F(SqliteTest, ANewStoreIsTheOneThatMigrationsMake) {
  const char* const schema =
      "SELECT group_concat(type || name || ifnull(sql, ''), char(10)) FROM "
      "(SELECT * FROM sqlite_schema ORDER BY type, name)";
  open();
  const std::string made = sql(schema);
  EXPECT_THAT(made, HasSubstr("CREATE TABLE workflows"));
  fs::remove(path_);
  std::ofstream(path_).flush();  // an empty file is migrated
  open();
  EXPECT_EQ(sql(schema), made);
  EXPECT_EQ(sql("PRAGMA user_version"), std::to_string(migrations().size()));
}

TEST_F(SqliteTest, ALogWithRoomBehindItIsReadByOthersAndAfterACrash) {
  const auto store = open();
  ASSERT_TRUE(store->create_workflow(workflow("w"), {"uid-w", 1, "e"}));
  for (std::uint32_t i = 2; i < 200; ++i) {
    Batch batch;
    batch.events.push_back({"uid-w", i, std::string(2000, 'e')});
    ASSERT_TRUE(store->commit(batch));
  }
  const auto wal = path_.string() + "-wal";
  std::ifstream end(wal, std::ios::binary);
  end.seekg(-4096, std::ios::end);
  std::string page(4096, 'x');
  end.read(page.data(), 4096);
  EXPECT_EQ(page, std::string(4096, '\0')) << "the file is not longer than what is in it";
  fs::copy_file(path_, path_.string() + ".copy");  // as a crash leaves it
  fs::copy_file(wal, path_.string() + ".copy-wal");
  path_ += ".copy";
  EXPECT_EQ(sql("SELECT count(*) FROM events"), "199");
  EXPECT_EQ(sql("PRAGMA integrity_check"), "ok");
}

TEST_F(SqliteTest, SaysWhatIsWrongWithAFileThatItCannotUse) {
  std::ofstream(path_) << std::string(5000, 'x');
  EXPECT_THAT(open_error(), HasSubstr("is not a tiphys store, or is damaged"));
  fs::remove(path_);
  sql("CREATE TABLE addresses (name TEXT)");
  EXPECT_THAT(open_error(), HasSubstr("is a database of another program"));
  EXPECT_EQ(sql("SELECT count(*) FROM sqlite_schema"), "1") << "it was written to";
  fs::remove(path_);
  path_ = folder_ / "missing" / "state.db";
  EXPECT_THAT(open_error(), HasSubstr("cannot open the store"));
  EXPECT_THAT(open_error(), HasSubstr("No such file or directory"));
  path_ = folder_;
  EXPECT_THAT(open_error(), HasSubstr("cannot open the store"));
}

TEST_F(SqliteTest, RefusesTheStoreOfANewerVersionAndLeavesItAlone) {
  open();
  sql("PRAGMA user_version = 99");
  const std::string error = open_error();
  EXPECT_THAT(error, HasSubstr("has version 99, this tiphys knows versions up to"));
  EXPECT_THAT(error, Not(HasSubstr("\n")));
  EXPECT_EQ(sql("PRAGMA user_version"), "99");
}

TEST_F(SqliteTest, BringsAnOldStoreUpToDateWithItsRows) {
  sql(std::string(migrations()[0]) + "PRAGMA user_version = 1;" +
      "INSERT INTO workflows VALUES ('u','a','w','Running','','0/1',1,2,0,0,'{}','{\"spec\":1}',"
      "'{\"status\":1}'); INSERT INTO events VALUES ('u',1,'begin');");
  const auto store = open();
  ASSERT_NE(store, nullptr);
  const auto found = store->find_workflow("a", "w");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->spec_json, R"({"spec":1})");
  EXPECT_EQ(found->status_json, R"({"status":1})");
  EXPECT_THAT(*store->load_events("u"), SizeIs(1));
  EXPECT_EQ(sql("PRAGMA user_version"), std::to_string(migrations().size()));
}

TEST_F(SqliteTest, FindsByNameAndListsByIndex) {
  open();
  EXPECT_THAT(sql("EXPLAIN QUERY PLAN SELECT * FROM workflows w JOIN specs s ON s.uid = w.uid "
                  "WHERE w.name = 'x' AND ('a' = '' OR w.name_space = 'a')"),
              HasSubstr("workflows_by_name (name=?"));
  EXPECT_THAT(
      sql("EXPLAIN QUERY PLAN SELECT * FROM workflows w ORDER BY w.created_at DESC, w.name"),
      HasSubstr("workflows_by_time"));
  EXPECT_THAT(sql("EXPLAIN QUERY PLAN SELECT * FROM workflows w WHERE w.finished_at = 0 "
                  "ORDER BY w.created_at, w.name"),
              HasSubstr("workflows_unfinished"));
}

TEST_F(SqliteTest, AReadOnlyStoreIsRefusedInOneLine) {
  if (geteuid() != 0) {
    open();
    fs::permissions(path_, fs::perms::owner_read);
    EXPECT_THAT(open_error(), HasSubstr("is read-only"));
    return;
  }
  // Root may write any file: ask as nobody.
  open();
  fs::permissions(folder_, fs::perms::all);
  fs::permissions(path_, fs::perms::owner_read | fs::perms::others_read);
  const int status = status_of(in_child([&] {
    if (setgid(65534) != 0 || setuid(65534) != 0) return 2;
    return open_error().ends_with("is read-only") ? 0 : 1;
  }));
  EXPECT_EQ(status, 0);
}

TEST_F(SqliteTest, WhatACommitReturnedForSurvivesAKill) {
  for (int round = 0; round < 5; ++round) {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = in_child([&] {
      auto store = open_sqlite(path_);
      if (!store || !(*store)->create_workflow(workflow("w"), {"uid-w", 1, "e"})) return 1;
      for (std::uint64_t n = 1;; ++n) {
        if (!(*store)->commit(numbered_batch("uid-w", n))) return 1;
        if (write(ends[1], &n, sizeof n) != sizeof n) return 1;
      }
    });
    close(ends[1]);
    std::uint64_t told = 0;
    const std::uint64_t enough = 20 + 17 * static_cast<std::uint64_t>(round);
    while (told < enough && read(ends[0], &told, sizeof told) == sizeof told) continue;
    kill(child, SIGKILL);
    while (read(ends[0], &told, sizeof told) == sizeof told) continue;
    close(ends[0]);
    EXPECT_TRUE(WIFSIGNALED(status_of(child)));
    const auto store = open();
    ASSERT_NE(store, nullptr);
    const std::size_t nodes = store->load_nodes("uid-w")->size();
    EXPECT_GE(nodes, told) << "a commit that returned is gone";
    EXPECT_LE(nodes, told + 1);
    EXPECT_EQ(store->load_events("uid-w")->size(), 1 + 2 * nodes) << "half of a commit is there";
    EXPECT_EQ(sql("PRAGMA integrity_check"), "ok");
  }
}

TEST_F(SqliteTest, SeveralProcessesMakeAndWriteOneStore) {
  constexpr int kProcesses = 6;
  constexpr std::uint64_t kCommits = 40;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    children.push_back(in_child([&, p] {
      auto store = open_sqlite(path_);
      if (!store) return fmt::print(stderr, "{}\n", store.error().message), 1;
      const WorkflowRow row = workflow(fmt::format("w{}", p));
      if (!(*store)->create_workflow(row, {row.uid, 1, "e"})) return 2;
      for (std::uint64_t n = 1; n <= kCommits; ++n) {
        auto done = (*store)->commit(numbered_batch(row.uid, n));
        if (!done) return fmt::print(stderr, "{}\n", done.error().message), 3;
        if (!(*store)->list_workflows("", true)) return 4;
      }
      return 0;
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(status_of(child), 0);
  const auto store = open();
  EXPECT_THAT(*store->list_workflows("", true), SizeIs(kProcesses));
  for (int p = 0; p < kProcesses; ++p) {
    EXPECT_THAT(*store->load_events(fmt::format("uid-w{}", p)), SizeIs(1 + 2 * kCommits));
  }
}

TEST_F(SqliteTest, OnlyOneOfTwoProcessesGetsAName) {
  std::vector<pid_t> children;
  for (int p = 0; p < 4; ++p) {
    children.push_back(in_child([&, p] {
      auto store = open_sqlite(path_);
      if (!store) return fmt::print(stderr, "{}\n", store.error().message), 9;
      WorkflowRow row = workflow("w");
      row.uid = fmt::format("u{}", p);
      auto made = (*store)->create_workflow(row, {row.uid, 1, "e"});
      if (made) return 0;
      if (made.error().code == diag::Code::kAlreadyExists) return 1;
      return fmt::print(stderr, "{}\n", made.error().message), 9;
    }));
  }
  std::vector<int> statuses;
  for (const pid_t child : children) statuses.push_back(WEXITSTATUS(status_of(child)));
  std::ranges::sort(statuses);
  EXPECT_THAT(statuses, ElementsAre(0, 1, 1, 1));
}

TEST_F(SqliteTest, AFullDiskRefusesACommitAsAWhole) {
  if (!mount_disk("size=1m")) {
    GTEST_SKIP() << "needs to mount a tmpfs (root)";
  }
  {
    const auto store = open();
    ASSERT_NE(store, nullptr);
    ASSERT_TRUE(store->create_workflow(workflow("w"), {"uid-w", 1, "e"}));
    std::uint64_t n = 0;
    diag::Result<void> done;
    while (done) {
      Batch batch = numbered_batch("uid-w", ++n);
      batch.nodes[0].record = std::string(20'000, 'n');
      done = store->commit(batch);
      ASSERT_LT(n, 1000U);
    }
    EXPECT_EQ(done.error().code, diag::Code::kIo);
    EXPECT_THAT(done.error().message, HasSubstr("the disk is full: nothing was written"));
    EXPECT_THAT(*store->load_nodes("uid-w"), SizeIs(n - 1));
    EXPECT_THAT(*store->load_events("uid-w"), SizeIs(1 + 2 * (n - 1)));
    // With room again, the same connection goes on.
    ASSERT_EQ(mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT, "size=8m"), 0);
    EXPECT_TRUE(store->commit(numbered_batch("uid-w", n)));
    EXPECT_THAT(*store->load_nodes("uid-w"), SizeIs(n));
  }
  EXPECT_EQ(sql("PRAGMA integrity_check"), "ok");
}

TEST_F(SqliteTest, AStoreOnAFullDiskSaysSoWhenOpened) {
  if (!mount_disk("size=64k")) {
    GTEST_SKIP() << "needs to mount a tmpfs (root)";
  }
  std::ofstream(folder_ / "filler") << std::string(60'000, 'x');
  EXPECT_THAT(open_error(), HasSubstr("the disk is full"));
}

}  // namespace

}  // namespace tiphys::store
