// What holds for every kind of channel: nothing that a step or a user writes can break out of its
// place, and no message is larger than its service takes.
#include <map>

#include <fmt/format.h>

#include "notify/channel/channel_fixture.h"
#include "notify/message_text.h"

namespace tiphys::notify {
namespace {

/// A configuration that is enough for a kind, and what its service takes.
struct Kind {
  std::string_view kind;
  std::string_view config;
  std::string_view to;
  std::size_t bytes_max;
};

constexpr std::size_t kAny = 1'000'000'000;
constexpr Kind kKinds[] = {
    {"cloudevents", R"({"url": "https://a"})", "", kAny},
    {"command", R"({"command": ["x"]})", "", kAny},
    {"dingtalk", R"({"url": "https://a?access_token=t"})", "", 20'000},
    {"discord", R"({"url": "https://a"})", "", 30'000},
    {"email", R"({"host": "h", "from": "a@b", "to": "c@d"})", "c@d", 2'000'000},
    {"feishu", R"({"url": "https://a"})", "", 20'000},
    {"github",
     R"({"token": "t", "repo": "o/r", "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e"})", "",
     2000},
    {"lark", R"({"url": "https://a"})", "", 20'000},
    {"mattermost", R"({"url": "https://a"})", "", 100'000},
    {"ntfy", R"({"topic": "t"})", "", 4096},
    {"pagerduty", R"({"routingKey": "k"})", "", 512UL * 1024},
    {"slack", R"({"url": "https://a"})", "", 170'000},
    {"teams", R"({"url": "https://a"})", "", 28UL * 1024},
    {"telegram", R"({"token": "1:a"})", "1", 30'000},
    {"webhook", R"({"url": "https://a"})", "", kAny},
    {"wecom", R"({"key": "k"})", "", 10'000},
};

struct EveryChannel : ChannelTest {
  static std::string body_of(const Request& request) {
    if (const auto* http = std::get_if<HttpRequest>(&request)) return http->body;
    if (const auto* mail = std::get_if<MailRequest>(&request)) return mail->message;
    return std::get<CommandRequest>(request).input;
  }

  /// No line break is where it would begin a header.
  static void expect_whole(const Kind& k, const Request& request) {
    if (const auto* http = std::get_if<HttpRequest>(&request)) {
      EXPECT_TRUE(is_http_url(http->url)) << k.kind << http->url;
      for (const auto& [name, text] : http->headers) {
        EXPECT_TRUE(is_header_name(name) && is_header_text(text)) << k.kind << " " << name;
      }
      if (k.kind != "ntfy") {
        EXPECT_TRUE(value::parse_json(http->body)) << k.kind << "\n" << http->body;
      }
    } else if (const auto* mail = std::get_if<MailRequest>(&request)) {
      const std::string head = mail->message.substr(0, mail->message.find("\r\n\r\n"));
      EXPECT_EQ(head.find("\nX-Evil"), std::string::npos) << head;
      EXPECT_TRUE(mail->to.find_first_of("\r\n") == std::string::npos);
      for (std::size_t i = 0; i < mail->message.size(); ++i) {
        if (mail->message[i] == '\n') {
          EXPECT_EQ(mail->message[i - 1], '\r');
        }
        if (mail->message[i] == '\r') {
          EXPECT_EQ(mail->message[i + 1], '\n');
        }
      }
    }
  }
};

TEST_F(EveryChannel, IsInTheTableOfThisTest) {
  std::vector<std::string_view> kinds;
  for (const Kind& k : kKinds) kinds.push_back(k.kind);
  EXPECT_EQ(kinds, channel_kinds());
  EXPECT_EQ(find_channel("pigeon"), nullptr);
}

TEST_F(EveryChannel, TakesTheWordsThatAllTake) {
  for (const Kind& k : kKinds) {
    EXPECT_EQ(problems(k.kind, k.config), "") << k.kind;
    for (const char* message :
         {"null", R"("a text")", "{}",
          R"({"title": "T", "text": "X", "link": "https://l", "severity": "bad"})"}) {
      const auto made = try_ask(k.kind, json(k.config), json(message), k.to);
      EXPECT_TRUE(made) << k.kind << " " << message << (made ? "" : made.error().message);
      if (made) expect_whole(k, *made);
    }
  }
}

// Templates pass parameters on, which are "" when nobody gave them, and texts when they are lists.
TEST_F(EveryChannel, TakesEmptyFieldsForNoneAndJsonForLists) {
  for (const Kind& k : kKinds) {
    value::Map config = json(k.config).map();
    config.set("insecureSkipVerify", "");
    const auto plain = try_ask(k.kind, json(k.config), {}, k.to);
    const auto empty = try_ask(k.kind, config, json(R"({"title": "", "text": "", "link": "",
        "severity": ""})"),
                               k.to);
    ASSERT_TRUE(plain && empty) << k.kind;
    EXPECT_EQ(body_of(*plain), body_of(*empty)) << k.kind;
  }
  EXPECT_EQ(
      ask("slack", R"({"url": "https://a"})", R"({"text": "x", "blocks": "[{\"a\": 1}]"})").body,
      R"({"text":"x","blocks":[{"a":1}]})");
  EXPECT_EQ(refusal("slack", R"({"url": "https://a"})", R"({"blocks": "no"})"),
            "message.blocks: want a list");
}

TEST_F(EveryChannel, TellsOfWhatIsMissingOrMisspelled) {
  for (const Kind& k : kKinds) {
    EXPECT_NE(problems(k.kind, "{}"), "") << k.kind;
    EXPECT_NE(refusal(k.kind, "{}", "null", k.to), "") << k.kind;
    value::Map config = json(k.config).map();
    config.set("nonsense", 1);
    EXPECT_EQ(problems(k.kind, value::to_json(config)), "nonsense: unknown field") << k.kind;
    EXPECT_TRUE(try_ask(k.kind, config, {}, k.to)) << "is no reason not to send";
    EXPECT_EQ(refusal(k.kind, k.config, R"({"titel": "x"})", k.to),
              "message.titel: unknown field; did you mean \"title\"?")
        << k.kind;
    EXPECT_EQ(refusal(k.kind, k.config, "[1]", k.to), "message: want a text or a map") << k.kind;
    EXPECT_EQ(refusal(k.kind, k.config, R"({"link": "javascript:x"})", k.to),
              "message.link: want a URL, http:// or https://");
  }
}

TEST_F(EveryChannel, KeepsWithinItsServicesLimits) {
  const std::string wide(60'000, 'x');
  std::string worst;
  for (int i = 0; i < 5000; ++i) worst += "\"<&*世😀\n";
  for (const Kind& k : kKinds) {
    for (const std::string& text : {wide, worst}) {
      for (const char* field : {"text", "title"}) {
        std::string given = text;
        if (std::string_view(field) == "title") std::ranges::replace(given, '\n', ' ');
        const auto made = try_ask(k.kind, json(k.config), value::Map{{field, given}}, k.to);
        ASSERT_TRUE(made) << k.kind << made.error().message;
        expect_whole(k, *made);
        if (k.kind == "email" || k.bytes_max == kAny) continue;
        EXPECT_LE(body_of(*made).size(), k.bytes_max) << k.kind << " " << field;
      }
    }
  }
}

TEST_F(EveryChannel, IsNotBrokenByWhatAStepPrints) {
  std::string evil = "x\r\nX-Evil: 1\r\n\r\n--=_tiphys_mixed\r\n.\r\n\xff\xfe\x1b[2J \"]}'";
  evil += '\0';
  fail_with("log", evil);
  fail_with("message", evil);
  fail_with("displayName", evil);
  value::Map event = notice.event.map();
  value::Map workflow = event.find("workflow")->map();
  workflow.set("name", evil);
  workflow.set("message", evil);
  workflow.set("uid", evil);
  event.set("workflow", workflow);
  notice.event = event;
  for (const Kind& k : kKinds) {
    const auto made = try_ask(k.kind, json(k.config), {}, k.to);
    ASSERT_TRUE(made) << k.kind << made.error().message;
    expect_whole(k, *made);
  }
}

TEST_F(EveryChannel, TakesReferencesToSecretsWhereItChecks) {
  const char* secret = R"({"secretKeyRef": {"name": "s", "key": "k"}})";
  const std::map<std::string_view, std::string_view> fields = {
      {"cloudevents", "url"}, {"dingtalk", "url"},         {"discord", "url"}, {"feishu", "url"},
      {"lark", "url"},        {"mattermost", "url"},       {"ntfy", "topic"},  {"slack", "url"},
      {"teams", "url"},       {"pagerduty", "routingKey"}, {"webhook", "url"}, {"wecom", "url"}};
  for (const auto& [kind, field] : fields) {
    EXPECT_EQ(problems(kind, fmt::format(R"({{"{}": {}}})", field, secret)), "") << kind;
    EXPECT_NE(problems(kind, fmt::format(R"({{"{}": {{"secretKeyRef": {{}}}}}})", field)), "");
    EXPECT_EQ(find_channel(kind)->destinations(json("{}"), {}), std::vector<std::string>{""});
  }
  EXPECT_EQ(problems("email", fmt::format(R"({{"host": {0}, "port": {0}, "security": {0},
      "username": {0}, "password": {0}, "from": {0}, "to": "a@b"}})",
                                          secret)),
            "");
  EXPECT_EQ(problems("email", fmt::format(R"({{"host": "h", "from": "a@b", "to": {}}})", secret)),
            "to: want a list of texts, or one text with commas between");
}

}  // namespace
}  // namespace tiphys::notify
