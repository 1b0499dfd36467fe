// Goal: rules choose the right workflows and events, and decide what is told, once and in time;
// what is wrong with a manifest is told at its place.
#include "notify/rule.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "clock/rfc3339.h"
#include "notify/event_scope.h"
#include "notify/rule_book.h"
#include "notify/rule_desk.h"
#include "spec/manifest.h"
#include "value/json.h"

namespace tiphys::notify {
namespace {

using value::Map;
using value::Value;

Value json(const std::string& text) {
  auto v = value::parse_json(text);
  EXPECT_TRUE(v) << text;
  return v.value_or(Value());
}

clock::Instant at(const char* text) {
  return clock::parse_rfc3339(text).value_or(clock::Instant{});
}

Value manifest(const std::string& spec) {
  return json(R"({"apiVersion": "notifications.tiphys.dev/v1", "kind": "Notification",
                  "metadata": {"name": "r", "namespace": "n"}, "spec": )" +
              spec + "}");
}

RulePtr rule(const std::string& spec) {
  std::vector<RuleProblem> problems;
  auto out = std::make_shared<const Rule>(parse_rule(manifest(spec), "", problems));
  for (const RuleProblem& p : problems) ADD_FAILURE() << p.pointer << ": " << p.message;
  return out;
}

std::string problem(const std::string& spec) {
  std::vector<RuleProblem> problems;
  (void)parse_rule(manifest(spec), "", problems);
  if (problems.empty()) return "";
  const RuleProblem& p = problems.front();
  return p.pointer + ": " + p.message + (p.suggestion.empty() ? "" : "; " + p.suggestion);
}

/// Memory of a test.
class Memory final : public RuleMemory {
 public:
  diag::Result<Value> recall(const std::string& rule_id, const std::string& key) override {
    return kept[rule_id + "|" + key];
  }
  void keep(const std::string& rule_id, const std::string& key, Value v,
            clock::Instant due) override {
    kept[rule_id + "|" + key] = std::move(v);
    due_at = due;
  }
  std::map<std::string, Value> kept;
  clock::Instant due_at;
};

class RuleTest : public testing::Test {
 protected:
  /// What is sent when a workflow of this name has ended so.
  std::vector<Letter> ended(const RulePtr& r, const std::string& phase,
                            const std::string& name = "wf-1") {
    const Happening what =
        phase == "Succeeded" ? Happening::kWorkflowSucceeded : Happening::kWorkflowFailed;
    const Value event(Map{{"type", std::string(to_string(what))},
                          {"shutdown", ""},
                          {"workflow", Map{{"name", name},
                                           {"namespace", "n"},
                                           {"generateName", "wf-"},
                                           {"phase", phase},
                                           {"duration", 61.5},
                                           {"labels", Map{{"a.b/c", "x"}}}}}});
    const Watch watch({r});
    std::vector<Letter> letters;
    for (Match& match : watch.matches(what, event, now_, {})) {
      auto some = decide({.match = match,
                          .what = what,
                          .event = event,
                          .uid = "u" + name,
                          .occasion = "1",
                          .at = now_},
                         memory_);
      EXPECT_TRUE(some);
      for (Letter& letter : *some) letters.push_back(std::move(letter));
    }
    return letters;
  }

  Memory memory_;
  clock::Instant now_ = at("2026-01-05T12:00:00Z");  // a Monday
};

constexpr const char* kFailed = R"({"triggers": ["on-failed"], "send": [{"channel": "c"}]})";

TEST_F(RuleTest, PatternsFit) {
  EXPECT_TRUE(fits("a*c*", "abcd"));
  EXPECT_TRUE(fits("*", ""));
  EXPECT_TRUE(fits("*-ab", "ab-aab-ab"));
  EXPECT_FALSE(fits("a*b", "abc"));
  EXPECT_FALSE(fits("", "a"));
}

TEST_F(RuleTest, AKeyThatYamlTakesForTrueIsOn) {
  for (const char* triggers : {"[{on: [node.failed], when: 'node.exitCode == \"3\"'}]", R"(
  - on: [node.failed]
    when: node.exitCode == "3")",
                               R"(
  - "on": node.failed
    when: node.exitCode == "3")"}) {
    std::vector<diag::Diagnostic> findings;
    const auto manifests = spec::load_manifests(fmt::format(R"(
apiVersion: notifications.tiphys.dev/v1
kind: Notification
metadata: {{name: r}}
spec:
  send: [{{channel: c}}]
  triggers: {})",
                                                            triggers),
                                                "r.yaml", findings);
    ASSERT_TRUE(findings.empty()) << triggers;
    std::vector<RuleProblem> problems;
    const Rule r = parse_rule(manifests.at(0).object, "", problems);
    for (const RuleProblem& p : problems) ADD_FAILURE() << p.pointer << ": " << p.message;
    ASSERT_EQ(r.triggers.size(), 1U) << triggers;
    EXPECT_EQ(r.triggers[0].on, set_of(Happening::kNodeFailed)) << triggers;
  }
  EXPECT_EQ(problem(R"({"triggers": [{"true": ["node.faild"]}], "send": [{"channel": "c"}]})"),
            "/spec/triggers/0/true/0: there is no event 'node.faild'; did you mean 'node.failed'?");
}

TEST_F(RuleTest, AMistakeIsToldAtItsPlace) {
  EXPECT_EQ(problem(kFailed), "");
  EXPECT_EQ(problem(R"({"triggers": ["on-faild"], "send": [{"channel": "c"}]})"),
            "/spec/triggers/0: there is no trigger 'on-faild'; did you mean 'on-failed'?");
  EXPECT_EQ(problem(R"({"triggers": [{"on": ["node.faild"]}], "send": [{"channel": "c"}]})"),
            "/spec/triggers/0/on/0: there is no event 'node.faild'; did you mean 'node.failed'?");
  EXPECT_EQ(problem(R"({"triggers": "workflow.nam == 'x'", "send": [{"channel": "c"}]})"),
            "/spec/triggers: expression: 'workflow.nam' is no field of an event; did you mean "
            "'workflow.name'?");
  EXPECT_EQ(problem(R"({"triggers": ["on-overdue"], "send": [{"channel": "c"}]})"),
            "/spec/triggers/0: on-overdue wants spec.overdueAfter: how long a workflow may run");
  EXPECT_EQ(problem(R"({"triggers": ["on-failed"], "send": []})"),
            "/spec/send: required: a list of {channel: NAME}");
  EXPECT_EQ(problem(R"({"triggers": ["on-failed"], "send": [{"channel": "c", "message":
                        {"title": "{{workflow.phase}} {{=attempt +}}"}}]})")
                .substr(0, 25),
            "/spec/send/0/message/titl");
  EXPECT_EQ(problem(R"({"triggers": ["on-failed"], "send": [{"channel": "c"}],
                        "digest": "soon"})"),
            "/spec/digest: 'soon' is no duration: want 30s, 15m, 2h ...");
}

TEST_F(RuleTest, ABookGivesTheRulesOfAWorkflow) {
  RuleBook book;
  for (const char* selector :
       {R"({"names": ["wf-*"]})", R"({"matchLabels": {"a": "b"}})", R"({"templates": ["t"]})",
        R"({"namespaces": ["*"], "names": ["wf-1"]})", R"({"namespaces": ["other"]})",
        R"({"templates": ["cron*"]})"}) {
    book.add(rule(std::string(R"({"triggers": ["on-failed"], "send": [{"channel": "c"}],
                                  "selector": )") +
                  selector + "}"));
  }
  const auto count = [&](const char* metadata, const char* spec = "{}") {
    return book.of(json(metadata), json(spec)).size();
  };
  EXPECT_EQ(count(R"({"name": "wf-1", "namespace": "n"})"), 2U);
  EXPECT_EQ(count(R"({"name": "wf-2", "namespace": "n", "labels": {"a": "b"}})"), 2U);
  EXPECT_EQ(count(R"({"name": "x", "namespace": "n", "labels": {"a": "c"}})"), 0U);
  EXPECT_EQ(
      count(R"({"name": "x", "namespace": "n"})", R"({"workflowTemplateRef": {"name": "t"}})"), 1U);
  EXPECT_EQ(count(R"({"name": "x", "namespace": "other"})"), 1U);
  EXPECT_EQ(count(R"({"name": "x", "namespace": "n",
                      "labels": {"workflows.argoproj.io/cron-workflow": "cron-1"}})"),
            1U);
}

TEST_F(RuleTest, ExpressionsAndTagsSeeTheEvent) {
  EXPECT_EQ(ended(rule(R"({"triggers": ["workflow.duration > 60"], "send": [{"channel": "c"}]})"),
                  "Failed")
                .size(),
            1U);
  const auto letters =
      ended(rule(R"({"triggers": ["on-failed"], "when": "workflow.labels['a.b/c'] == 'x'",
               "send": [{"channel": "c", "message": {"title":
               "{{workflow.name}} {{workflow.duration}} {{=workflow.labels.missing ?? 'none'}}"}}]})"),
            "Failed");
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].message["title"], Value("wf-1 61.5 none"));
  EXPECT_TRUE(ended(rule(R"({"triggers": ["on-failed"], "when": "workflow.labels.no == 'x'",
                             "send": [{"channel": "c"}]})"),
                    "Failed")
                  .empty());
}

TEST_F(RuleTest, TheNthFailureInARowAndTheRecovery) {
  const RulePtr r = rule(R"({"triggers": ["on-failed", "on-recovered"], "afterFailures": 2,
                             "send": [{"channel": "c"}]})");
  EXPECT_TRUE(ended(r, "Failed").empty());
  EXPECT_TRUE(ended(r, "Succeeded").empty());
  EXPECT_TRUE(ended(r, "Failed").empty());
  EXPECT_EQ(ended(r, "Failed").size(), 1U);
  EXPECT_TRUE(ended(r, "Failed").empty());
  const auto recovered = ended(r, "Succeeded");
  ASSERT_EQ(recovered.size(), 1U);
  EXPECT_EQ(recovered[0].event["consecutiveFailures"], Value(3));
  EXPECT_TRUE(ended(r, "Succeeded").empty());
}

TEST_F(RuleTest, OnceForEachKeyWithinATime) {
  const RulePtr r = rule(R"({"triggers": ["on-failed"], "send": [{"channel": "c"}],
                             "oncePer": {"key": "workflow.name", "within": "1h"}})");
  EXPECT_EQ(ended(r, "Failed", "a").size(), 1U);
  EXPECT_EQ(ended(r, "Failed", "b").size(), 1U);
  EXPECT_TRUE(ended(r, "Failed", "a").empty());
  now_ = now_ + clock::Duration::seconds(3600);
  EXPECT_EQ(ended(r, "Failed", "a").size(), 1U);
}

TEST_F(RuleTest, ADigestGathersUntilItsWindowIsOver) {
  const RulePtr r = rule(R"({"triggers": ["on-failed"], "digest": "15m",
                             "send": [{"channel": "c"}, {"channel": "d"}]})");
  EXPECT_TRUE(ended(r, "Failed", "a").empty());
  EXPECT_TRUE(ended(r, "Failed", "b").empty());
  EXPECT_EQ(memory_.due_at, now_ + clock::Duration::seconds(900));
  const Value gathered = memory_.kept["n/r|digest"];
  const auto letters = close_digest(r, "digest", gathered, memory_.due_at, memory_);
  ASSERT_EQ(letters.size(), 2U);
  EXPECT_EQ(letters[0].message["title"], Value("r: 2 notifications since 2026-01-05T12:00:00Z"));
  EXPECT_EQ(letters[0].message["text"], Value("a Failed\nb Failed"));
  EXPECT_NE(letters[0].key, letters[1].key);
  EXPECT_TRUE(memory_.kept["n/r|digest"].is_null());
}

TEST_F(RuleTest, WhatCannotHoldIsNotEvaluated) {
  const auto needs = [](const char* source) {
    std::vector<std::string> out;
    for (const auto& n : expr::necessary_texts(source)) out.push_back(n.path + "=" + n.text);
    return out;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(needs(R"(node.phase == "Failed" && 'a' == node.displayName && attempt > 1)"),
            (Texts{"node.phase=Failed", "node.displayName=a"}));
  EXPECT_EQ(needs(R"(attempt > 1 && node.phase == "Failed")"), Texts{});
  EXPECT_EQ(needs(R"(node.phase == "Failed" || node.displayName == "a")"), Texts{});
  EXPECT_EQ(needs(R"(type == "x" && (shutdown != "" || attempt > 0))"), Texts{"type=x"});
  EXPECT_EQ(needs(R"(workflow.labels["a.b"] == "c")"), Texts{"workflow.labels.a.b=c"});
  EXPECT_EQ(needs(R"(workflow?.name == "c" && node.phase == "x")"), Texts{});
  EXPECT_EQ(needs("1 +"), Texts{});
  // Nothing else is told than without that.
  const RulePtr r = rule(R"({"triggers": ["workflow.labels.team == 'a'"],
                             "send": [{"channel": "c"}]})");
  const Watch watch({r});
  const auto matches = [&](const char* event) {
    return watch.matches(Happening::kWorkflowFailed, json(event), now_, {}).size();
  };
  EXPECT_EQ(matches(R"({"workflow": {"labels": {"team": "a"}}})"), 1U);
  EXPECT_EQ(matches(R"({"workflow": {"labels": {"team": "b"}}})"), 0U);
  EXPECT_EQ(matches(R"({"workflow": {"labels": {}}})"), 0U);
}

TEST_F(RuleTest, ATagThatGivesNothingSaysSo) {
  const Value event = json(R"({"workflow": {"name": "w", "labels": {}},
                               "failures": [{"phase": "Failed", "log": "oh {{no}}"}]})");
  const auto text_of = [&](const char* text) { return rendered(Value(text), event, now_).message; };
  EXPECT_EQ(text_of("a {{workflow.labels.team}} b"), Value("a (workflow.labels.team: none) b"));
  EXPECT_EQ(text_of("{{=failures[0].log}}, {{failures.0.phase}}"), Value("oh {{no}}, Failed"));
  EXPECT_EQ(text_of("{{ failures.1.log }}"), Value("(failures.1.log: none)"));
  EXPECT_EQ(text_of("{{=workflow.labels.team}}"), Value("(workflow.labels.team: none)"));
  EXPECT_EQ(text_of("{{=failures[0].lg}}!").as_string().substr(0, 17), "(failures[0].lg: ");
  EXPECT_EQ(text_of("{{=failures[7].log}}").as_string().substr(0, 18), "(failures[7].log: ");
  EXPECT_EQ(text_of("{{='{{'}}workflow.name}} {{workflow.name"),
            Value("{{workflow.name}} {{workflow.name"));
  const Value nested = json(R"({"a": [{"{{workflow.name}}": "{{node.name}}"}], "b": 1})");
  const Rendered whole = rendered(nested, event, now_);
  EXPECT_EQ(whole.message, json(R"j({"a": [{"w": "(node.name: none)"}], "b": 1})j"));
  EXPECT_EQ(whole.trouble, "message: {{node.name}}: none");
}

TEST_F(RuleTest, ATagWithoutAnEndIsTold) {
  const auto problems = message_problems(json(R"({"title": "a {{workflow.name"})"));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].pointer, "/title");
  EXPECT_EQ(problems[0].message, "'{{' without '}}'");
}

TEST_F(RuleTest, ADigestSpeaksInTheWordsOfItsRule) {
  const RulePtr r = rule(R"({"triggers": ["on-failed"],
      "digest": {"window": "15m", "title": "{{count}} of {{digest.count}}"},
      "send": [{"channel": "c", "message": "{{workflow.name}} is broken"}, {"channel": "d"},
               {"channel": "e", "message": {"severity": "bad", "group": "{{digest.count}}",
                "title": "{{workflow.name}}", "text": "see {{workflow.labels.team}}"}},
               {"channel": "f", "message": {"title": "all {{digest.count}}",
                "text": "{{=digest.events[1].workflow.name}}"}}]})");
  for (const char* name : {"a", "b"}) EXPECT_TRUE(ended(r, "Failed", name).empty());
  const Value gathered = memory_.kept["n/r|digest"];
  const auto letters = close_digest(r, "digest", gathered, memory_.due_at, memory_);
  ASSERT_EQ(letters.size(), 4U);
  EXPECT_EQ(letters[0].message, json(R"({"title": "2 of 2", "text": "a is broken\nb is broken"})"));
  EXPECT_EQ(letters[1].message, json(R"({"title": "2 of 2", "text": "a Failed\nb Failed"})"));
  EXPECT_EQ(letters[2].message,
            json(R"j({"title": "2 of 2", "severity": "bad", "group": "2", "text":
                 "a: see (workflow.labels.team: none)\nb: see (workflow.labels.team: none)"})j"));
  EXPECT_EQ(letters[2].trouble, "message: {{workflow.labels.team}}: none");
  EXPECT_EQ(letters[3].message, json(R"({"title": "all 2", "text": "b"})"));
}

TEST_F(RuleTest, WhatIsReadWhenItIsToldIsInItsMessage) {
  const RulePtr r = rule(R"({"triggers": ["on-failed"], "send": [{"channel": "c", "message":
                             "{{=failures[0].log}}"}]})");
  const Value event = json(R"({"type": "workflow.failed", "workflow": {"name": "w"},
                               "failures": [{"phase": "Failed"}]})");
  const Watch watch({r});
  for (const Match& match : watch.matches(Happening::kWorkflowFailed, event, now_, {})) {
    const auto letters =
        decide({.match = match,
                .what = Happening::kWorkflowFailed,
                .event = event,
                .at = now_,
                .complete = [](const Value&) { return json(R"({"failures": [{"log": "oh"}]})"); }},
               memory_);
    ASSERT_TRUE(letters && letters->size() == 1U);
    EXPECT_EQ(letters->front().message, Value("oh"));
  }
}

TEST_F(RuleTest, QuietHoursHoldUntilTheirEnd) {
  const RulePtr r = rule(R"({"triggers": ["on-failed"], "send": [{"channel": "c"}], "quietHours":
      {"from": "22:00", "to": "07:00", "timeZone": "Europe/Berlin"}})");
  EXPECT_FALSE(ended(r, "Failed")[0].not_before.is_set());
  now_ = at("2026-01-05T21:30:00Z");  // 22:30 there
  EXPECT_EQ(ended(r, "Failed")[0].not_before, at("2026-01-06T06:00:00Z"));
  now_ = at("2026-01-06T05:59:59Z");
  EXPECT_EQ(ended(r, "Failed")[0].not_before, at("2026-01-06T06:00:00Z"));
  now_ = at("2026-03-28T22:00:00Z");  // the night in which the clocks go forward
  EXPECT_EQ(ended(r, "Failed")[0].not_before, at("2026-03-29T05:00:00Z"));
}

TEST_F(RuleTest, QuietHoursOfSomeDaysOnly) {
  const QuietHours weekend{.from_minute = 0, .to_minute = 24 * 60, .days = 0x41};
  EXPECT_FALSE(quiet_until(weekend, at("2026-01-05T12:00:00Z")));
  EXPECT_EQ(quiet_until(weekend, at("2026-01-04T12:00:00Z")), at("2026-01-05T00:00:00Z"));
  const QuietHours friday_night{.from_minute = 1200, .to_minute = 600, .days = 0x20};
  EXPECT_TRUE(quiet_until(friday_night, at("2026-01-03T09:00:00Z")));  // Saturday morning
  EXPECT_FALSE(quiet_until(friday_night, at("2026-01-04T09:00:00Z")));
}

TEST_F(RuleTest, AMutedRuleCountsAndIsSilent) {
  const RulePtr r = rule(R"({"triggers": ["on-failed", "on-recovered"],
      "muteUntil": "2026-01-05T13:00:00Z", "send": [{"channel": "c"}]})");
  EXPECT_TRUE(ended(r, "Failed").empty());
  now_ = at("2026-01-05T13:00:00Z");
  EXPECT_EQ(ended(r, "Succeeded").size(), 1U);
}

TEST_F(RuleTest, AnnotationsSubscribe) {
  std::vector<RuleProblem> problems;
  auto rules = parse_subscriptions(
      json(R"({"notifications.tiphys.dev/subscribe.on-failed.mail": "a@x; b@y", "other": "x",
               "notifications.tiphys.dev/subscribe.on-faild.mail": "",
               "notifications.tiphys.dev/subscribe.on-overdue.mail": ""})"),
      "n", problems);
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].send[0].channel, "mail");
  EXPECT_EQ(rules[0].send[0].recipients, (std::vector<std::string>{"a@x", "b@y"}));
  EXPECT_EQ(with_recipients(rules[0].send[0], Value("hello"), "email"),
            json(R"({"text": "hello", "to": ["a@x", "b@y"]})"));
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].pointer, "/notifications.tiphys.dev~1subscribe.on-faild.mail");
  EXPECT_EQ(problems[1].message, "on-overdue wants to know how long the workflow may run");
}

}  // namespace
}  // namespace tiphys::notify
