// Five engines on one store: whatever is killed, paused, cut off or lost, every workflow ends as it
// does undisturbed, hooks fire once, no step is run twice, and nothing is written by an engine that
// has lost its lease. And each of these checks is seen to fail when the fleet is made to do wrong.
//
// TIPHYS_FLEET_SEED=N runs one seed; TIPHYS_FLEET_COUNT=N sets how many (default 30),
// TIPHYS_FLEET_FIRST=N with which to begin.
#include "sim/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace tiphys::sim {
namespace {

using testing::HasSubstr;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(FleetSimulation, HoldsItsInvariantsForEverySeed) {
  const std::uint64_t only = number_from("TIPHYS_FLEET_SEED", 0);
  const std::uint64_t first = only == 0 ? number_from("TIPHYS_FLEET_FIRST", 1) : only;
  const std::uint64_t count = only == 0 ? number_from("TIPHYS_FLEET_COUNT", 30) : 1;
  FleetTotals sum;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Fleet fleet(seed, {});
    const std::string why = fleet.run();
    if (!why.empty()) FAIL() << why << "\nTIPHYS_FLEET_SEED=" << seed << " reproduces it";
    const FleetTotals t = fleet.totals();
    sum.takeovers += t.takeovers;
    sum.refused += t.refused;
    sum.pods += t.pods;
    sum.requests += t.requests;
  }
  RecordProperty("takeovers", static_cast<int>(sum.takeovers));
  RecordProperty("refused_commits", static_cast<int>(sum.refused));
  RecordProperty("pods", static_cast<int>(sum.pods));
  if (count < 30) return;
  EXPECT_GT(sum.takeovers, count) << "there must be something to survive";
  EXPECT_GT(sum.refused, 0U);
  EXPECT_GT(sum.pods, count);
  EXPECT_GT(sum.requests, count);
}

TEST(FleetSimulation, IsTheSameForASeed) {
  const auto once = [](std::uint64_t seed) {
    Fleet fleet(seed, {});
    EXPECT_EQ(fleet.run(), "");
    const FleetTotals t = fleet.totals();
    return std::vector<std::size_t>{t.kills, t.pauses, t.cuts, t.takeovers, t.refused, t.pods};
  };
  EXPECT_EQ(once(3), once(3));
  EXPECT_NE(once(3), once(4));
}

TEST(FleetSimulation, WithoutFaultsNothingIsTakenOver) {
  Fleet fleet(1, {.has_faults = false});
  EXPECT_EQ(fleet.run(), "");
  EXPECT_EQ(fleet.totals().takeovers, 0U);
  EXPECT_EQ(fleet.totals().refused, 0U);
  EXPECT_GT(fleet.totals().pods, 0U);
}

/// What the first seed of 40 says that finds something wrong.
std::string found_with(Mutations mutations, std::uint64_t first = 1) {
  for (std::uint64_t seed = first; seed < first + 40; ++seed) {
    Fleet fleet(seed, {.mutations = mutations});
    std::string why = fleet.run();
    if (!why.empty()) return why;
  }
  return "nothing in 40 seeds";
}

TEST(FleetMutation, WithoutFencingAnEngineWritesWhatIsAnothers) {
  EXPECT_THAT(found_with({.no_fencing = true}), HasSubstr("has committed for"));
}

TEST(FleetMutation, ALeaseJudgedByOnesOwnClockIsTakenTooEarly) {
  EXPECT_THAT(found_with({.judges_by_own_clock = true}),
              HasSubstr("was taken from an engine whose lease goes on"));
}

TEST(FleetMutation, WithoutAnEndOfLeasesWorkIsLeftLying) {
  EXPECT_THAT(found_with({.leases_never_end = true}), HasSubstr("was nobody's for"));
}

TEST(FleetMutation, APodThatIsNotFoundAgainRunsTwice) {
  EXPECT_THAT(found_with({.create_not_idempotent = true}), HasSubstr("was run twice"));
}

TEST(FleetMutation, ActingBeforeTheCommitStartsWhatIsNotDecided) {
  // one seed of some hundreds takes a workflow over in just that moment
  EXPECT_THAT(found_with({.acts_before_commit = true}, 300), Not(HasSubstr("nothing")));
}

TEST(FleetMutation, EndingThePodsOfALostWorkflowHarmsItsNewOwner) {
  EXPECT_THAT(found_with({.drop_ends_pods = true}), HasSubstr("Error and not"));
}

TEST(FleetMutation, GivingUpPodsOfAnotherHostLosesSteps) {
  EXPECT_THAT(found_with({.gives_up_pods = true}), HasSubstr("Error and not"));
}

TEST(FleetMutation, AcknowledgingForAnotherLosesAnEnd) {
  EXPECT_THAT(found_with({.acknowledges_lost = true}), HasSubstr("its end is nowhere else"));
}

TEST(FleetMutation, ANewKeyForARequestIsSeen) {
  EXPECT_THAT(found_with({.new_key_each_time = true}), HasSubstr("came under two keys"));
}

}  // namespace
}  // namespace tiphys::sim
