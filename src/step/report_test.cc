// The report of tiphys-step: what goes in comes out, and nothing else is taken for one.
#include "step/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::step {
namespace {

Report full_report() {
  return {.exit_code = 3,
          .exec_error = 0,
          .started_at = 1'700'000'000'000'000'001,
          .finished_at = 1'700'000'001'000'000'002,
          .result = "two\nlines\n",
          .message = "no space",
          .problem = "",
          .files = {{.path = "/tmp/a b", .mode = 0755, .text = std::string("\0\xff\n", 3)},
                    {.kind = FileEntry::Kind::kFolder, .path = "/tmp/d", .mode = 0700},
                    {.kind = FileEntry::Kind::kLink, .path = "/tmp/l", .text = "a b"}},
          .sent = {"large", "a b"}};
}

TEST(Report, ComesBackAsItWas) {
  const Report in = full_report();
  const auto out = decode(encode(in));
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(out->exit_code, 3);
  EXPECT_EQ(out->started_at, in.started_at);
  EXPECT_EQ(out->finished_at, in.finished_at);
  EXPECT_EQ(out->result, in.result);
  EXPECT_EQ(out->message, in.message);
  ASSERT_EQ(out->files.size(), 3U);
  EXPECT_EQ(out->files[0].path, "/tmp/a b");
  EXPECT_EQ(out->files[0].text, in.files[0].text);
  EXPECT_EQ(out->files[0].mode, 0755U);
  EXPECT_EQ(out->files[1].kind, FileEntry::Kind::kFolder);
  EXPECT_EQ(out->files[2].text, "a b");
  EXPECT_EQ(out->sent, in.sent);
}

TEST(Report, AnEmptyResultIsNotNone) {
  EXPECT_EQ(decode(encode({.result = ""}))->result, "");
  EXPECT_EQ(decode(encode({}))->result, std::nullopt);
}

TEST(Report, IsTakenWholeOrNotAtAll) {
  const std::string whole = encode(full_report());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode(std::string_view(whole).substr(0, size))) << size;
  }
  for (const char* other :
       {"", "done", "tiphys 2\nexit 0\nend\n", "tiphys 1\nfile 7777 99999999999999 /x\nend\n",
        "tiphys 1\nexit x\nend\n"}) {
    EXPECT_FALSE(decode(other)) << other;
  }
}

TEST(Report, GoesThroughALog) {
  const std::string text = encode({.result = std::string(10'000, 'x')});
  std::string back;
  const std::vector<std::string> lines = log_lines(text, "abc");
  for (const std::string& line : lines) {
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto found = marked(line, "abc");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->kind, Marked::Kind::kReport);
    back += found->text;
  }
  EXPECT_EQ(back, text);
  EXPECT_EQ(lines_in_log(log_notice(lines.size())), lines.size());
}

TEST(Report, WordsOfAStepAreNoReport) {
  const std::string line = log_lines("tiphys 1\nexit 0\n", "abc").front();
  EXPECT_FALSE(marked(line, "abd"));
  EXPECT_FALSE(marked("exit 0", "abc"));
  EXPECT_FALSE(lines_in_log("7 lines of a report"));
  EXPECT_FALSE(lines_in_log(""));
}

TEST(Report, TellsProgress) {
  const auto found = marked(progress_line("3/7", "abc"), "abc");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, Marked::Kind::kProgress);
  EXPECT_EQ(found->text, "3/7");
}

}  // namespace
}  // namespace tiphys::step
