// An outbox must lose nothing, keep the order of each lane, and let no lane or endpoint wait for
// another.
#include "notify/outbox.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::notify {

namespace {

using clock::Duration;
using clock::Instant;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Instant kStart{1'000'000'000'000};
const Verdict kGood{};
const Verdict kBad{.kind = Verdict::Kind::kRetry, .reason = "503"};

Parcel parcel(const std::string& id, const std::string& lane, const std::string& endpoint = "e") {
  return {.id = id, .lane = lane, .endpoint = endpoint, .next_at = kStart};
}

}  // namespace

TEST(Outbox, SendsTheParcelsOfALaneOneAfterTheOther) {
  Outbox box;
  box.add(parcel("1", "a"), kStart);
  box.add(parcel("2", "a"), kStart);
  box.add(parcel("3", "b"), kStart);
  EXPECT_THAT(box.take_due(kStart), testing::UnorderedElementsAre("1", "3"));
  EXPECT_THAT(box.take_due(kStart), IsEmpty());
  EXPECT_EQ(box.settle("1", kGood, kStart).state, Ruling::State::kDelivered);
  EXPECT_THAT(box.take_due(kStart), ElementsAre("2"));
  EXPECT_FALSE(box.contains("1"));
}

TEST(Outbox, AParcelThatFailsComesBackAndHoldsItsLaneOnly) {
  Outbox box;
  box.add(parcel("1", "a"), kStart);
  box.add(parcel("2", "a"), kStart);
  box.add(parcel("3", "b"), kStart);
  (void)box.take_due(kStart);
  const Ruling ruling = box.settle("1", kBad, kStart);
  EXPECT_EQ(ruling.state, Ruling::State::kPending);
  EXPECT_GE(ruling.next_at, kStart + Duration::seconds(4));
  EXPECT_LE(ruling.next_at, kStart + Duration::seconds(6));
  (void)box.settle("3", kGood, kStart);
  EXPECT_THAT(box.take_due(kStart), IsEmpty());
  EXPECT_EQ(box.next(), ruling.next_at);
  EXPECT_THAT(box.take_due(ruling.next_at), ElementsAre("1"));
}

TEST(Outbox, TheOldestOfALaneGoesFirstInWhateverOrderTheyCome) {
  Outbox box({.at_once_per_endpoint = 1});
  const auto put = [&](const std::string& id, int seconds) {
    Parcel p = parcel(id, "a");
    p.since = kStart + Duration::seconds(seconds);
    box.add(std::move(p), kStart);
  };
  put("5", 5);
  put("7", 7);
  EXPECT_THAT(box.take_due(kStart), ElementsAre("5"));
  put("3", 3);
  put("5b", 5);
  put("1", 1);
  std::vector<std::string> order;
  for (std::string id = "5"; !id.empty();) {
    (void)box.settle(id, kGood, kStart);
    const auto next = box.take_due(kStart);
    id = next.empty() ? "" : next.front();
    if (!id.empty()) order.push_back(id);
  }
  EXPECT_THAT(order, ElementsAre("1", "3", "5b", "7"));
}

TEST(Outbox, OneThatComesBeforeAnotherThatWaitsForItsTimeDoesNotWaitWithIt) {
  Outbox box;
  Parcel held = parcel("held", "a");
  held.next_at = held.since = kStart + Duration::seconds(3600);
  box.add(held, kStart);
  Parcel now = parcel("now", "a");
  now.since = kStart;
  box.add(now, kStart);
  EXPECT_THAT(box.take_due(kStart), ElementsAre("now"));
  (void)box.settle("now", kGood, kStart);
  EXPECT_THAT(box.take_due(kStart), IsEmpty());
  EXPECT_EQ(box.next(), held.next_at);
}

TEST(Outbox, WhatIsPutBackIsNoAttempt) {
  Outbox box({.at_once_per_endpoint = 1});
  box.add(parcel("1", "a"), kStart);
  box.add(parcel("2", "b"), kStart);
  EXPECT_THAT(box.take_due(kStart), ElementsAre("1"));
  EXPECT_THAT(box.take_due(kStart), IsEmpty());
  const Instant later = kStart + Duration::seconds(1);
  box.put_back("1", later);
  EXPECT_THAT(box.take_due(later), ElementsAre("1"));
  EXPECT_EQ(box.settle("1", kBad, later).attempts, 1U);
  EXPECT_THAT(box.take_due(later), ElementsAre("2"));
}

TEST(Outbox, AnEndpointBearsAsManyAsItsParcelsSay) {
  Outbox box;
  for (int i = 0; i < 5; ++i) {
    Parcel p = parcel(std::to_string(i), "lane" + std::to_string(i));
    p.at_once = 2;
    box.add(std::move(p), kStart);
  }
  std::set<std::string> sent;
  std::vector<std::string> now = box.take_due(kStart);
  EXPECT_EQ(now.size(), 2U);
  while (!now.empty()) {
    const std::string id = now.front();
    now.erase(now.begin());
    sent.insert(id);
    (void)box.settle(id, kGood, kStart);
    for (std::string& next : box.take_due(kStart)) now.push_back(std::move(next));
    EXPECT_LE(box.under_way(), 2U);
  }
  EXPECT_EQ(sent.size(), 5U);
}

TEST(Outbox, WhoeverWaitsForRoomGetsItWhenTheOneInFrontIsDiscarded) {
  Outbox box({.at_once_per_endpoint = 1});
  for (const char* id : {"1", "2", "3"}) box.add(parcel(id, std::string("lane") + id), kStart);
  EXPECT_THAT(box.take_due(kStart), ElementsAre("1"));
  EXPECT_THAT(box.take_due(kStart), IsEmpty());
  (void)box.settle("1", kGood, kStart);  // one lane is called
  EXPECT_TRUE(box.discard("2", kStart));
  EXPECT_THAT(box.take_due(kStart), ElementsAre("3"));
}

TEST(Outbox, AfterARestOneAsksAndThenAllAreSent) {
  Outbox box({.at_once_per_endpoint = 4, .failures_to_open = 1, .rest = Duration::seconds(30)});
  for (int i = 0; i < 6; ++i) {
    box.add(parcel(std::to_string(i), "lane" + std::to_string(i)), kStart);
  }
  const std::vector<std::string> first = box.take_due(kStart);
  EXPECT_EQ(first.size(), 4U);
  for (const std::string& id : first) (void)box.settle(id, kBad, kStart);
  EXPECT_THAT(box.take_due(kStart), IsEmpty());
  const Instant later = kStart + Duration::seconds(31);
  std::vector<std::string> now = box.take_due(later);
  ASSERT_EQ(now.size(), 1U);
  std::set<std::string> sent;
  while (!now.empty()) {
    sent.insert(now.front());
    (void)box.settle(now.front(), kGood, later);
    now.erase(now.begin());
    for (std::string& next : box.take_due(later)) now.push_back(std::move(next));
  }
  EXPECT_EQ(sent.size(), 6U);
}

TEST(Outbox, WaitsAsLongAsTheServiceSays) {
  Outbox box;
  box.add(parcel("1", "a"), kStart);
  (void)box.take_due(kStart);
  Verdict slow = kBad;
  slow.retry_after = Duration::seconds(600);
  EXPECT_EQ(box.settle("1", slow, kStart).next_at, kStart + Duration::seconds(600));
}

TEST(Outbox, LeavesAnEndpointAloneAsLongAsItAsksFor) {
  Outbox box;
  for (const char* id : {"1", "2", "3", "4"}) box.add(parcel(id, std::string("lane") + id), kStart);
  box.add(parcel("5", "other", "another"), kStart + Duration::seconds(1));
  EXPECT_EQ(box.take_due(kStart).size(), 4U);
  Verdict busy = kBad;
  busy.retry_after = Duration::seconds(8);
  (void)box.settle("1", busy, kStart);
  (void)box.settle("2", kGood, kStart);  // it had been sent before
  (void)box.settle("3", busy, kStart + Duration::seconds(1));
  (void)box.settle("4", busy, kStart);
  box.add(parcel("6", "lane6"), kStart + Duration::seconds(2));
  EXPECT_THAT(box.take_due(kStart + Duration::seconds(8)), ElementsAre("5"));
  const Instant later = kStart + Duration::seconds(9);
  const auto first = box.take_due(later);
  ASSERT_EQ(first.size(), 1U) << "one asks whether there is room again";
  (void)box.settle(first.front(), kGood, later);
  EXPECT_EQ(box.take_due(later).size(), 3U);
}

TEST(Outbox, GivesUpAfterTheLastWaitAndAtOnceWhenItIsRefused) {
  Outbox box;
  Parcel twice = parcel("1", "a");
  twice.schedule = {{Duration{}, Duration::seconds(1)}};
  box.add(twice, kStart);
  (void)box.take_due(kStart);
  const Instant later = box.settle("1", kBad, kStart).next_at;
  (void)box.take_due(later);
  const Ruling last = box.settle("1", kBad, later);
  EXPECT_EQ(last.state, Ruling::State::kDead);
  EXPECT_EQ(last.attempts, 2U);
  EXPECT_EQ(box.size(), 0U);
  box.add(parcel("2", "a"), later);
  (void)box.take_due(later);
  EXPECT_EQ(box.settle("2", {.kind = Verdict::Kind::kRefused, .reason = "404"}, later).state,
            Ruling::State::kDead);
}

TEST(Outbox, LeavesADeadEndpointAloneWithoutDelayingOthers) {
  Outbox box({.at_once_per_endpoint = 4, .failures_to_open = 3});
  for (int i = 0; i < 8; ++i)
    box.add(parcel("d" + std::to_string(i), "lane" + std::to_string(i), "dead"), kStart);
  std::vector<std::string> sent = box.take_due(kStart);
  EXPECT_EQ(sent.size(), 4U);
  for (const std::string& id : sent) (void)box.settle(id, kBad, kStart);
  EXPECT_THAT(box.take_due(kStart), IsEmpty());
  box.add(parcel("x", "other", "alive"), kStart);
  EXPECT_THAT(box.take_due(kStart), ElementsAre("x"));
  const Instant later = kStart + Duration::seconds(30);
  EXPECT_EQ(box.take_due(later).size(), 1U);  // one asks whether it lives again
}

TEST(Outbox, AnEndpointThatLivesAgainGetsAllThatWaited) {
  Outbox box({.at_once_per_endpoint = 2, .failures_to_open = 1});
  for (int i = 0; i < 3; ++i)
    box.add(parcel(std::to_string(i), "lane" + std::to_string(i)), kStart);
  for (const std::string& id : box.take_due(kStart)) (void)box.settle(id, kBad, kStart);
  Instant now = kStart + Duration::seconds(40);
  std::size_t delivered = 0;
  for (int round = 0; round < 10; ++round) {
    for (const std::string& id : box.take_due(now)) {
      delivered += box.settle(id, kGood, now).state == Ruling::State::kDelivered ? 1 : 0;
    }
  }
  EXPECT_EQ(delivered, 3U);
}

TEST(Outbox, WhatIsDiscardedIsNotSentAndTheNextOneComes) {
  Outbox box;
  box.add(parcel("1", "a"), kStart);
  box.add(parcel("2", "a"), kStart);
  EXPECT_TRUE(box.discard("1", kStart));
  EXPECT_THAT(box.take_due(kStart), ElementsAre("2"));
  EXPECT_FALSE(box.discard("2", kStart));  // under way
  EXPECT_FALSE(box.discard("3", kStart));
}

TEST(Outbox, BearsOnlySoManyAtOnce) {
  Outbox box({.at_once = 3, .at_once_per_endpoint = 2});
  for (int i = 0; i < 10; ++i) {
    box.add(parcel(std::to_string(i), "l" + std::to_string(i), i % 2 == 0 ? "x" : "y"), kStart);
  }
  std::set<std::string> all;
  for (std::vector<std::string> sent = box.take_due(kStart); !sent.empty();
       sent = box.take_due(kStart)) {
    EXPECT_LE(sent.size(), 3U);
    for (const std::string& id : sent) {
      all.insert(id);
      (void)box.settle(id, kGood, kStart);
    }
  }
  EXPECT_EQ(all.size(), 10U);
}

}  // namespace tiphys::notify
