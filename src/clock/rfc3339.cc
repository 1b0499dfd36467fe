#include "clock/rfc3339.h"

#include <fmt/format.h>

#include "clock/civil.h"

namespace tiphys::clock {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Reads a text from the front; `ok` turns false at the first thing that is not there.
struct Reader {
  std::string_view rest;
  bool ok = true;

  int number(std::size_t digits, int most) {
    int v = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (rest.size() <= i || !is_digit(rest[i])) return ok = false, 0;
      v = v * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(digits);
    ok = ok && v <= most;
    return v;
  }
  void expect(char c) {
    ok = ok && rest.starts_with(c);
    if (ok) rest.remove_prefix(1);
  }
  bool accept(char c) {
    if (!ok || !rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  }
  std::int64_t nanoseconds() {
    std::int64_t v = 0;
    int digits = 0;
    for (; !rest.empty() && is_digit(rest[0]); rest.remove_prefix(1), ++digits) {
      if (digits < 9) v = v * 10 + (rest[0] - '0');
    }
    ok = ok && digits > 0;
    for (; digits < 9; ++digits) v *= 10;
    return v;
  }
};

}  // namespace

// Two of them stand in the row of each node, so they are written without a format.
std::string rfc3339(Instant t) {
  const Civil c = civil_utc(t);
  std::string text = "0000-00-00T00:00:00Z";
  const auto put = [&text](std::size_t last, int v) {
    for (; v > 0; v /= 10) text[last--] = static_cast<char>('0' + v % 10);
  };
  put(3, c.year);
  put(6, c.month);
  put(9, c.day);
  put(12, c.hour);
  put(15, c.minute);
  put(18, c.second);
  return text;
}

std::string rfc3339_micro(Instant t) {
  const Civil c = civil_utc(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", c.year, c.month, c.day, c.hour,
                     c.minute, c.second, c.nanosecond / 1000);
}

diag::Result<Instant> parse_rfc3339(std::string_view text) {
  Reader in{text};
  Civil c;
  c.year = in.number(4, 9999);
  in.expect('-');
  c.month = in.number(2, 12);
  in.expect('-');
  c.day = in.number(2, 31);
  in.expect('T');
  c.hour = in.number(2, 23);
  in.expect(':');
  c.minute = in.number(2, 59);
  in.expect(':');
  c.second = in.number(2, 59);
  if (in.accept('.') || in.accept(',')) c.nanosecond = in.nanoseconds();
  if (!in.accept('Z')) {
    const bool east = in.accept('+');
    if (!east) in.expect('-');
    const int hours = in.number(2, 24);
    in.expect(':');
    const int minutes = in.number(2, 60);
    c.offset_seconds = (hours * 60 + minutes) * (east ? 60 : -60);
  }
  const auto t = in.ok && in.rest.empty() ? instant_of(c) : std::nullopt;
  if (!t) {
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("parsing time \"{}\" as RFC 3339 failed", text));
  }
  return *t;
}

}  // namespace tiphys::clock
