// judge_http() of channel.h.
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "clock/civil.h"
#include "notify/channel.h"
#include "notify/message_text.h"

namespace tiphys::notify {

namespace {

constexpr std::size_t kBodyShown = 200;
// A service cannot put us off for longer; a mistake in its clock must not park a message for ever.
constexpr clock::Duration kRetryAfterMax = clock::Duration::seconds(24 * 3600);

// The number that `text` is, of digits only; -1 for other texts.
std::int64_t number_of(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  return is_whole && text[0] != '-' ? out : -1;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

int month_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == name) return static_cast<int>(i) + 1;
  }
  return 0;
}

// The three forms of RFC 9110, section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`,
// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
std::optional<clock::Instant> parse_http_date(std::string_view text) {
  std::vector<std::string_view> parts = split(text, " ,-:");
  if (parts.size() == 7 && month_of(parts[1]) != 0) {
    // of C's asctime(): no comma, the year last
    parts = {parts[0], parts[2], parts[1], parts[6], parts[3], parts[4], parts[5], "GMT"};
  }
  if (parts.size() == 7 && month_of(parts[1]) == 0) parts.clear();
  if (parts.size() != 8 || parts[7] != "GMT") return std::nullopt;
  clock::Civil c;
  c.day = static_cast<int>(number_of(parts[1]));
  c.month = month_of(parts[2]);
  c.year = static_cast<int>(number_of(parts[3]));
  if (parts[3].size() == 2) c.year += c.year < 70 ? 2000 : 1900;
  c.hour = static_cast<int>(number_of(parts[4]));
  c.minute = static_cast<int>(number_of(parts[5]));
  c.second = static_cast<int>(number_of(parts[6]));
  if (c.month == 0 || c.hour < 0 || c.hour > 23 || c.minute < 0 || c.minute > 59 || c.second < 0 ||
      c.second > 60) {
    return std::nullopt;
  }
  return clock::instant_of(c);
}

std::optional<clock::Duration> retry_after(const Answer& answer, clock::Instant now) {
  for (const auto& [name, text] : answer.headers) {
    if (name != "retry-after") continue;
    const std::int64_t seconds = number_of(text);
    const bool is_number =
        !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    if (is_number && (seconds < 0 || seconds > kRetryAfterMax.ns / 1'000'000'000)) {
      return kRetryAfterMax;
    }
    if (is_number) return clock::Duration::seconds(seconds);
    if (const auto at = parse_http_date(text)) {
      return std::clamp(*at - now, clock::Duration{}, kRetryAfterMax);
    }
  }
  return std::nullopt;
}

std::string reason_of(const Answer& answer) {
  if (!answer.error.empty()) return clean_line(answer.error);
  const std::string body = fit_text(clean_line(answer.body), {kBodyShown});
  return body.empty() ? fmt::format("HTTP status {}", answer.status)
                      : fmt::format("HTTP status {}: {}", answer.status, body);
}

}  // namespace

Verdict judge_http(const Answer& answer, clock::Instant now) {
  using Kind = Verdict::Kind;
  const int status = answer.status;
  if (!answer.error.empty() || status == 0) {
    return {.kind = Kind::kRetry, .reason = answer.error.empty() ? "no answer" : reason_of(answer)};
  }
  if (status >= 200 && status < 300) return {};
  if (status == 408 || status == 425 || status == 429 || status >= 500) {
    return {
        .kind = Kind::kRetry, .reason = reason_of(answer), .retry_after = retry_after(answer, now)};
  }
  return {.kind = Kind::kRefused, .reason = reason_of(answer)};
}

}  // namespace tiphys::notify
