// The faults that MemoryStore makes on demand: what a failed write leaves, what a crash leaves.
#include "store/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::store {

namespace {

using testing::SizeIs;

Batch event(std::uint64_t sequence) {
  Batch batch;
  batch.events = {{"u", sequence, "e"}};
  return batch;
}

TEST(MemoryStoreFaults, TheNthWriteFailsBeforeItsEffect) {
  MemoryStore store;
  store.fail_write(2, FailureTime::kBeforeEffect);
  EXPECT_TRUE(store.commit(event(1)));
  const auto failed = store.commit(event(2));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, diag::Code::kIo);
  EXPECT_THAT(*store.load_events("u"), SizeIs(1));
  EXPECT_TRUE(store.commit(event(2)));
  EXPECT_EQ(store.write_count(), 2U);
}

TEST(MemoryStoreFaults, TheNthWriteFailsAfterItsEffect) {
  MemoryStore store;
  store.fail_write(1, FailureTime::kAfterEffect);
  EXPECT_FALSE(store.commit(event(1)));
  EXPECT_THAT(*store.load_events("u"), SizeIs(1));
  EXPECT_TRUE(store.commit(event(2)));
}

TEST(MemoryStoreFaults, AFullDiskStaysFullUntilItIsHealed) {
  MemoryStore store;
  store.fail_write(1, FailureTime::kBeforeEffect, true);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(store.another()->commit(event(1)));
  store.heal();
  EXPECT_TRUE(store.commit(event(1)));
}

TEST(MemoryStoreFaults, ACrashLeavesWhatWasCommittedAndNoFaults) {
  MemoryStore store;
  ASSERT_TRUE(store.commit(event(1)));
  store.fail_write(1, FailureTime::kBeforeEffect, true);
  EXPECT_FALSE(store.commit(event(2)));
  const auto left = store.after_crash();
  EXPECT_THAT(*left->load_events("u"), SizeIs(1));
  EXPECT_TRUE(left->commit(event(2)));
  EXPECT_THAT(*store.load_events("u"), SizeIs(1)) << "the copy has a state of its own";
}

}  // namespace

}  // namespace tiphys::store
