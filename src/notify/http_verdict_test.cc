// An answer must lead to what helps: nothing, another attempt at the time the service wants, or
// none.
#include <gtest/gtest.h>

#include "clock/rfc3339.h"
#include "notify/channel.h"

namespace tiphys::notify {
namespace {

using Kind = Verdict::Kind;

const clock::Instant kNow = *clock::parse_rfc3339("1994-11-06T08:49:00Z");

Verdict judge(int status, HeaderList headers = {}, std::string body = "") {
  return judge_http(
      {.status = status, .headers = std::move(headers), .body = std::move(body), .error = ""},
      kNow);
}

// Seconds to wait; -1 when the answer does not say.
double wait_of(const std::string& retry_after) {
  const auto wait = judge(429, {{"retry-after", retry_after}}).retry_after;
  return wait ? wait->in_seconds() : -1;
}

TEST(JudgeHttp, ByStatus) {
  for (const int status : {200, 201, 202, 204}) {
    EXPECT_EQ(judge(status).kind, Kind::kDelivered) << status;
  }
  for (const int status : {408, 425, 429, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(judge(status).kind, Kind::kRetry) << status;
  }
  for (const int status : {301, 302, 304, 307, 400, 401, 403, 404, 405, 410, 413, 422, 199}) {
    EXPECT_EQ(judge(status).kind, Kind::kRefused) << status;
  }
}

TEST(JudgeHttp, OfNoAnswer) {
  const Verdict v =
      judge_http({.status = 0, .headers = {}, .body = "", .error = "connection\nrefused"}, kNow);
  EXPECT_EQ(v.kind, Kind::kRetry);
  EXPECT_EQ(v.reason, "connection refused");
  EXPECT_EQ(judge(0).kind, Kind::kRetry);
  EXPECT_EQ(
      judge_http({.status = 200, .headers = {}, .body = "", .error = "closed half-way"}, kNow).kind,
      Kind::kRetry);
}

TEST(JudgeHttp, SaysWhyOnOneLine) {
  EXPECT_EQ(judge(400, {}, "bad\r\n\x1b[31mthing").reason, "HTTP status 400: bad thing");
  EXPECT_EQ(judge(500).reason, "HTTP status 500");
  EXPECT_LT(judge(500, {}, std::string(60'000, 'x')).reason.size(), 300U);
}

TEST(JudgeHttp, HonoursRetryAfter) {
  EXPECT_EQ(wait_of("0"), 0);
  EXPECT_EQ(wait_of("120"), 120);
  EXPECT_EQ(wait_of("Sun, 06 Nov 1994 08:49:37 GMT"), 37);
  EXPECT_EQ(wait_of("Sunday, 06-Nov-94 08:49:37 GMT"), 37);
  EXPECT_EQ(wait_of("Sun Nov  6 08:49:37 1994"), 37);
  EXPECT_EQ(wait_of("Sun, 06 Nov 1994 08:00:00 GMT"), 0) << "in the past";
  EXPECT_EQ(judge(503, {{"retry-after", "7"}}).retry_after->in_seconds(), 7);
  EXPECT_FALSE(judge(400, {{"retry-after", "7"}}).retry_after);
}

TEST(JudgeHttp, WaitsADayAtMost) {
  EXPECT_EQ(wait_of("86401"), 86400);
  EXPECT_EQ(wait_of("99999999999999999999999999"), 86400);
  EXPECT_EQ(wait_of("Sun, 06 Nov 2094 08:49:37 GMT"), 86400);
}

TEST(JudgeHttp, PassesOverARetryAfterThatIsNone) {
  for (const char* bad :
       {"", "-1", "soon", "1.5", "Sun, 06 Nov 1994", "Sun, 99 Foo 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 28:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 CET", "a,b,c,d,e,f,g,h"}) {
    EXPECT_EQ(wait_of(bad), -1) << bad;
  }
}

}  // namespace
}  // namespace tiphys::notify
