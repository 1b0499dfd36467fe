// The default message must say in a few lines what happened, whatever a step printed.
#include "notify/notice.h"

#include <fmt/format.h>

#include "notify/channel/channel_fixture.h"

namespace tiphys::notify {
namespace {

using Severity = DefaultMessage::Severity;

struct DefaultMessageTest : ChannelTest {
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const std::string& line : default_message(notice).lines) out += line + "\n";
    return out;
  }
};

TEST_F(DefaultMessageTest, OfAFailedWorkflow) {
  const DefaultMessage m = default_message(notice);
  EXPECT_EQ(m.severity, Severity::kBad);
  EXPECT_EQ(m.title, "ci-7xk2p Failed");
  EXPECT_EQ(m.link, "https://tiphys.example.com/workflows/prod/ci-7xk2p");
  EXPECT_EQ(text(),
            "Phase: Failed\n"
            "Duration: 1 minute 5 seconds\n"
            "Namespace: prod\n"
            "Message: child 'ci-7xk2p-1' failed\n"
            "Failed step compile (make): Error (exit code 2)\n"
            "  | cc main.c\n"
            "  | main.c:3: error: <b> & \"x\"\n"
            "  | make: *** Error 2\n");
}

TEST_F(DefaultMessageTest, OfOneThatSucceeded) {
  succeed();
  EXPECT_EQ(default_message(notice).severity, Severity::kGood);
  EXPECT_EQ(default_message(notice).title, "ci-7xk2p Succeeded");
  EXPECT_EQ(text(), "Phase: Succeeded\nDuration: 1 minute 5 seconds\nNamespace: prod\n");
}

TEST_F(DefaultMessageTest, OfAnEventThatIsNotAPhase) {
  notice.event = json(R"({"type": "workflow.overdue",
      "workflow": {"name": "w", "phase": "Running", "progress": "1/3", "duration": 4}})");
  EXPECT_EQ(default_message(notice).title, "w overdue (Running)");
  EXPECT_EQ(default_message(notice).severity, Severity::kBad);
  EXPECT_EQ(text(), "Phase: Running\nDuration: 4.0s\nProgress: 1/3\n");
}

TEST_F(DefaultMessageTest, OfANode) {
  notice.event = json(R"json({"type": "node.failed", "workflow": {"name": "w", "phase": "Running"},
      "attempt": 2, "node": {"displayName": "b(0)", "templateName": "make", "phase": "Failed",
      "message": "Error (exit code 1)"}})json");
  EXPECT_EQ(default_message(notice).title, "w: b(0) (make) Failed");
  EXPECT_EQ(text(), "Phase: Failed\nStep: b(0) (make)\nRetry: 2\nMessage: Error (exit code 1)\n");
}

TEST_F(DefaultMessageTest, OfAnEventWithNothingInIt) {
  notice.event = json("{}");
  EXPECT_EQ(text(), "");
  EXPECT_EQ(default_message(notice).severity, Severity::kInfo);
}

TEST_F(DefaultMessageTest, IsShortWhateverAStepPrinted) {
  std::string log;
  for (int i = 0; i < 5000; ++i) log += fmt::format("{} {}\n", i, std::string(500, 'x'));
  fail_with("log", log);
  fail_with("message", std::string(100'000, 'm'));
  EXPECT_LT(text().size(), 4000U);
  EXPECT_NE(text().find("  | 4999 x"), std::string::npos) << "the end of the log";
  EXPECT_EQ(text().find("  | 4989 x"), std::string::npos) << "ten lines of it";
}

TEST_F(DefaultMessageTest, NamesAFewOfManyFailedSteps) {
  value::List failures(100, json(R"({"displayName": "s", "message": "no"})"));
  value::Map event = notice.event.map();
  event.set("failures", failures);
  notice.event = event;
  EXPECT_TRUE(text().ends_with("Failed step s: no\n… and 95 more failed steps\n")) << text();
}

TEST_F(DefaultMessageTest, CannotBeMadeToLookLikeAnother) {
  fail_with("log", "x\rPhase: Succeeded\n\x1b[2J\x1b[Hall is well");
  fail_with("message", "a\nPhase: Succeeded");
  EXPECT_NE(text().find("Failed step compile (make): a Phase: Succeeded\n"
                        "  | x\n  | Phase: Succeeded\n  | all is well\n"),
            std::string::npos)
      << text();
}

}  // namespace
}  // namespace tiphys::notify
