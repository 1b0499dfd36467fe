// Goal: the second opinion on a retry by hand is that of Argo's controller, and it is seen to
// object.
#include "sim/oracle.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>

#include "value/json.h"

namespace tiphys::sim {
namespace {

using engine::Phase;
using testing::HasSubstr;

// `a` may fail; what comes behind it runs all the same. It has a hook for its start.
constexpr const char* kGoesOn = R"({"metadata":{"name":"wf","namespace":"default","uid":"u",
    "creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"entrypoint":"main","templates":[
  {"name":"leaf","container":{"image":"x","command":["true"]}},
  {"name":"main","steps":[
    [{"name":"a","template":"leaf","continueOn":{"failed":true},"hooks":{
      "began":{"expression":"steps[\"a\"].status == \"Running\"","template":"leaf"}}}],
    [{"name":"b","template":"leaf"},{"name":"b2","template":"leaf"}],
    [{"name":"c","template":"leaf"}]]}]}})";

/// That workflow, before the eyes of an oracle; leaves end in the order in which they were started.
class Judged {
 public:
  explicit Judged(Oracle* oracle) : oracle_(oracle) {
    definition_.workflow = *value::parse_json(kGoesOn);
    engine_ = std::make_unique<engine::Engine>(definition_);
    send(engine::Begin{});
  }

  /// Those whose name ends with a word of `failing` fail; the others succeed.
  void run_all(const std::vector<std::string>& failing, bool tells_running = true) {
    while (!waiting_.empty()) {
      const engine::LeafId leaf = waiting_.front();
      waiting_.erase(waiting_.begin());
      const std::string name = engine_->node(leaf.node).name;
      engine::LeafFinished end;
      end.leaf = leaf;
      if (std::ranges::any_of(failing, [&](const auto& word) { return name.ends_with(word); }))
        end.phase = Phase::kFailed;
      const bool never_ran = !tells_running && end.phase == Phase::kFailed;
      if (!never_ran) send(engine::LeafRunning{.leaf = leaf, .started_at = now_});
      end.finished_at = now_;
      send(end);
    }
  }

  void retry_by_hand(value::Value options = {}) {
    send(engine::Control{.verb = engine::Control::Verb::kRetry, .arguments = std::move(options)});
  }

  [[nodiscard]] bool has(const std::string& name) const {
    for (engine::NodeIndex i = 0; i < engine_->node_count(); ++i) {
      if (engine_->node(i).name == name) return true;
    }
    return false;
  }

  /// An oracle that has seen something else until now sees what follows.
  void show_to(Oracle* oracle) { oracle_ = oracle; }
  [[nodiscard]] const std::string& complaint() const { return complaint_; }

 private:
  template <typename Body>
  void send(Body body) {
    now_ = now_ + clock::Duration::seconds(1);
    const engine::Event event{.at = now_, .body = std::move(body)};
    engine::Effects effects;
    if (!engine_->apply(event, effects)) return;
    for (const engine::Effect& effect : effects.outside) {
      if (const auto* start = std::get_if<engine::StartLeaf>(&effect))
        waiting_.push_back(start->leaf);
    }
    if (oracle_ == nullptr) return;
    oracle_->note(*engine_, event, effects.outside);
    if (complaint_.empty()) complaint_ = oracle_->check(*engine_);
  }

  Oracle* oracle_;  // null: nobody judges
  engine::Definition definition_;
  std::unique_ptr<engine::Engine> engine_;
  clock::Instant now_{1'767'225'600'000'000'000};
  std::vector<engine::LeafId> waiting_;
  std::string complaint_;
};

class OracleTest : public testing::Test {
 protected:
  Oracle oracle_{*value::parse_json(kGoesOn), [](const std::string&) { return true; }};
};

// Shrunk from seed 1142: the leaf that stays Failed had run, and its hook had told so.
TEST_F(OracleTest, ExpectsTheHooksOfAFailureThatARetryByHandKeeps) {
  Judged judged(&oracle_);
  judged.run_all({".a", ".c"});
  judged.retry_by_hand();
  EXPECT_TRUE(judged.has("wf[0].a.hooks.began"));
  EXPECT_EQ(judged.complaint(), "");
  judged.run_all({});
  EXPECT_EQ(judged.complaint(), "");
}

TEST_F(OracleTest, ExpectsNoHookOfAStartThatNeverWas) {
  Judged judged(&oracle_);
  judged.run_all({".a", ".c"}, false);
  judged.retry_by_hand();
  EXPECT_FALSE(judged.has("wf[0].a.hooks.began"));
  judged.run_all({});
  EXPECT_EQ(judged.complaint(), "");
}

TEST_F(OracleTest, KnowsWhatTheOptionsOfARetryRunAgain) {
  Judged judged(&oracle_);
  judged.run_all({".b"});
  judged.retry_by_hand(*value::parse_json(R"({"parameters":["m=1"]})"));  // whole groups
  judged.run_all({});
  judged.retry_by_hand(
      *value::parse_json(R"({"restartSuccessful":true,"nodeFieldSelector":"name=wf[0].a"})"));
  judged.run_all({});
  EXPECT_EQ(judged.complaint(), "");
}

TEST_F(OracleTest, ObjectsWhenWhatIsKeptRunsAgain) {
  Judged first(&oracle_);
  first.run_all({".b"});
  Judged second(nullptr);
  second.run_all({".b", ".b2"});
  second.show_to(&oracle_);
  second.retry_by_hand();
  EXPECT_THAT(second.complaint(),
              HasSubstr("wf[1].b2 runs again, and a retry by hand should keep it"));
}

TEST_F(OracleTest, ObjectsWhenWhatFailedDoesNotRunAgain) {
  Judged first(&oracle_);
  first.run_all({".a", ".b", ".b2"});  // nothing behind `a` succeeded: it has to run again
  Judged second(nullptr);
  second.run_all({".a", ".c"});
  second.show_to(&oracle_);
  second.retry_by_hand();
  EXPECT_THAT(second.complaint(),
              HasSubstr("wf[0].a is as it was, and a retry by hand should run it again"));
}

}  // namespace
}  // namespace tiphys::sim
