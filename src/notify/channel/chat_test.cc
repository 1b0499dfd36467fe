// Chats outside of China: what is sent to the byte, what each service's answer means.
#include "notify/channel/channel_fixture.h"

namespace tiphys::notify {
namespace {

using Kind = Verdict::Kind;

struct ChatTest : ChannelTest {
  ChatTest() {
    notice.event = json(R"({"type": "workflow.failed", "workflow":
        {"name": "w<1>", "phase": "Failed", "message": "a*b & @everyone", "url": "https://t/w"}})");
  }
};

struct SlackTest : ChatTest {
  static constexpr const char* kToken = R"({"token": "xoxb", "channel": "#a, C2"})";
};

TEST_F(SlackTest, SendsToAWebhook) {
  EXPECT_EQ(ask("slack", R"({"url": "https://s"})").body,
            R"({"text":"*<https://t/w|w&lt;1&gt; Failed>*","attachments":[{"color":"#D73A49",)"
            R"("blocks":[{"type":"section","text":{"type":"plain_text",)"
            R"("text":"Phase: Failed\nMessage: a*b & @everyone","emoji":false}}]}]})");
  EXPECT_EQ(ask("slack", R"({"url": "https://s"})", R"("*done* <@U1>")").body,
            R"({"text":"*done* <@U1>"})");
  EXPECT_EQ(ask("slack", R"({"url": "https://s"})", R"({"text": "x", "title": "T"})").body,
            R"({"text":"*T*\nx"})");
  EXPECT_EQ(ask("slack", R"({"url": "https://s"})", R"({"text": "x", "blocks": [{"a": 1}]})").body,
            R"({"text":"x","blocks":[{"a":1}]})");
}

TEST_F(SlackTest, SendsToEachChannelOfABot) {
  EXPECT_EQ(find_channel("slack")->destinations(json(kToken), {}),
            (std::vector<std::string>{"#a", "C2"}));
  EXPECT_EQ(find_channel("slack")->destinations(json(kToken), json(R"({"channel": "#b"})")),
            (std::vector<std::string>{"#b"}));
  const HttpRequest r = ask("slack", kToken, R"("x")", "#a");
  EXPECT_EQ(r.url, "https://slack.com/api/chat.postMessage");
  EXPECT_EQ(header(r, "Authorization"), "Bearer xoxb");
  EXPECT_EQ(r.body, R"({"channel":"#a","unfurl_links":false,"text":"x"})");
  EXPECT_EQ(refusal("slack", R"({"token": "x"})"), "channel: required with a token");
  EXPECT_EQ(refusal("slack", R"({"token": "x\r\ny"})", "null", "#a"),
            "token: has a line break or control character");
}

TEST_F(SlackTest, KeepsAWorkflowInOneThread) {
  const char* memory = R"({"ts": "1.2", "channel": "C1"})";
  EXPECT_EQ(ask("slack", kToken, R"("x")", "#a", memory).body,
            R"({"channel":"#a","thread_ts":"1.2","unfurl_links":false,"text":"x"})");
  EXPECT_EQ(ask("slack", R"({"token": "x", "thread": false})", R"("x")", "#a", memory).body,
            R"({"channel":"#a","unfurl_links":false,"text":"x"})");
  const Verdict first =
      judge("slack", 200, R"({"ok": true, "channel": "C1", "ts": "1.2", "message": {}})");
  EXPECT_EQ(first.kind, Kind::kDelivered);
  EXPECT_EQ(first.memory, json(memory));
  const Verdict reply = judge("slack", 200, R"({"ok": true, "channel": "C1", "ts": "3.4",
      "message": {"thread_ts": "1.2"}})");
  EXPECT_EQ(reply.memory, json(memory)) << "the thread goes on, not the reply";
}

TEST_F(SlackTest, UpdatesAMessageInPlace) {
  const char* config = R"({"token": "x", "update": true, "username": "ci"})";
  EXPECT_EQ(ask("slack", config, R"("x")", "#a").url, "https://slack.com/api/chat.postMessage");
  const HttpRequest r = ask("slack", config, R"("x")", "#a", R"({"ts": "1.2", "channel": "C1"})");
  EXPECT_EQ(r.url, "https://slack.com/api/chat.update");
  EXPECT_EQ(r.body, R"({"channel":"C1","ts":"1.2","text":"x"})");
}

TEST_F(SlackTest, SaysNoInA200) {
  const Verdict no = judge("slack", 200, R"({"ok": false, "error": "channel_not_found"})");
  EXPECT_EQ(no.kind, Kind::kRefused);
  EXPECT_EQ(no.reason, "Slack: channel_not_found");
  const Verdict later = judge("slack", 200, R"({"ok": false, "error": "ratelimited"})");
  EXPECT_EQ(later.kind, Kind::kRetry);
  EXPECT_EQ(later.retry_after->in_seconds(), 30);
  EXPECT_EQ(judge("slack", 429, R"({"ok": false, "error": "ratelimited"})", {{"retry-after", "9"}})
                .retry_after->in_seconds(),
            9);
  EXPECT_EQ(judge("slack", 200, "ok").kind, Kind::kDelivered);
  EXPECT_EQ(judge("slack", 404, "no_service").kind, Kind::kRefused);
}

TEST_F(SlackTest, HasProblems) {
  EXPECT_EQ(problems("slack", "{}"), "url: required (an incoming webhook), or a token");
  EXPECT_EQ(problems("slack", R"({"url": "https://a", "token": "x"})"),
            "url: not with a token; apiUrl is the API's");
  EXPECT_EQ(problems("slack", R"({"url": "https://a", "update": true})"), "update: needs a token");
}

TEST_F(ChatTest, Mattermost) {
  EXPECT_EQ(ask("mattermost", R"({"url": "https://m", "channel": "town"})").body,
            R"({"channel":"town","attachments":[{"fallback":"w<1> Failed","color":"#D73A49",)"
            R"("title":"w<1> Failed","title_link":"https://t/w",)"
            R"("text":"Phase: Failed\nMessage: a\\*b & @everyone"}]})");
  EXPECT_EQ(ask("mattermost", R"({"url": "https://m"})", R"("**x**")").body, R"({"text":"**x**"})");
  const auto message = *value::parse_json(R"({"text": "x", "channel": ["town", "@ann"]})");
  EXPECT_EQ(find_channel("mattermost")->destinations({}, message),
            (std::vector<std::string>{"town", "@ann"}));
}

TEST_F(ChatTest, Teams) {
  const value::Value body = json(ask("teams", R"({"url": "https://m"})").body);
  EXPECT_EQ(body["type"].string_or(""), "message");
  const value::Value& card = body["attachments"].list()[0]["content"];
  EXPECT_EQ(value::to_json(card["body"].list()[0], {.escape_html = false}),
            R"({"color":"attention","size":"Large","text":"w\\<1\\> Failed","type":"TextBlock",)"
            R"("weight":"Bolder","wrap":true})");
  EXPECT_EQ(card["body"].list()[1]["text"].string_or(""),
            "Phase: Failed\n\nMessage: a\\*b & @everyone");
  EXPECT_EQ(card["actions"].list()[0]["url"].string_or(""), "https://t/w");
  EXPECT_EQ(
      json(ask("teams", R"({"url": "https://m"})", R"({"card": {"a": 1}})").body)["attachments"]
          .list()[0]["content"],
      json(R"({"a": 1})"));
  EXPECT_EQ(judge("teams", 202, "").kind, Kind::kDelivered);
  EXPECT_EQ(judge("teams", 200, "Microsoft Teams endpoint returned HTTP error 429 with ...").kind,
            Kind::kRetry);
}

TEST_F(ChatTest, Discord) {
  const HttpRequest r = ask("discord", R"({"url": "https://d/w?wait=true", "threadId": 7})");
  EXPECT_EQ(r.url, "https://d/w?wait=true&thread_id=7");
  EXPECT_EQ(r.body, R"({"embeds":[{"title":"w\\<1\\> Failed","url":"https://t/w",)"
                    R"("description":"Phase: Failed\nMessage: a\\*b & @everyone","color":14105161,)"
                    R"("timestamp":"2026-11-26T10:01:05Z"}],"allowed_mentions":{"parse":[]}})");
  EXPECT_EQ(judge("discord", 204, "").kind, Kind::kDelivered);
  const Verdict v = judge("discord", 429, R"({"retry_after": 1.2345})", {{"retry-after", "2"}});
  EXPECT_EQ(v.kind, Kind::kRetry);
  EXPECT_EQ(v.retry_after->ns, 1'235'000'000);
  EXPECT_EQ(judge("discord", 429, "{}", {{"retry-after", "2"}}).retry_after->in_seconds(), 2);
}

TEST_F(ChatTest, Telegram) {
  const HttpRequest r =
      ask("telegram", R"({"token": "1:a", "messageThreadId": 3})", "null", "-100");
  EXPECT_EQ(r.url, "https://api.telegram.org/bot1:a/sendMessage");
  EXPECT_EQ(
      r.body,
      R"({"chat_id":"-100","message_thread_id":3,"text":"<b>w&lt;1&gt; Failed</b>\n)"
      R"(Phase: Failed\nMessage: a*b &amp; @everyone\n<a href=\"https://t/w\">)"
      R"(Open the workflow</a>","parse_mode":"HTML","link_preview_options":{"is_disabled":true}})");
  const auto text = [&](std::string_view config, std::string_view message) {
    return std::string(json(ask("telegram", config, message, "1").body)["text"].string_or(""));
  };
  EXPECT_EQ(text(R"({"token": "1:a", "parseMode": "MarkdownV2"})", "null"),
            "*w<1\\> Failed*\nPhase: Failed\nMessage: a\\*b & @everyone\n"
            "[Open the workflow](https://t/w)");
  EXPECT_EQ(text(R"({"token": "1:a", "parseMode": "none"})", "null"),
            "w<1> Failed\nPhase: Failed\nMessage: a*b & @everyone\nhttps://t/w");
  EXPECT_EQ(text(R"({"token": "1:a"})", R"("<b>x</b>")"), "&lt;b&gt;x&lt;/b&gt;");
  EXPECT_EQ(text(R"({"token": "1:a"})", R"({"text": "<b>x</b>", "parseMode": "HTML"})"),
            "<b>x</b>");
  EXPECT_EQ(find_channel("telegram")->destinations(json(R"({"chatId": [-1, "@b"]})"), {}),
            (std::vector<std::string>{"-1", "@b"}));
  EXPECT_EQ(refusal("telegram", R"({"token": "1:a/../x"})", "null", "1"),
            "token: want NUMBER:LETTERS");
}

TEST_F(ChatTest, TelegramsAnswers) {
  const Verdict v = judge("telegram", 429, R"({"ok": false, "error_code": 429,
      "description": "Too Many Requests", "parameters": {"retry_after": 35}})");
  EXPECT_EQ(v.kind, Kind::kRetry);
  EXPECT_EQ(v.retry_after->in_seconds(), 35);
  EXPECT_EQ(judge("telegram", 200, R"({"ok": true})").kind, Kind::kDelivered);
  EXPECT_EQ(judge("telegram", 200, R"({"ok": false, "description": "no"})").reason, "Telegram: no");
  EXPECT_EQ(judge("telegram", 400, R"({"ok": false, "description": "chat not found"})").kind,
            Kind::kRefused);
}

TEST_F(ChatTest, Ntfy) {
  const HttpRequest r = ask("ntfy", R"({"topic": "t", "url": "https://n/", "token": "tk"})",
                            R"({"title": "Größe", "tags": "a,b", "priority": 5})");
  EXPECT_EQ(r.url, "https://n/t");
  EXPECT_EQ(r.headers, (HeaderList{{"Content-Type", "text/plain; charset=utf-8"},
                                   {"User-Agent", "tiphys"},
                                   {"Title", "=?utf-8?B?R3LDtsOfZQ==?="},
                                   {"Priority", "5"},
                                   {"Tags", "a,b"},
                                   {"Click", "https://t/w"},
                                   {"Authorization", "Bearer tk"}}));
  EXPECT_EQ(r.body, "Phase: Failed\nMessage: a*b & @everyone");
  EXPECT_EQ(
      header(ask("ntfy", R"({"topic": "t", "username": "u", "password": "p"})"), "Authorization"),
      "Basic dTpw");
  const auto message = *value::parse_json(R"({"topic": ["a", "b"]})");
  EXPECT_EQ(find_channel("ntfy")->destinations({}, message), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(refusal("ntfy", R"({"topic": "../x"})"),
            "topic: want 1 to 64 letters, digits, '_' and '-'");
  EXPECT_EQ(refusal("ntfy", R"({"topic": "t"})", R"({"title": "a\r\nX: y"})"),
            "title: has a line break or control character");
}

}  // namespace
}  // namespace tiphys::notify
