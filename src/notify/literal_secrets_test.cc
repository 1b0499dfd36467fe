// A secret that was written into a manifest is told and not shown.
#include "notify/literal_secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "notify/secrets_fill.h"
#include "value/json.h"

namespace tiphys::notify {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> found(const char* kind, const std::string& config) {
  std::vector<std::string> out;
  const auto parsed = value::parse_json(config);
  EXPECT_TRUE(parsed) << config;
  for (const LiteralSecret& s : literal_secrets(kind, parsed.value_or(value::Value()))) {
    out.push_back(s.pointer + " " + s.text);
  }
  return out;
}

TEST(LiteralSecrets, AreKnownByNameAndForm) {
  EXPECT_THAT(found("slack", R"({"token": "xoxb-1", "channel": "#c"})"),
              ElementsAre("/token xoxb-1"));
  EXPECT_THAT(found("webhook", R"({"url": "https://u:pw@h.example/in", "signingSecrets": ["a", "b"],
                                   "headers": {"X-Api-Key": "k", "Accept": "x", "Auth": "Bearer t",
                                               "Idempotency-Key": "i"}})"),
              ElementsAre("/url u:pw", "/signingSecrets/0 a", "/signingSecrets/1 b",
                          "/headers/X-Api-Key k", "/headers/Auth Bearer t"));
  EXPECT_THAT(found("discord", R"({"url": "https://discord.example/api/webhooks/1/x"})"),
              ElementsAre("/url https://discord.example/api/webhooks/1/x"));
  EXPECT_THAT(
      found("command", R"({"command": ["x"], "env": {"API_TOKEN": "t", "ANY": "whsec_x"}})"),
      ElementsAre("/env/API_TOKEN t", "/env/ANY whsec_x"));
  EXPECT_THAT(found("", R"({"url": "http://h.example/", "headers": [
                  {"name": "Authorization", "value": "x y"}, {"name": "Accept", "value": "z"}]})"),
              ElementsAre("/headers/0/value x y"));
}

TEST(LiteralSecrets, ReferencesAndPlainTextsAreNone) {
  EXPECT_THAT(found("slack", R"({"token": {"secretKeyRef": {"name": "secret", "key": "token"}}})"),
              IsEmpty());
  EXPECT_THAT(found("webhook", R"({"url": "https://h.example/in?a=b@c:d"})"), IsEmpty());
  EXPECT_THAT(found("webhook", R"({"url": "https://user@h.example/in"})"), IsEmpty());
  EXPECT_THAT(found("slack", R"({"url": "http://127.0.0.1:9000/slack"})"), IsEmpty());
  EXPECT_THAT(found("email", R"({"host": "mail.example", "port": 587, "username": "ci"})"),
              IsEmpty());
}

TEST(LiteralSecrets, AreRedactedAtAnyDepth) {
  const auto config = *value::parse_json(
      R"({"url": "https://me:pl4nted@h.example/in", "headers": {"Authorization": "Bearer pl4nted2"},
          "to": ["a"]})");
  std::vector<std::string> secrets;
  add_literal_secrets("webhook", config, secrets);
  EXPECT_EQ(value::to_json(redacted(config, secrets)),
            R"({"headers":{"Authorization":"***"},"to":["a"],"url":"https://***@h.example/in"})");
  EXPECT_EQ(redacted(std::string("got pl4nted and pl4nted2"), secrets), "got *** and ***");
}

}  // namespace
}  // namespace tiphys::notify
