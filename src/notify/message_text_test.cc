// What a step printed must arrive readable, whole characters only, and mean nothing but itself.
#include "notify/message_text.h"

#include <gtest/gtest.h>

#include "net/http_text.h"
#include "notify/channel/channel_fixture.h"

namespace tiphys::notify {
namespace {

TEST(CleanText, TakesOutTerminalEscapesAndControls) {
  EXPECT_EQ(clean_text("\x1b[1;31mred\x1b[0m \x1b]0;title\x07ok\x00\x01\x7f"), "red ok");
  EXPECT_EQ(clean_text("a\r\nb\rc\td\n\n"), "a\nb\nc\td");
  EXPECT_EQ(clean_text("\x1b"), "");
  EXPECT_EQ(clean_text("\x1b["), "");
  EXPECT_EQ(clean_text("abc\xe2\x80\xae"
                       "cba"),
            "abccba")
      << "a right-to-left override";
  EXPECT_EQ(clean_text("caf\xc3"), "caf\xef\xbf\xbd") << "half a character";
  EXPECT_EQ(clean_text("grüße 世界"), "grüße 世界");
}

TEST(CleanLine, IsOneLine) { EXPECT_EQ(clean_line("a\n\n\tb  c\r\n"), "a b  c"); }

TEST(FitText, CutsAtAWholeCharacterWithinTheLimit) {
  EXPECT_EQ(fit_text("hello", {5}), "hello");
  EXPECT_EQ(fit_text("hello!", {5}), "he…");
  EXPECT_EQ(fit_text("世界世界", {12}), "世界世界");
  EXPECT_EQ(fit_text("世界世界", {11}), "世界…");
  EXPECT_EQ(fit_text("世界世界", {8}), "世…");
  EXPECT_EQ(fit_text("hello", {2}), "") << "no room for an ellipsis";
  for (std::size_t max = 0; max < 30; ++max) {
    const std::string text = fit_text("a世é😀b<&>c世é😀", {max}, escape_html);
    EXPECT_LE(text.size(), max);
    EXPECT_EQ(clean_text(text), text) << "valid UTF-8";
  }
}

TEST(FitText, CountsAsTheServiceDoes) {
  const TextLimit three = {.max = 3, .unit = TextLimit::Unit::kUtf16};
  EXPECT_EQ(fit_text("世界世", three), "世界世");
  EXPECT_EQ(fit_text("世界世界", three), "世界…");
  EXPECT_EQ(fit_text("😀😀", three), "😀…") << "two units each";
}

TEST(FitText, EndsInsideOfNoEscape) {
  EXPECT_EQ(fit_text("a<b", {6}, escape_html), "a&lt;b");
  EXPECT_EQ(fit_text("<<<", {8}, escape_html), "&lt;…");
  EXPECT_EQ(fit_text("a*b*", {6}, escape_markdown), "a\\*b\\*");
  EXPECT_EQ(fit_text("a*b*c", {6}, escape_markdown), "a\\*…");
  EXPECT_EQ(fit_text("(1-2)!", {20}, escape_markdown_v2), "\\(1\\-2\\)\\!");
}

TEST(FitBody, ShrinksTheTextUntilTheWholeFits) {
  const std::string text(1000, '"');
  const auto make = [](const std::string& t) { return "{" + value::to_json(t) + "}"; };
  auto body = fit_body(text, 5000, 300, make);
  ASSERT_TRUE(body);
  EXPECT_LE(body->size(), 300U);
  EXPECT_GT(body->size(), 200U) << "no more is cut than needed";
  EXPECT_TRUE(body->ends_with("…\"}"));
  EXPECT_FALSE(fit_body("x", 10, 5, [](const std::string&) { return std::string(6, 'x'); }));
}

struct WordsTest : ChannelTest {};

TEST_F(WordsTest, OfAUserReplaceTheDefaultOnes) {
  EXPECT_EQ(words_of(notice, {}).title, "ci-7xk2p Failed");
  EXPECT_EQ(words_of(notice, json(R"({"title": "T"})")).title, "T");
  EXPECT_EQ(words_of(notice, json(R"({"title": "T"})")).text, words_of(notice, {}).text);
  const Words own = words_of(notice, json(R"("just this\n")"));
  EXPECT_EQ(own.text, "just this");
  EXPECT_EQ(own.title, "");
  EXPECT_EQ(own.link, "");
  const Words map = words_of(notice, json(R"({"text": {"a": 1}, "severity": "good"})"));
  EXPECT_EQ(map.text, "{\"a\":1}");
  EXPECT_EQ(map.severity, DefaultMessage::Severity::kGood);
}

TEST(HttpText, KnowsUrlsAndHeaders) {
  for (const char* good : {"http://a", "https://a/b?c=d", "HTTPS://a", "http://[::1]:80/"}) {
    EXPECT_TRUE(is_http_url(good)) << good;
  }
  for (const char* bad : {"", "a", "ftp://a", "http:///a", "http://", "https://?", "file:///etc",
                          "http://a b", "http://a\r\nX: y", "javascript://x", "http//a"}) {
    EXPECT_FALSE(is_http_url(bad)) << bad;
  }
  EXPECT_FALSE(is_header_text("a\nb"));
  EXPECT_FALSE(is_header_text("a\rb"));
  EXPECT_TRUE(is_header_text("a\tb é"));
  EXPECT_FALSE(is_header_name("a:"));
  EXPECT_EQ(net::uri_encoded("a b/é~"), "a%20b%2F%C3%A9~");
}

}  // namespace
}  // namespace tiphys::notify
