// What a channel would refuse in a message is told before there is one to send.
#include <gmock/gmock.h>

#include "notify/channel/channel_fixture.h"

namespace tiphys::notify {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> told(std::string_view kind, std::string_view message) {
  return find_channel(kind)->problems_of_message(json(message));
}

TEST(MessageFields, AMisspeltNameIsTold) {
  EXPECT_THAT(told("webhook", R"({"titel": "x"})"),
              ElementsAre("titel: unknown field; did you mean \"title\"?"));
  EXPECT_THAT(told("email", R"({"blocks": []})"), ElementsAre("blocks: unknown field"));
  EXPECT_THAT(told("slack", R"({"blocks": []})"), IsEmpty());
}

TEST(MessageFields, AValueOfAWrongKindIsTold) {
  EXPECT_THAT(
      told("webhook", R"({"severity": "awful", "headers": "x"})"),
      ElementsAre("severity: want one of good, bad, info", "headers: want names with a text each"));
}

TEST(MessageFields, WhatATagBecomesIsNotKnown) {
  EXPECT_THAT(told("webhook", R"({"severity": "{{workflow.labels.how}}", "link": "{{workflow.url}}",
                                  "headers": {"X-A": "{{attempt}}"}})"),
              IsEmpty());
  EXPECT_THAT(told("webhook", R"({"sverity": "{{workflow.labels.how}}"})"),
              ElementsAre("sverity: unknown field; did you mean \"severity\"?"));
}

TEST(MessageFields, ATextIsAMessageOfEveryKind) {
  for (const std::string_view kind : channel_kinds()) {
    EXPECT_THAT(told(kind, R"("hello")"), IsEmpty()) << kind;
    EXPECT_THAT(told(kind, "null"), IsEmpty()) << kind;
    EXPECT_THAT(told(kind, R"({"title": "t", "text": "x", "severity": "bad"})"), IsEmpty()) << kind;
  }
}

}  // namespace
}  // namespace tiphys::notify
