// Nobody makes a link who has not the key, and none works for longer than it says.
#include "notify/action_link.h"

#include <gtest/gtest.h>

#include "notify/actions.h"
#include "value/json.h"

namespace tiphys::notify {

namespace {

constexpr clock::Instant kNow{1'700'000'000'000'000'000};
const LinkedAction kAction{.verb = "resume",
                           .uid = "0b1c-22",
                           .node = "gate-123",
                           .started_at = "2026-11-26T15:00:00Z",
                           .expires_at = kNow + clock::Duration::seconds(60)};

}  // namespace

TEST(ActionLink, ComesBackAsItWasMade) {
  const std::string token = action_token(kAction, "key");
  const auto read = read_action_token(token, "key", kNow);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->verb, "resume");
  EXPECT_EQ(read->uid, "0b1c-22");
  EXPECT_EQ(read->node, "gate-123");
  EXPECT_EQ(read->started_at, "2026-11-26T15:00:00Z");
}

TEST(ActionLink, ExpiresAndCannotBeChanged) {
  const std::string token = action_token(kAction, "key");
  EXPECT_FALSE(read_action_token(token, "key", kNow + clock::Duration::seconds(60)));
  EXPECT_FALSE(read_action_token(token, "another", kNow));
  EXPECT_FALSE(read_action_token(token, "", kNow));
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(read_action_token(changed, "key", kNow)) << changed;
    EXPECT_FALSE(read_action_token(token.substr(0, i), "key", kNow)) << i;
  }
  // Without a key nothing is signed, so nothing is accepted.
  EXPECT_FALSE(read_action_token(action_token(kAction, ""), "", kNow));
}

TEST(ActionLink, StandsInEventsThatWait) {
  const auto event = *value::parse_json(
      R"({"type": "node.waiting", "workflow": {"name": "w", "namespace": "n", "uid": "u",
          "startedAt": "2026-01-01T00:00:00Z"},
          "node": {"id": "w-1", "startedAt": "2026-01-01T00:00:05Z"}})");
  const auto with = with_actions(event, "", {.base = "https://t/", .key = "key"}, kNow);
  for (const std::string verb : {"resume", "stop"}) {
    const std::string url(with["actions"][verb + "Url"].string_or(""));
    const std::string begin = "https://t/actions/" + verb + "~u~";
    ASSERT_TRUE(url.starts_with(begin)) << url;
    const auto read = read_action_token(url.substr(std::string("https://t/actions/").size()), "key",
                                        kNow + clock::Duration::seconds(7 * 24 * 3600 - 1));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->node, "w-1");
    EXPECT_EQ(read->started_at, "2026-01-01T00:00:05Z");
  }
  EXPECT_TRUE(with_actions(event, "", {}, kNow)["actions"]["resumeUrl"].is_null());
}

}  // namespace tiphys::notify
