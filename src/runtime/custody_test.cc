// A workflow's lock is kept as long as something of it is to be sent, and not longer.
#include "runtime/custody.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/memory.h"

namespace tiphys::runtime {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using Whose = Custody::Whose;

struct CustodyTest : testing::Test {
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-custody-XXXXXX";
    config.home = ::mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(config.home); }
  [[nodiscard]] bool is_free(const std::string& uid) const {
    return Ownership::take(config.run_path(uid)).has_value();
  }
  Config config;
  store::MemoryStore store;
  Custody custody{config, store, [](const std::string& uid) { return uid == "here"; },
                  [](const std::string& uid) { return uid == "next"; }};
};

TEST_F(CustodyTest, KeepsALockUntilTheLastRowIsDoneWith) {
  custody.open("u");
  custody.open("u");
  custody.keep("u", *Ownership::take(config.run_path("u")));
  custody.close("u");
  EXPECT_FALSE(is_free("u"));
  custody.close("u");
  EXPECT_TRUE(is_free("u"));
}

TEST_F(CustodyTest, RemovesTheFolderOfAWorkflowThatWasDeletedMeanwhile) {
  for (const char* uid : {"deleted", "stays"}) {
    custody.open(uid);
    custody.keep(uid, *Ownership::take(config.run_path(uid)));
  }
  std::ofstream(config.run_path("stays") + "/log") << "text";
  for (const char* uid : {"deleted", "stays"}) custody.close(uid);
  EXPECT_FALSE(fs::exists(config.run_path("deleted")));
  EXPECT_TRUE(fs::exists(config.run_path("stays")));
}

TEST_F(CustodyTest, KeepsNoLockOfAWorkflowThatHasNothingToSend) {
  custody.keep("u", *Ownership::take(config.run_path("u")));
  EXPECT_TRUE(is_free("u"));
}

TEST_F(CustodyTest, SendsWhatIsItsOwnAndWhatNobodyHas) {
  EXPECT_TRUE(custody.may_send("here", Whose::kOwn));
  EXPECT_FALSE(custody.may_send("orphan", Whose::kOwn));
  EXPECT_TRUE(custody.may_send("orphan", Whose::kNobodys));
  EXPECT_FALSE(is_free("orphan"));
  const auto held = Ownership::take(config.run_path("anothers"));
  ASSERT_TRUE(held);
  EXPECT_FALSE(custody.may_send("anothers", Whose::kNobodys));
  custody.drop_unused();
  EXPECT_TRUE(is_free("orphan"));
}

TEST_F(CustodyTest, LeavesToAnAdoptionWhatIsAboutToBeAdopted) {
  EXPECT_FALSE(custody.may_send("next", Whose::kNobodys));
  EXPECT_TRUE(is_free("next"));
}

TEST_F(CustodyTest, GivesTheLockToAWorkflowThatRunsAgain) {
  custody.open("u");
  custody.keep("u", *Ownership::take(config.run_path("u")));
  {
    const auto lock = custody.give("u");
    ASSERT_TRUE(lock);
    EXPECT_FALSE(is_free("u"));
    EXPECT_FALSE(custody.give("u"));
  }
  EXPECT_TRUE(is_free("u"));
  custody.close("u");
}

TEST_F(CustodyTest, TakesOnlySoManyAndTellsWhenThereIsRoom) {
  for (std::size_t i = 0; i < Custody::kTakenMax; ++i) {
    const std::string uid = std::to_string(i);
    EXPECT_TRUE(custody.may_send(uid, Whose::kNobodys));
    custody.open(uid);
  }
  EXPECT_FALSE(custody.has_regained_room());
  EXPECT_FALSE(custody.may_send("more", Whose::kNobodys));
  EXPECT_TRUE(custody.may_send("0", Whose::kNobodys));  // it has that one
  for (std::size_t i = 0; i < Custody::kTakenMax / 2; ++i) custody.close(std::to_string(i));
  EXPECT_TRUE(custody.has_regained_room());
  EXPECT_TRUE(custody.may_send("more", Whose::kNobodys));
  EXPECT_FALSE(custody.has_regained_room());
}

TEST(PutSoonestFirst, KeepsTheOrderOfAWorkflowsRows) {
  const auto row = [](const char* id, const char* uid, std::int64_t next) {
    store::DeliveryRow r;
    r.id = id;
    r.uid = uid;
    r.next_at = {next};
    return r;
  };
  std::vector<store::DeliveryRow> rows = {row("a1", "a", 50), row("b1", "b", 10), row("a2", "a", 5),
                                          row("b2", "b", 90), row("c1", "c", 7)};
  put_soonest_first(rows);
  std::vector<std::string> ids;
  for (const store::DeliveryRow& r : rows) ids.push_back(r.id);
  EXPECT_THAT(ids, ElementsAre("a1", "a2", "c1", "b1", "b2"));
}

}  // namespace
}  // namespace tiphys::runtime
