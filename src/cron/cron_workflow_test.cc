// What a CronWorkflow does follows from its manifest, its status and the time alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clock/rfc3339.h"
#include "cron/conditions.h"
#include "cron/due.h"
#include "cron/record.h"
#include "cron/workflow_of.h"
#include "value/json.h"

namespace tiphys::cron {

namespace {

using clock::Instant;
using value::Value;

Instant at(std::string_view text) { return clock::parse_rfc3339(text).value(); }
Value json(std::string_view text) { return value::parse_json(text).value(); }

Timetable table(std::string_view spec) { return Timetable::of(json(spec), nullptr).value(); }

std::string shown(const std::optional<Instant>& t) { return t ? clock::rfc3339(*t) : "none"; }

TEST(Timetable, JoinsItsSchedulesAndItsZone) {
  const Timetable t =
      table(R"({"schedules": ["0 3 * * *", "30 2 * * *"], "timezone": "Europe/Berlin"})");
  const Instant noon = at("2026-01-10T12:00:00Z");
  EXPECT_EQ(shown(t.next(noon, noon)), "2026-01-11T01:30:00Z");
  EXPECT_EQ(shown(t.latest(at("2026-01-01T00:00:00Z"), noon, noon)), "2026-01-10T02:00:00Z");
  EXPECT_EQ(shown(t.latest(at("2026-01-10T02:00:00Z"), noon, noon)), "none");
}

TEST(Timetable, FindsTheLastTimeOfALongWhile) {
  const Instant from = at("2001-01-01T00:00:00Z");
  const Instant until = at("2026-05-05T05:05:30Z");
  EXPECT_EQ(shown(table(R"({"schedules": ["* * * * *"]})").latest(from, until, from)),
            "2026-05-05T05:05:00Z");
  EXPECT_EQ(shown(table(R"({"schedules": ["0 0 29 2 *"]})").latest(from, until, from)),
            "2024-02-29T00:00:00Z");
  EXPECT_EQ(shown(table(R"({"schedules": ["@every 7s"]})").latest(from, until, from)),
            "2026-05-05T05:05:27Z");
}

TEST(Timetable, CountsEveryFromItsAnchor) {
  const Timetable t = table(R"({"schedules": ["@every 10s"]})");
  const Instant anchor = at("2026-01-01T00:00:03.7Z");
  EXPECT_EQ(shown(t.next(anchor, anchor)), "2026-01-01T00:00:13Z");
  EXPECT_EQ(shown(t.next(at("2026-01-01T00:00:13Z"), anchor)), "2026-01-01T00:00:23Z");
  EXPECT_EQ(shown(t.latest(anchor, at("2026-01-01T00:00:12Z"), anchor)), "none");
  EXPECT_EQ(shown(t.latest(anchor, at("2026-01-01T00:00:40Z"), anchor)), "2026-01-01T00:00:33Z");
}

TEST(Timetable, RefusesWhatArgoRefuses) {
  EXPECT_EQ(Timetable::of(json(R"({"schedules": ["1 2"]})"), nullptr).error().message,
            "cron schedule 1 2 is malformed: expected exactly 5 fields, found 2: [1 2]");
  EXPECT_EQ(Timetable::of(json("{}"), nullptr).error().message,
            "cron workflow must have at least one schedule");
}

// An engine in virtual time, which looks at the clock every second.
struct World {
  Timetable times = table(R"({"schedules": ["* * * * *"]})");
  Watch watch = {.since = at("2026-01-01T00:00:30Z"),
                 .last = {},
                 .watched_since = at("2026-01-01T00:00:30Z"),
                 .tried = {}};
  std::vector<std::string> taken = {};

  void live(std::string_view from, std::string_view until, bool takes = true) {
    for (Instant t = at(from); t <= at(until); t = t + clock::Duration::seconds(1)) {
      const auto time = due(times, watch, t, false);
      if (!time) continue;
      watch.tried = *time;
      if (!takes) continue;
      watch.last = *time;
      taken.push_back(clock::rfc3339(*time).substr(11, 5));
    }
  }
  void begin_again(std::string_view now) {
    watch.watched_since = at(now);
    watch.tried = {};
  }
};

TEST(Due, EachTimeIsTakenOnce) {
  World w;
  w.live("2026-01-01T00:00:30Z", "2026-01-01T00:03:30Z");
  w.live("2026-01-01T00:03:00Z", "2026-01-01T00:03:59Z");  // somebody set the clock back
  EXPECT_THAT(w.taken, testing::ElementsAre("00:01", "00:02", "00:03"));
}

TEST(Due, WhatWasMissedIsLostWithoutADeadline) {
  World w;
  w.live("2026-01-01T00:00:30Z", "2026-01-01T00:01:30Z");
  w.begin_again("2026-01-01T00:05:10Z");
  w.live("2026-01-01T00:05:10Z", "2026-01-01T00:06:00Z");
  EXPECT_THAT(w.taken, testing::ElementsAre("00:01", "00:06"));
}

TEST(Due, TheLastOneThatWasMissedIsTakenWithinTheDeadline) {
  World w;
  w.watch.deadline = clock::Duration::seconds(20);
  w.live("2026-01-01T00:00:30Z", "2026-01-01T00:01:30Z");
  w.begin_again("2026-01-01T00:05:10Z");
  w.live("2026-01-01T00:05:10Z", "2026-01-01T00:05:50Z");
  w.begin_again("2026-01-01T00:07:20Z");  // too late by a second
  w.live("2026-01-01T00:07:20Z", "2026-01-01T00:07:59Z");
  EXPECT_THAT(w.taken, testing::ElementsAre("00:01", "00:05"));
}

TEST(Due, ACronWorkflowThatHasNeverRunMissesNothingEither) {
  World w;
  w.watch.deadline = clock::Duration::seconds(60);
  w.begin_again("2026-01-01T00:01:05Z");
  w.live("2026-01-01T00:01:05Z", "2026-01-01T00:01:50Z");
  EXPECT_THAT(w.taken, testing::ElementsAre("00:01"));
}

TEST(Due, WhatWasForbiddenIsLookedAtAgainWhenSomethingHasChanged) {
  World w;
  w.watch.deadline = clock::Duration::seconds(30);
  w.live("2026-01-01T00:00:30Z", "2026-01-01T00:01:05Z", false);
  EXPECT_FALSE(due(w.times, w.watch, at("2026-01-01T00:01:10Z"), false));
  EXPECT_TRUE(due(w.times, w.watch, at("2026-01-01T00:01:10Z"), true));
  EXPECT_FALSE(due(w.times, w.watch, at("2026-01-01T00:01:40Z"), true));
}

Value cron(const std::string& spec) {
  return json(
      R"({"kind": "CronWorkflow", "metadata": {"name": "c", "namespace": "n", "uid": "u", "labels": )"
      R"({"a.b/c": "x", "team": "t"}, "annotations": {"k": "v"}}, "spec": {)" +
      spec + "}}");
}

bool begins(const std::string& when, const Status& status) {
  value::Map spec{{"when", when}};
  value::Map object = cron("").map();
  object.set("spec", spec);
  auto result = may_begin(object, status, at("2026-01-01T01:00:00Z"));
  EXPECT_TRUE(result) << when << ": " << result.error().message;
  return result.value_or(false);
}

TEST(When, SeesTheLastTimeAsATime) {
  const Status never;
  const Status once{.last_scheduled = at("2026-01-01T00:20:00Z"), .succeeded = 2, .failed = 1};
  const std::string daily =
      "{{= cronworkflow.lastScheduledTime == nil || "
      "(now() - cronworkflow.lastScheduledTime).Seconds() > 3600 }}";
  EXPECT_TRUE(begins(daily, never));
  EXPECT_FALSE(begins(daily, once));
  EXPECT_TRUE(begins("{{= cronworkflow.lastScheduledTime != nil }}", once));
  EXPECT_TRUE(begins("{{= (now() - cronworkflow.lastScheduledTime).Minutes() >= 40 }}", once));
  EXPECT_FALSE(begins("{{= (now() - cronworkflow.lastScheduledTime).Minutes() < 40 }}", once));
  EXPECT_TRUE(begins("{{= cronworkflow.succeeded > cronworkflow.failed }}", once));
  EXPECT_TRUE(begins("'{{cronworkflow.labels.team}}' == 't'", once));
  EXPECT_TRUE(
      begins("{{= cronworkflow.labels['a.b/c'] == 'x' && "
             "cronworkflow.annotations.k == 'v'}}",
             once));
  EXPECT_FALSE(
      may_begin(cron(R"("when": "{{= (now() - cronworkflow.lastScheduledTime).Hours() > 1}}")"),
                never, at("2026-01-01T01:00:00Z")));
  EXPECT_FALSE(may_begin(cron(R"("when": "{{cronworkflow.nothing}} == 1")"), never, {}));
}

TEST(StopStrategy, Counts) {
  const Value object = cron(R"("stopStrategy": {"expression": "cronworkflow.failed >= 2"})");
  EXPECT_FALSE(is_to_stop(object, {.failed = 1}, {}).value());
  EXPECT_TRUE(is_to_stop(object, {.failed = 2}, {}).value());
  EXPECT_FALSE(is_to_stop(cron(""), {.failed = 2}, {}).value());
  const auto bad = is_to_stop(cron(R"("stopStrategy": {"expression": "nothing > 1"})"), {}, {});
  ASSERT_FALSE(bad);
  EXPECT_TRUE(bad.error().message.starts_with("failed to evaluate stop expression: "));
}

TEST(WorkflowOf, IsNamedByItsTime) {
  const Value wf = workflow_of(
      cron(
          R"("workflowMetadata": {"labels": {"l": "{{cronworkflow.name}}"}, "annotations": {"x": "y"}},
           "workflowSpec": {"entrypoint": "{{workflow.name}} {{cronworkflow.failed}} {{= 1}}"})"),
      {.failed = 3}, at("2026-01-01T00:01:00Z"));
  EXPECT_EQ(wf["metadata"]["name"], Value("c-1767225660"));
  EXPECT_EQ(wf["metadata"]["labels"],
            json(R"({"workflows.argoproj.io/cron-workflow": "c", "l": "c"})"));
  EXPECT_EQ(wf["metadata"]["annotations"],
            json(R"({"workflows.argoproj.io/scheduled-time": "2026-01-01T00:01:00Z", "x": "y"})"));
  EXPECT_EQ(wf["spec"]["entrypoint"], Value("{{workflow.name}} 3 {{= 1}}"));
  EXPECT_EQ(owner_of(wf["metadata"]), "u");
  EXPECT_EQ(owner_of(json("{}")), "");
}

TEST(Record, ComesBackAndCountsForItsGenerationOnly) {
  Record record{.uid = "u",
                .since = {5},
                .schedules = "* * * * *",
                .status = {.active = {{"c-1", "n", "u1"}},
                           .last_scheduled = at("2026-01-01T00:01:00Z"),
                           .succeeded = 2,
                           .failed = 1,
                           .phase = "Stopped"}};
  record.status.set_condition(kSpecError, "bad");
  const auto back = parse_record(to_json(record));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->status, record.status);
  EXPECT_EQ(back->since, record.since);
  EXPECT_EQ(with_status(cron(""), *back)["metadata"]["labels"][kCompletedLabel], Value("true"));
  EXPECT_EQ(with_status(cron(""), *back)["status"]["failed"], Value(1));
  record.generation = 2;
  EXPECT_EQ(with_status(cron(""), record)["status"]["failed"], Value(0));
}

}  // namespace

}  // namespace tiphys::cron
