// What docs/NOTIFICATIONS-CHANNELS.md shows must be what is sent: its samples are made here.
//
// UPDATE=1 writes them into the document. With TIPHYS_SAMPLES=FOLDER each request is written there
// as KIND.json, for test/e2e/test_channel_payloads.py, which holds them to the services' own
// libraries.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "notify/channel/channel_fixture.h"
#include "notify/rendering.h"

namespace tiphys::notify {
namespace {

constexpr const char* kDocument = "docs/NOTIFICATIONS-CHANNELS.md";

/// A channel as the document shows it.
struct Sample {
  std::string_view name;
  std::string_view kind;
  std::string_view config;
  std::string_view to = "";
};

constexpr Sample kSamples[] = {
    {"webhook", "webhook",
     R"({"url": "https://hooks.example.com/ci", "signingSecrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]})"},
    {"cloudevents-binary", "cloudevents", R"({"url": "https://events.example.com/"})"},
    {"cloudevents-structured", "cloudevents",
     R"({"url": "https://events.example.com/", "mode": "structured"})"},
    {"email", "email",
     R"({"host": "smtp.example.com", "username": "ci", "password": "-", "from": "CI <ci@example.com>"})",
     "alice@example.com"},
    {"command", "command", R"({"command": ["/usr/local/bin/tell", "--loud"]})"},
    {"slack-webhook", "slack", R"({"url": "https://hooks.slack.com/services/T0/B0/X"})"},
    {"slack-token", "slack", R"({"token": "xoxb-token"})", "#builds"},
    {"wecom", "wecom", R"({"key": "693a91f6"})"},
    {"dingtalk", "dingtalk", R"({"accessToken": "566cc69d", "secret": "SEC1"})"},
    {"feishu", "feishu",
     R"({"url": "https://open.feishu.cn/open-apis/bot/v2/hook/1", "secret": "s"})"},
    {"lark", "lark",
     R"({"url": "https://open.larksuite.com/open-apis/bot/v2/hook/1", "secret": "s"})"},
    {"teams", "teams", R"({"url": "https://prod-1.westeurope.logic.azure.com/workflows/1"})"},
    {"discord", "discord", R"({"url": "https://discord.com/api/webhooks/1/x"})"},
    {"telegram", "telegram", R"({"token": "123456:ABC"})", "-1001234567890"},
    {"telegram-markdown", "telegram", R"({"token": "123456:ABC", "parseMode": "MarkdownV2"})",
     "-1001234567890"},
    {"pagerduty", "pagerduty", R"({"routingKey": "R0123456789ABCDEF0123456789ABCDE"})"},
    {"github", "github",
     R"({"token": "ghp_token", "repo": "octo/app", "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e"})"},
    {"mattermost", "mattermost", R"({"url": "https://chat.example.com/hooks/x"})"},
    {"ntfy", "ntfy", R"({"topic": "builds"})"},
};

struct AsJson {
  value::Value operator()(const HttpRequest& r) const {
    value::Map headers;
    for (const auto& [name, text] : r.headers) headers.set(name, text);
    return value::Map{{"method", r.method}, {"url", r.url}, {"headers", headers}, {"body", r.body}};
  }
  value::Value operator()(const MailRequest& r) const {
    return value::Map{{"from", r.from}, {"to", r.to}, {"message", r.message}};
  }
  value::Value operator()(const CommandRequest& r) const { return value::Map{{"input", r.input}}; }
};

struct SamplesTest : ChannelTest {
  std::string shown(const Sample& s) const {
    auto made = try_ask(s.kind, json(s.config), {}, s.to);
    EXPECT_TRUE(made) << s.name << (made ? "" : made.error().message);
    if (!made) return "";
    if (const char* folder = std::getenv("TIPHYS_SAMPLES")) {
      std::ofstream(fmt::format("{}/{}.json", folder, s.name))
          << value::to_json(std::visit(AsJson(), *made));
    }
    return notify::rendered(*made);
  }
};

std::string read(const char* path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

TEST_F(SamplesTest, AreThoseOfTheDocument) {
  std::string document = read(kDocument);
  ASSERT_FALSE(document.empty()) << kDocument << ": run this from the project's top folder";
  for (const Sample& s : kSamples) {
    const std::string mark = fmt::format("<!-- sample {} -->\n```text\n", s.name);
    const std::size_t found = document.find(mark);
    ASSERT_NE(found, std::string::npos) << mark;
    const std::size_t begin = found + mark.size();
    const std::size_t end = document.find("```\n", begin);
    ASSERT_NE(end, std::string::npos) << mark;
    const std::string want = shown(s);
    if (std::getenv("UPDATE") != nullptr) {
      document.replace(begin, end - begin, want);
    } else {
      EXPECT_EQ(document.substr(begin, end - begin), want) << s.name << "; UPDATE=1 writes it";
    }
  }
  if (std::getenv("UPDATE") != nullptr) std::ofstream(kDocument) << document;
}

TEST_F(SamplesTest, AreOfEveryKind) {
  for (const std::string_view kind : channel_kinds()) {
    const bool is_shown =
        std::ranges::any_of(kSamples, [&](const Sample& s) { return s.kind == kind; });
    EXPECT_TRUE(is_shown) << kind;
  }
}

}  // namespace
}  // namespace tiphys::notify
