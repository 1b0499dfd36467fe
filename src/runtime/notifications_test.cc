// An engine that has nothing else to do does not wait before it looks for what nobody sends.
#include "runtime/notifications.h"

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "store/memory.h"

namespace tiphys::runtime {
namespace {

namespace fs = std::filesystem;
using Whose = Custody::Whose;
constexpr clock::Instant kStart{1'767'225'600'000'000'000};
constexpr clock::Instant kLater{kStart.ns + 3'600'000'000'000};

struct NotificationsTest : testing::Test {
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-notifications-XXXXXX";
    config.home = ::mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(config.home); }

  /// Rows of other workflows, due in an hour: each is looked at, none is sent.
  void put_rows(int from, int count) {
    store::Batch batch;
    for (int i = from; i < from + count; ++i) {
      batch.deliveries.push_back({.id = "msg_" + std::to_string(i),
                                  .uid = "u" + std::to_string(i % 10),
                                  .name_space = "n",
                                  .workflow = "w",
                                  .node = "",
                                  .channel = "webhook",
                                  .kind = "webhook",
                                  .destination = "",
                                  .state = "pending",
                                  .created_at = kStart,
                                  .next_at = kLater,
                                  .payload = R"({"config": {"url": "http://host.test/in"}})"});
    }
    ASSERT_TRUE(store.commit(batch));
  }

  Config config;
  std::set<std::string> coming;  // workflows that the engine is about to take
  store::MemoryStore store;
  Inbox inbox;
  Notifications notifications{
      {.config = config,
       .store = store,
       .inbox = inbox,
       .lookup = {},
       .runs_here = [](const std::string&) { return false; },
       .will_run = [this](const std::string& uid) { return coming.contains(uid); },
       .send = [](const executor::Task&) {}}};
};

TEST_F(NotificationsTest, ALookThatWasPutOffIsMadeBeforeTheEnd) {
  constexpr int kMany = 2000;
  put_rows(0, kMany);
  EXPECT_EQ(notifications.adopt_orphans(Whose::kNobodys, kStart), kMany);
  put_rows(kMany, 1);
  // The first look has taken a while: the second is put off, unless this machine is very slow.
  const std::size_t taken = notifications.adopt_orphans(Whose::kNobodys, kStart);
  if (taken == 0) {
    EXPECT_FALSE(notifications.may_end(kStart)) << "there is one more to send";
  }
  EXPECT_EQ(store.load_deliveries({.state = "pending"})->size(), kMany + 1U);
  EXPECT_TRUE(notifications.has_open("u0"));
  EXPECT_TRUE(notifications.may_end(kStart)) << "nothing is due";
  EXPECT_FALSE(notifications.may_end(kLater)) << "all are due";
}

TEST_F(NotificationsTest, InTheOrderOfADestinationNoneOvertakesOneThatIsStillToCome) {
  ASSERT_TRUE(store.put_object({.kind = "NotificationChannel",
                                .name_space = "n",
                                .name = "ops",
                                .json = R"({"spec": {"kind": "webhook", "order": "destination",
                                            "config": {"url": "http://127.0.0.1:1/"}}})",
                                .created_at = kStart}));
  store::Batch batch;
  for (const char* uid : {"older", "younger"}) {
    const clock::Instant at{kStart.ns + (std::string_view(uid) == "older" ? 0 : 1)};
    batch.deliveries.push_back({.id = std::string("msg_") + uid,
                                .uid = uid,
                                .name_space = "n",
                                .workflow = "w",
                                .node = "",
                                .channel = "ops",
                                .kind = "webhook",
                                .destination = "",
                                .state = "pending",
                                .created_at = at,
                                .next_at = at,
                                .payload = R"({"channel": "ops"})"});
  }
  ASSERT_TRUE(store.commit(batch));
  coming.insert("older");
  EXPECT_EQ(notifications.adopt_orphans(Whose::kNobodys, kLater), 1U);
  notifications.carry_out(kLater);
  ASSERT_TRUE(notifications.next()) << "nothing is under way";
  const clock::Instant again = *notifications.next();
  EXPECT_GT(again, kLater);
  coming.clear();
  notifications.carry_out(again);
  EXPECT_FALSE(notifications.next());
}

TEST_F(NotificationsTest, ALookThatFindsNothingHoldsNobodyBack) {
  put_rows(0, 2000);
  (void)notifications.adopt_orphans(Whose::kNobodys, kStart);
  EXPECT_EQ(notifications.adopt_orphans(Whose::kNobodys, kStart), 0U);
  EXPECT_TRUE(notifications.may_end(kStart));
}

}  // namespace
}  // namespace tiphys::runtime
