// A call of Argo's agent becomes one notification, however often it comes, and ends when that does.
#include "runtime/plugin_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/memory.h"
#include "value/json.h"

namespace tiphys::runtime {
namespace {

using testing::HasSubstr;
constexpr clock::Instant kNow{1'767'225'600'000'000'000};

struct PluginServiceTest : testing::Test {
  void SetUp() override {
    ASSERT_TRUE(store.put_object(
        {.kind = "NotificationChannel",
         .name_space = "n",
         .name = "ops",
         .json = R"({"spec": {"kind": "webhook", "config": {"url": "http://127.0.0.1:1/"}}})",
         .created_at = kNow}));
  }
  [[nodiscard]] net::HttpServerAnswer call(const std::string& notify,
                                           const std::string& token = "t") {
    return call(notify, token, service);
  }
  [[nodiscard]] static net::HttpServerAnswer call(const std::string& notify,
                                                  const std::string& token, PluginService& asked) {
    return asked.answer(
        {.method = "POST",
         .target = "/api/v1/template.execute",
         .authorization = "Bearer " + token,
         .body = R"({"workflow": {"metadata": {"name": "w", "namespace": "n", "uid": "u"}},
                    "template": {"name": "tell", "plugin": )" +
                 notify + "}}"},
        kNow);
  }
  [[nodiscard]] value::Value node(const std::string& notify) { return node(notify, service); }
  [[nodiscard]] static value::Value node(const std::string& notify, PluginService& asked) {
    const auto answer = call(notify, "t", asked);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return (*value::parse_json(answer.body))["node"];
  }
  void settle(const std::string& id, const char* state, const char* reason = "") {
    auto rows = *store.load_deliveries({.id = id});
    ASSERT_EQ(rows.size(), 1U);
    rows[0].state = state;
    rows[0].attempts = 1;
    rows[0].reason = reason;
    ASSERT_TRUE(store.commit({.deliveries = rows}));
  }

  store::MemoryStore store;
  PluginService service{store, {.token = "t"}};
};

constexpr const char* kTell = R"({"tiphys": {"notify": {"channel": "ops",
    "event": {"phase": "Failed", "duration": "3.5", "failures": "\"[{\\\"displayName\\\":\\\"a\\\"}]\""}}}})";

TEST_F(PluginServiceTest, RunsUntilItHasArrived) {
  EXPECT_EQ(node(kTell)["phase"].as_string(), "Running");
  const auto rows = *store.load_deliveries({});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].state, "pending");
  EXPECT_EQ(rows[0].workflow, "w");
  EXPECT_EQ(node(kTell)["phase"].as_string(), "Running");
  EXPECT_EQ(store.load_deliveries({})->size(), 1U);  // asked again, told once
  settle(rows[0].id, "delivered");
  const value::Value done = node(kTell);
  EXPECT_EQ(done["phase"].as_string(), "Succeeded");
  EXPECT_EQ(done["outputs"]["parameters"].list().at(0)["value"].as_string(), rows[0].id);
}

TEST_F(PluginServiceTest, TellsWhatTheTemplateKnows) {
  (void)node(kTell);
  const std::string id = store.load_deliveries({})->front().id;
  const value::Value event = (*value::parse_json(*store.delivery_payload(id)))["event"];
  EXPECT_EQ(event["type"].as_string(), "workflow.failed");
  EXPECT_EQ(event["workflow"]["name"].as_string(), "w");
  EXPECT_EQ(event["workflow"]["phase"].as_string(), "Failed");
  EXPECT_DOUBLE_EQ(event["workflow"]["duration"].as_float(), 3.5);
  EXPECT_EQ(event["failures"].list().at(0)["displayName"].as_string(), "a");
}

TEST_F(PluginServiceTest, FailsWithWhatTheReceiverSaid) {
  (void)node(kTell);
  settle(store.load_deliveries({})->front().id, "dead", "HTTP status 404");
  const value::Value done = node(kTell);
  EXPECT_EQ(done["phase"].as_string(), "Failed");
  EXPECT_EQ(done["message"].as_string(), "not delivered after 1 attempt: HTTP status 404");
}

TEST_F(PluginServiceTest, OtherInputsAreAnotherNotification) {
  (void)node(R"({"tiphys": {"notify": {"channel": "ops", "message": "a"}}})");
  (void)node(R"({"tiphys": {"notify": {"channel": "ops", "message": "b"}}})");
  EXPECT_EQ(store.load_deliveries({})->size(), 2U);
}

TEST_F(PluginServiceTest, AnAcceptedOneEndsAtOnce) {
  const char* const kAccepted =
      R"({"tiphys": {"notify": {"channel": "ops", "await": "accepted"}}})";
  EXPECT_EQ(node(kAccepted)["phase"].as_string(), "Succeeded");
  EXPECT_EQ(node(kAccepted)["phase"].as_string(), "Succeeded");
  EXPECT_EQ(store.load_deliveries({})->size(), 1U);
}

TEST_F(PluginServiceTest, LeavesOtherPluginsAlone) {
  EXPECT_EQ(call(R"({"hello": {}})").body, "{}");
  EXPECT_TRUE(store.load_deliveries({})->empty());
}

TEST_F(PluginServiceTest, AMistakeIsAnError) {
  const value::Value done = node(R"({"tiphys": {"notify": {"channel": "nobody"}}})");
  EXPECT_EQ(done["phase"].as_string(), "Error");
  EXPECT_THAT(std::string(done["message"].as_string()), HasSubstr("'nobody' not found"));
}

constexpr const char* kInline = R"({"tiphys": {"notify": {"kind": "webhook",
    "config": {"url": "http://127.0.0.1:1/"}}}})";

TEST_F(PluginServiceTest, AChannelOfTheCallersOwnIsRefused) {
  for (const char* notify : {kInline, R"({"tiphys": {"notify": {"channel": "", "kind": "command",
                    "config": {"command": ["env"]}}}})"}) {
    const value::Value done = node(notify);
    EXPECT_EQ(done["phase"].as_string(), "Error");
    EXPECT_THAT(std::string(done["message"].as_string()), HasSubstr("--allow-inline"));
  }
  EXPECT_TRUE(store.load_deliveries({})->empty());
}

TEST_F(PluginServiceTest, AnAllowedOneRunsNothingAndReadsNoSecret) {
  PluginService open(store, {.token = "t", .allows_inline = true});
  EXPECT_EQ(node(kInline, open)["phase"].as_string(), "Running");
  EXPECT_EQ(store.load_deliveries({})->size(), 1U);
  for (const char* notify :
       {R"({"tiphys": {"notify": {"kind": "command", "config": {"command": ["env"]}}}})",
        R"({"tiphys": {"notify": {"kind": "webhook", "config": {"url": "http://127.0.0.1:1/",
            "headers": {"x": {"secretKeyRef": {"name": "hook", "key": "url"}}}}}}})"}) {
    const value::Value done = node(notify, open);
    EXPECT_EQ(done["phase"].as_string(), "Error");
    EXPECT_THAT(std::string(done["message"].as_string()), HasSubstr("of a template itself"));
  }
  EXPECT_EQ(store.load_deliveries({})->size(), 1U);
}

TEST_F(PluginServiceTest, WantsItsTokenAndItsCalls) {
  EXPECT_EQ(call(kTell, "x").status, 401);
  EXPECT_EQ(call(kTell, "").status, 401);
  EXPECT_EQ(
      service.answer({.method = "GET", .target = "/healthz", .authorization = "", .body = ""}, kNow)
          .status,
      200);
  EXPECT_EQ(service.answer({.method = "GET", .target = "/x", .authorization = "", .body = ""}, kNow)
                .status,
            404);
  EXPECT_EQ(service
                .answer({.method = "POST",
                         .target = "/api/v1/template.execute",
                         .authorization = "Bearer t",
                         .body = "{}"},
                        kNow)
                .status,
            400);
  EXPECT_TRUE(store.load_deliveries({})->empty());
}

}  // namespace
}  // namespace tiphys::runtime
