// Webhooks and CloudEvents: requests to the byte, and what users may and may not set in them.
#include "notify/channel/channel_fixture.h"

namespace tiphys::notify {
namespace {

struct WebhookTest : ChannelTest {
  WebhookTest() {
    notice.event = json(R"({"type": "workflow.succeeded", "workflow": {"name": "w"}})");
  }
};

TEST_F(WebhookTest, SendsTheEvent) {
  const HttpRequest r = ask("webhook", R"({"url": "https://a/b"})");
  EXPECT_EQ(r.method, "POST");
  EXPECT_EQ(r.url, "https://a/b");
  EXPECT_FALSE(r.skips_verification);
  EXPECT_EQ(r.headers, (HeaderList{{"Content-Type", "application/json"},
                                   {"User-Agent", "tiphys"},
                                   {"Idempotency-Key", "msg_2x9Zq0cT"},
                                   {"webhook-id", "msg_2x9Zq0cT"},
                                   {"webhook-timestamp", "1795687266"}}));
  EXPECT_EQ(r.body, R"({"type":"workflow.succeeded","timestamp":"2026-11-26T10:01:05Z",)"
                    R"("data":{"workflow":{"name":"w"}}})");
}

TEST_F(WebhookTest, SendsWordsOfTheUserBesideTheEvent) {
  const HttpRequest r = ask("webhook", R"({"url": "https://a"})", R"({"text": "<b>"})");
  EXPECT_EQ(json(r.body)["data"]["message"], json(R"({"text": "<b>"})"));
}

TEST_F(WebhookTest, SendsTheUsersBody) {
  EXPECT_EQ(ask("webhook", R"({"url": "https://a"})", R"({"body": "a=b&c"})").body, "a=b&c");
  EXPECT_EQ(ask("webhook", R"({"url": "https://a"})", R"({"body": {"b": 1, "a": [2]}})").body,
            R"({"b":1,"a":[2]})");
}

TEST_F(WebhookTest, SendsHeadersOfTheChannelAndTheMessage) {
  const HttpRequest r =
      ask("webhook", R"({"url": "https://a", "method": "PUT", "insecureSkipVerify": "true",
                     "headers": {"X-A": "1", "content-type": "text/plain", "X-B": 2}})",
          R"({"headers": {"x-a": "3"}, "body": "x"})");
  EXPECT_EQ(r.method, "PUT");
  EXPECT_TRUE(r.skips_verification);
  EXPECT_EQ(header(r, "Content-Type") + header(r, "X-A"), "") << "replaced";
  EXPECT_EQ(header(r, "content-type"), "text/plain");
  EXPECT_EQ(header(r, "x-a"), "3");
  EXPECT_EQ(header(r, "X-B"), "2");
}

TEST_F(WebhookTest, SignsTheBodyThatIsSent) {
  const HttpRequest r = ask("webhook", R"({"url": "https://a", "signingSecrets": ["new", "old"]})",
                            R"({"body": "x"})");
  EXPECT_EQ(header(r, "webhook-signature"),
            "v1,wOMy40qZo/30wb2FzBwmbWlKwbtVs74nwXwwJp4/wqo= "
            "v1,7sXGk83Rd+bdwSob57ed6rcmjrVDzf4PtNTlmBpoGfs=");
  EXPECT_EQ(problems("webhook", R"({"url": "https://a", "signingSecrets":
      [{"secretKeyRef": {"name": "s", "key": "k"}}, "t"]})"),
            "");
}

TEST_F(WebhookTest, CannotBeMadeToSendOtherHeaders) {
  const char* config = R"({"url": "https://a"})";
  EXPECT_EQ(refusal("webhook", config, R"({"headers": {"X": "a\r\nY: b"}})"),
            "headers: the value of X has a line break or control character");
  EXPECT_EQ(refusal("webhook", config, R"({"headers": {"X: a\nY": "b"}})"),
            "headers: \"X: a Y\" is no name of a header");
  for (const char* name : {"Webhook-Id", "Host", "content-length", "Transfer-Encoding",
                           "IDEMPOTENCY-KEY", "webhook-signature"}) {
    EXPECT_EQ(refusal("webhook", config,
                      value::to_json(value::Map{{"headers", value::Map{{name, "x"}}}})),
              std::string("headers: ") + name + " is set by the engine");
  }
  notice.id = "a\r\nb";
  EXPECT_EQ(refusal("webhook", config), "the notice's id is no header text");
}

TEST_F(WebhookTest, HasProblems) {
  EXPECT_EQ(problems("webhook", R"({"methd": "PUT"})"),
            "url: required\nmethd: unknown field; did you mean \"method\"?");
  EXPECT_EQ(problems("webhook", R"({"url": "ftp://a", "method": "SEND", "headers": []})"),
            "url: want a URL, http:// or https://\n"
            "method: want one of POST, PUT, PATCH, DELETE, GET\n"
            "headers: want names with a text each");
  EXPECT_EQ(problems("webhook", R"({"url": "https://a", "kind": "webhook"})"), "");
  EXPECT_EQ(problems("webhook", R"({"url": {"secretKeyRef": {"name": "s"}}})"),
            "url: want a text or {secretKeyRef: {name, key}}");
}

TEST_F(WebhookTest, JudgesAsHttpInGeneral) {
  EXPECT_EQ(judge("webhook", 204, "").kind, Verdict::Kind::kDelivered);
  EXPECT_EQ(judge("webhook", 503, "").kind, Verdict::Kind::kRetry);
  EXPECT_EQ(judge("webhook", 302, "").kind, Verdict::Kind::kRefused);
}

TEST_F(WebhookTest, SendsBinaryCloudEvents) {
  const HttpRequest r = ask("cloudevents", R"({"url": "https://a"})",
                            R"({"subject": "50% \"grün\" x", "extensions": {"team": "é b"}})");
  EXPECT_EQ(r.headers, (HeaderList{{"User-Agent", "tiphys"},
                                   {"Content-Type", "application/json"},
                                   {"ce-specversion", "1.0"},
                                   {"ce-id", "msg_2x9Zq0cT"},
                                   {"ce-source", "/tiphys//w"},
                                   {"ce-type", "dev.tiphys.workflow.succeeded"},
                                   {"ce-subject", "50%25%20%22gr%C3%BCn%22%20x"},
                                   {"ce-time", "2026-11-26T10:01:05Z"},
                                   {"ce-team", "%C3%A9%20b"},
                                   {"Idempotency-Key", "msg_2x9Zq0cT"},
                                   {"webhook-id", "msg_2x9Zq0cT"},
                                   {"webhook-timestamp", "1795687266"}}));
  EXPECT_EQ(json(r.body)["workflow"]["name"].string_or(""), "w");
}

TEST_F(WebhookTest, SendsStructuredCloudEvents) {
  const HttpRequest r = ask("cloudevents", R"({"url": "https://a", "mode": "structured",
      "source": "https://ci", "typePrefix": "com.x."})",
                            R"({"data": [1]})");
  EXPECT_EQ(header(r, "Content-Type"), "application/cloudevents+json; charset=utf-8");
  EXPECT_EQ(r.body,
            R"({"specversion":"1.0","id":"msg_2x9Zq0cT","source":"https://ci",)"
            R"("type":"com.x.workflow.succeeded","subject":"w","time":"2026-11-26T10:01:05Z",)"
            R"("datacontenttype":"application/json","data":[1]})");
}

TEST_F(WebhookTest, TakesOnlyExtensionsThatCloudEventsAllow) {
  for (const char* name : {"", "Team", "a-b", "id", "data", "aaaaaaaaaaaaaaaaaaaaa", "a\r\nb"}) {
    EXPECT_NE(refusal("cloudevents", R"({"url": "https://a"})",
                      value::to_json(value::Map{{"extensions", value::Map{{name, "x"}}}})),
              "")
        << name;
  }
}

}  // namespace
}  // namespace tiphys::notify
