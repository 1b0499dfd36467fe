// Robots of Chinese chats, PagerDuty, GitHub and commands.
#include "notify/channel/channel_fixture.h"

namespace tiphys::notify {
namespace {

using Kind = Verdict::Kind;

struct ServiceTest : ChannelTest {
  ServiceTest() {
    notice.event = json(R"({"type": "workflow.failed", "workflow":
        {"name": "w", "namespace": "n", "uid": "u", "phase": "Failed", "url": "https://t/w"}})");
  }
};

TEST_F(ServiceTest, WeCom) {
  const HttpRequest r = ask("wecom", R"({"key": "a/b"})");
  EXPECT_EQ(r.url, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a%2Fb");
  EXPECT_EQ(r.body,
            R"({"msgtype":"markdown","markdown":{"content":"**<font color=\"warning\">w Failed)"
            R"j(</font>**\nPhase: Failed\nNamespace: n\n[Open the workflow](https://t/w)"}})j");
  EXPECT_EQ(
      ask("wecom", R"({"url": "https://q", "msgType": "text", "mentionedList": "@all"})", R"("好")")
          .body,
      R"({"msgtype":"text","text":{"content":"好","mentioned_list":["@all"]}})");
  EXPECT_EQ(refusal("wecom", R"({"key": "k", "mentionedList": "@all"})"),
            "mentionedList: only with msgType: text");
  EXPECT_EQ(problems("wecom", R"({"key": "k", "url": "https://q"})"),
            "url: required, or the key alone (not both)");
}

TEST_F(ServiceTest, WeComKeepsWithinItsBytes) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "好<";
  const value::Value message = value::Map{{"text", text}, {"title", text}, {"link", "https://l"}};
  for (const auto& [type, max] : {std::pair{"markdown", 4096U}, std::pair{"text", 2048U}}) {
    const auto r = try_ask("wecom", value::Map{{"key", "k"}, {"msgType", type}}, message);
    ASSERT_TRUE(r);
    const value::Value body = json(std::get<HttpRequest>(*r).body);
    const std::string_view content = body[type]["content"].string_or("");
    EXPECT_LE(content.size(), max);
    EXPECT_GT(content.size(), max - 10);
    EXPECT_NE(content.find("https://l"), std::string_view::npos) << "only the text is cut";
  }
}

TEST_F(ServiceTest, DingTalk) {
  const HttpRequest r =
      ask("dingtalk", R"({"accessToken": "t", "secret": "SECx", "atMobiles": "138"})");
  EXPECT_EQ(r.url,
            "https://oapi.dingtalk.com/robot/send?access_token=t&timestamp=1795687266500&sign="
            "emB3g2LpmREOmWEg1JdAPzFqgrKJsuhaqaj07Y3irrE%3D");
  EXPECT_EQ(r.body,
            R"({"msgtype":"markdown","markdown":{"title":"w Failed","text":"#### w Failed\n\n)"
            R"(Phase: Failed  \nNamespace: n\n\n[Open the workflow](https://t/w) @138"},)"
            R"("at":{"atMobiles":["138"]}})");
  EXPECT_EQ(ask("dingtalk", R"({"url": "https://d?access_token=t"})").url,
            "https://d?access_token=t");
  EXPECT_EQ(json(ask("dingtalk", R"({"accessToken": "t"})", R"({"isAtAll": true})").body)["at"],
            json(R"({"isAtAll": true})"));
}

TEST_F(ServiceTest, Feishu) {
  const HttpRequest r = ask("feishu", R"({"url": "https://f", "secret": "s"})");
  EXPECT_EQ(
      r.body,
      R"({"timestamp":"1795687266","sign":"yodxrjFnhRsGyeompoFqSZ8A2o7msg5RJ44/gsR76po=","msg_type":"interactive","card":{)"
      R"("config":{"wide_screen_mode":true},"header":{"title":{"tag":"plain_text",)"
      R"("content":"w Failed"},"template":"red"},"elements":[{"tag":"div","text":{)"
      R"("tag":"plain_text","content":"Phase: Failed\nNamespace: n"}},{"tag":"action",)"
      R"("actions":[{"tag":"button","text":{"tag":"plain_text",)"
      R"("content":"Open the workflow"},"url":"https://t/w","type":"default"}]}]}})");
  EXPECT_EQ(ask("lark", R"({"url": "https://f"})", R"({"card": {"a": 1}})").body,
            R"({"msg_type":"interactive","card":{"a":1}})");
  EXPECT_EQ(json(ask("lark", R"({"url": "https://f"})", R"("**x**")").body)["card"]["elements"],
            json(R"([{"tag": "div", "text": {"tag": "lark_md", "content": "**x**"}}])"));
  EXPECT_EQ(
      refusal("lark", R"({"url": "https://f"})",
              value::to_json(value::Map{{"card", value::Map{{"a", std::string(20'001, 'x')}}}})),
      "the message has 20043 bytes, more than the 20000 that are taken");
}

TEST_F(ServiceTest, RobotsSayInA200HowItWent) {
  struct Case {
    const char* kind;
    const char* body;
    Kind want;
  };
  for (const Case& c : {
           Case{"wecom", R"({"errcode": 0, "errmsg": "ok"})", Kind::kDelivered},
           Case{"wecom", R"({"errcode": 45009, "errmsg": "freq"})", Kind::kRetry},
           Case{"wecom", R"({"errcode": -1})", Kind::kRetry},
           Case{"wecom", R"({"errcode": 93000, "errmsg": "invalid webhook"})", Kind::kRefused},
           Case{"dingtalk", R"({"errcode": 0})", Kind::kDelivered},
           Case{"dingtalk", R"({"errcode": 130101, "errmsg": "too fast"})", Kind::kRetry},
           Case{"dingtalk", R"({"errcode": 310000, "errmsg": "sign not match"})", Kind::kRefused},
           Case{"feishu", R"({"code": 0, "StatusCode": 0})", Kind::kDelivered},
           Case{"lark", R"({"code": 11232, "msg": "limited"})", Kind::kRetry},
           Case{"lark", R"({"code": 19021, "msg": "sign match fail"})", Kind::kRefused},
           Case{"wecom", "<html>proxy</html>", Kind::kRefused},
           Case{"dingtalk", "", Kind::kRefused},
       }) {
    EXPECT_EQ(judge(c.kind, 200, c.body).kind, c.want) << c.kind << " " << c.body;
  }
  EXPECT_EQ(judge("wecom", 200, R"({"errcode": 93000, "errmsg": "no\nway"})").reason,
            "errcode 93000: no way");
  EXPECT_EQ(judge("wecom", 200, R"({"errcode": 45009})").retry_after->in_seconds(), 60);
  EXPECT_EQ(judge("wecom", 502, "<html>").kind, Kind::kRetry);
  EXPECT_EQ(judge("feishu", 400, R"({"code": 11232})").kind, Kind::kRetry);
  EXPECT_EQ(judge("feishu", 400, R"({"code": 19001})").kind, Kind::kRefused);
  EXPECT_EQ(judge("wecom", 500, R"({"errcode": 0})").kind, Kind::kRetry);
}

TEST_F(ServiceTest, PagerDutyTriggersAndResolves) {
  EXPECT_EQ(ask("pagerduty", R"({"routingKey": "k"})").body,
            R"({"routing_key":"k","event_action":"trigger","dedup_key":"n/w","client":"tiphys",)"
            R"("client_url":"https://t/w","links":[{"href":"https://t/w",)"
            R"("text":"Open the workflow"}],"payload":{"summary":"w Failed","source":"tiphys/n",)"
            R"("severity":"error","timestamp":"2026-11-26T10:01:05Z","component":"w",)"
            R"("custom_details":{"text":"Phase: Failed\nNamespace: n"}}})");
  EXPECT_EQ(ask("pagerduty", R"({"routingKey": "k", "dedupKey": "nightly"})",
                R"({"action": "acknowledge"})")
                .body,
            R"({"routing_key":"k","event_action":"acknowledge","dedup_key":"nightly"})");
  succeed();
  EXPECT_EQ(ask("pagerduty", R"({"routingKey": "k"})").body,
            R"({"routing_key":"k","event_action":"resolve","dedup_key":"n/w"})");
  EXPECT_EQ(judge("pagerduty", 202, "").kind, Kind::kDelivered);
  EXPECT_EQ(judge("pagerduty", 429, "").kind, Kind::kRetry);
  EXPECT_EQ(judge("pagerduty", 400, "").kind, Kind::kRefused);
}

struct GitHubTest : ServiceTest {
  static constexpr const char* kSha = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
  static std::string config(std::string_view repo, std::string_view sha) {
    return value::to_json(value::Map{{"token", "t"}, {"repo", repo}, {"sha", sha}});
  }
};

TEST_F(GitHubTest, SetsTheStatusOfACommit) {
  const HttpRequest r = ask("github", config("o/r.x", kSha));
  EXPECT_EQ(r.url, std::string("https://api.github.com/repos/o/r.x/statuses/") + kSha);
  EXPECT_EQ(r.body, R"({"state":"failure","target_url":"https://t/w","description":"w Failed",)"
                    R"("context":"tiphys"})");
  EXPECT_EQ(header(r, "Authorization"), "Bearer t");
  EXPECT_EQ(header(r, "User-Agent"), "tiphys");
}

TEST_F(GitHubTest, SaysThePhase) {
  for (const auto& [phase, state] :
       {std::pair{"Succeeded", "success"}, std::pair{"Failed", "failure"},
        std::pair{"Error", "error"}, std::pair{"Running", "pending"}, std::pair{"", "pending"}}) {
    notice.event = value::Map{{"workflow", value::Map{{"name", "w"}, {"phase", phase}}}};
    EXPECT_EQ(json(ask("github", config("o/r", kSha)).body)["state"].string_or(""), state);
  }
}

TEST_F(GitHubTest, ReachesNoOtherPath) {
  for (const char* repo : {"", "o", "o/", "o/..", "../r", "o/r/x", "o/r?x", "o/r x"}) {
    EXPECT_EQ(refusal("github", config(repo, kSha)), "repo: want OWNER/NAME") << repo;
  }
  for (const char* sha : {"", "abc", "6dcb09b5b57875f334f61aebed695e2e4193db5/", "main"}) {
    EXPECT_EQ(refusal("github", config("o/r", sha)), "sha: want the 40 digits of a commit") << sha;
  }
}

TEST_F(GitHubTest, HasLimitsThatAre403) {
  EXPECT_EQ(judge("github", 403, "no").kind, Kind::kRefused);
  EXPECT_EQ(judge("github", 403, "", {{"retry-after", "5"}}).retry_after->in_seconds(), 5);
  const Verdict v = judge("github", 403, "", {{"x-ratelimit-remaining", "0"}});
  EXPECT_EQ(v.kind, Kind::kRetry);
  EXPECT_EQ(v.retry_after->in_seconds(), 60);
}

TEST_F(ServiceTest, CommandGetsTheEvent) {
  const auto r = ask<CommandRequest>("command", R"({"command": ["/bin/x", 1], "env": {"A": "b"}})",
                                     R"({"args": ["-v"], "text": "hi"})");
  EXPECT_EQ(r.arguments, (std::vector<std::string>{"/bin/x", "1", "-v"}));
  using Variables = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(r.environment, (Variables{{"TIPHYS_EVENT_ID", "msg_2x9Zq0cT"},
                                      {"TIPHYS_EVENT_TYPE", "workflow.failed"},
                                      {"TIPHYS_WORKFLOW_NAME", "w"},
                                      {"TIPHYS_WORKFLOW_NAMESPACE", "n"},
                                      {"TIPHYS_WORKFLOW_UID", "u"},
                                      {"TIPHYS_WORKFLOW_PHASE", "Failed"},
                                      {"TIPHYS_TITLE", ""},
                                      {"TIPHYS_TEXT", "hi"},
                                      {"A", "b"}}));
  EXPECT_EQ(r.input,
            R"({"id":"msg_2x9Zq0cT","time":"2026-11-26T10:01:05Z","type":"workflow.failed",)"
            R"("workflow":{"name":"w","namespace":"n","uid":"u","phase":"Failed",)"
            R"("url":"https://t/w"}})");
  EXPECT_EQ(ask<CommandRequest>("command", R"({"command": ["x"]})", R"({"input": "raw"})").input,
            "raw");
}

TEST_F(ServiceTest, CommandHasProblems) {
  EXPECT_EQ(problems("command", R"({"command": []})"), "command: want a program");
  EXPECT_EQ(problems("command", R"({"command": "ls"})"), "command: want a list");
  EXPECT_EQ(
      problems("command", R"({"command": ["a", {"secretKeyRef": {"name": "n", "key": "k"}}]})"),
      "command: want texts; give secrets by env");
  EXPECT_EQ(problems("command", R"({"command": ["a"], "env": {"A=B": "c"}})"),
            "env: \"A=B\" is no name of a variable");
  EXPECT_EQ(refusal("command", R"({"command": ["a\u0000b"]})"),
            "command: an argument has a NUL byte");
}

TEST_F(ServiceTest, CommandsExitCodes) {
  EXPECT_EQ(judge("command", 0, "").kind, Kind::kDelivered);
  for (const int code : {1, 2, 75, 137}) EXPECT_EQ(judge("command", code, "").kind, Kind::kRetry);
  for (const int code : {64, 65, 77, 78, 126, 127}) {
    EXPECT_EQ(judge("command", code, "").kind, Kind::kRefused) << code;
  }
  EXPECT_EQ(judge("command", 1, "it\nbroke").reason, "exit code 1: it broke");
}

}  // namespace
}  // namespace tiphys::notify
