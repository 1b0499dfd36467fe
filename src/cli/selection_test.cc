// list, delete, stop ... must mean exactly the workflows that their flags describe.
#include "cli/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr clock::Instant kNow{1'000'000'000'000'000'000};

clock::Instant ago(std::int64_t seconds) { return kNow - clock::Duration::seconds(seconds); }

std::vector<store::WorkflowRow> rows() {
  std::vector<store::WorkflowRow> all(4);
  all[0].name = "new";
  all[0].created_at = ago(5);
  all[0].metadata_json = "{}";
  all[1].name = "going";
  all[1].phase = "Running";
  all[1].created_at = ago(600);
  all[1].metadata_json = R"({"labels":{"team":"blue"}})";
  all[2].name = "good";
  all[2].phase = "Succeeded";
  all[2].created_at = ago(7200);
  all[2].finished_at = ago(3700);
  all[2].metadata_json =
      R"({"labels":{"team":"blue","workflows.argoproj.io/resubmitted-from-workflow":"old"}})";
  all[3].name = "bad";
  all[3].phase = "Failed";
  all[3].created_at = ago(172800);
  all[3].finished_at = ago(172700);
  all[3].metadata_json = R"({"labels":{"team":"red"}})";
  return all;
}

std::vector<std::string> chosen(const SelectionFlags& o) {
  auto kept = filter_rows(rows(), o, kNow);
  if (!kept) return {"error: " + kept.error().message};
  std::vector<std::string> names;
  for (const store::WorkflowRow& row : *kept) names.push_back(row.name);
  return names;
}

TEST(Selection, WithoutFlagsAllAreMeant) {
  EXPECT_THAT(chosen({}), ElementsAre("new", "going", "good", "bad"));
  EXPECT_FALSE(SelectionFlags{}.is_given());
}

TEST(Selection, ByLabels) {
  EXPECT_THAT(chosen({.labels = "team=blue"}), ElementsAre("going", "good"));
  EXPECT_THAT(chosen({.labels = "team!=blue"}), ElementsAre("new", "bad"));
  EXPECT_THAT(chosen({.labels = "team in (red,blue),team!=red"}), ElementsAre("going", "good"));
  EXPECT_THAT(chosen({.labels = "a in"}), ElementsAre(testing::StartsWith("error: ")));
}

TEST(Selection, ByTheLabelsThatAControllerWouldSet) {
  EXPECT_THAT(chosen({.labels = "workflows.argoproj.io/phase=Failed"}), ElementsAre("bad"));
  EXPECT_THAT(chosen({.labels = "workflows.argoproj.io/completed=true"}),
              ElementsAre("good", "bad"));
}

TEST(Selection, ByFields) {
  EXPECT_THAT(chosen({.fields = "metadata.name=bad"}), ElementsAre("bad"));
  EXPECT_THAT(chosen({.fields = "metadata.name!=bad,status.phase==Succeeded"}),
              ElementsAre("good"));
  EXPECT_THAT(chosen({.fields = "spec.x=1"}),
              ElementsAre("error: field label not supported: spec.x"));
  EXPECT_THAT(chosen({.fields = "name"}),
              ElementsAre("error: invalid selector: 'name'; can't understand 'name'"));
}

TEST(Selection, ByPhase) {
  EXPECT_THAT(chosen({.status = {"Pending", "Failed"}}), ElementsAre("new", "bad"));
  EXPECT_THAT(chosen({.running = true}), ElementsAre("new", "going"));
  EXPECT_THAT(chosen({.completed = true}), ElementsAre("good", "bad"));
  EXPECT_THAT(chosen({.running = true, .completed = true}),
              ElementsAre("error: --completed and --running cannot be used together"));
}

TEST(Selection, ByAge) {
  EXPECT_THAT(chosen({.since = "10m1s"}), ElementsAre("new", "going"));
  EXPECT_THAT(chosen({.older = "1h"}), ElementsAre("good", "bad"));
  EXPECT_THAT(chosen({.older = "1d"}), ElementsAre("bad"));
  EXPECT_THAT(chosen({.since = "3h", .older = "1h"}), ElementsAre("good"));
  EXPECT_THAT(chosen({.older = "soon"}), ElementsAre(testing::StartsWith("error: unable")));
}

TEST(Selection, ByPrefixAndOrigin) {
  EXPECT_THAT(chosen({.prefix = "go"}), ElementsAre("going", "good"));
  EXPECT_THAT(chosen({.resubmitted = true}), ElementsAre("good"));
  EXPECT_THAT(chosen({.prefix = "zzz"}), IsEmpty());
}

TEST(Age, ReadsDaysAndGoDurations) {
  EXPECT_EQ(parse_age("2d")->ns, clock::Duration::seconds(172800).ns);
  EXPECT_EQ(parse_age("90m")->ns, clock::Duration::seconds(5400).ns);
  EXPECT_FALSE(parse_age("d"));
  EXPECT_FALSE(parse_age("1.5d"));
  EXPECT_FALSE(parse_age(""));
}

}  // namespace
}  // namespace tiphys::cli
