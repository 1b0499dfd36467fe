#include "cron/schedule.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "clock/go_duration.h"
#include "clock/zone.h"

namespace tiphys::cron {

namespace {

constexpr std::uint64_t kStar = 1ULL << 63;
constexpr int kYearsMax = 5;
constexpr int kStepsMax = 200'000;  // more than five years of days, hours and minutes need

struct Bounds {
  unsigned low;
  unsigned high;
  std::vector<std::string_view> names;  // of low, low + 1 ...
};

const std::array<Bounds, 5>& bounds() {
  static const std::array<Bounds, 5> kBounds = {
      {{0, 59, {}},
       {0, 23, {}},
       {1, 31, {}},
       {1,
        12,
        {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
       {0, 6, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}}};
  return kBounds;
}

diag::Error bad(std::string message) { return {diag::Code::kInvalidManifest, std::move(message)}; }

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(by);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  std::size_t at = 0;
  while (at < text.size()) {
    while (at < text.size() && is_blank(text[at])) ++at;
    const std::size_t start = at;
    while (at < text.size() && !is_blank(text[at])) ++at;
    if (at > start) found.push_back(text.substr(start, at - start));
  }
  return found;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

diag::Result<unsigned> number(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  int n = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  const bool has_two_signs = text.starts_with('+') && digits.starts_with('-');
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty() ||
      has_two_signs) {
    return std::unexpected(bad(fmt::format("failed to parse int from {}: invalid syntax", text)));
  }
  if (n < 0)
    return std::unexpected(bad(fmt::format("negative number ({}) not allowed: {}", n, text)));
  return static_cast<unsigned>(n);
}

diag::Result<unsigned> number_or_name(std::string_view text, const Bounds& b) {
  const std::string name = lower(text);
  for (std::size_t i = 0; i < b.names.size(); ++i) {
    if (b.names[i] == name) return b.low + static_cast<unsigned>(i);
  }
  return number(text);
}

std::uint64_t bits(unsigned low, unsigned high, unsigned step) {
  std::uint64_t set = 0;
  for (unsigned i = low; i <= high; i += step) set |= 1ULL << i;
  return set;
}

// `*`, `3`, `1-5`, `*/15`, `10/2` ...
diag::Result<std::uint64_t> range(std::string_view text, const Bounds& b) {
  const auto parts = split(text, '/');
  const auto ends = split(parts[0], '-');
  unsigned low = b.low;
  unsigned high = b.high;
  std::uint64_t extra = 0;
  if (ends[0] == "*" || ends[0] == "?") {
    extra = kStar;
  } else {
    TRY(low, number_or_name(ends[0], b));
    high = low;
    if (ends.size() == 2) {
      TRY(high, number_or_name(ends[1], b));
    } else if (ends.size() > 2) {
      return std::unexpected(bad(fmt::format("too many hyphens: {}", text)));
    }
  }
  unsigned step = 1;
  if (parts.size() == 2) {
    TRY(step, number(parts[1]));
    if (ends.size() == 1) high = b.high;
    if (step > 1) extra = 0;
  } else if (parts.size() > 2) {
    return std::unexpected(bad(fmt::format("too many slashes: {}", text)));
  }
  if (low < b.low) {
    return std::unexpected(
        bad(fmt::format("beginning of range ({}) below minimum ({}): {}", low, b.low, text)));
  }
  if (high > b.high) {
    return std::unexpected(
        bad(fmt::format("end of range ({}) above maximum ({}): {}", high, b.high, text)));
  }
  if (low > high) {
    return std::unexpected(
        bad(fmt::format("beginning of range ({}) beyond end of range ({}): {}", low, high, text)));
  }
  if (step == 0)
    return std::unexpected(bad(fmt::format("step of range should be a positive number: {}", text)));
  return bits(low, high, step) | extra;
}

diag::Result<std::uint64_t> field(std::string_view text, const Bounds& b) {
  std::uint64_t set = 0;
  for (const std::string_view part : split(text, ',')) {
    if (part.empty()) continue;
    TRY(const std::uint64_t more, range(part, b));
    set |= more;
  }
  return set;
}

std::optional<std::string_view> fields_of(std::string_view descriptor) {
  if (descriptor == "@yearly" || descriptor == "@annually") return "0 0 1 1 *";
  if (descriptor == "@monthly") return "0 0 1 * *";
  if (descriptor == "@weekly") return "0 0 * * 0";
  if (descriptor == "@daily" || descriptor == "@midnight") return "0 0 * * *";
  if (descriptor == "@hourly") return "0 * * * *";
  return std::nullopt;
}

/// A moment as the clocks of a zone show it.
struct Wall {
  int year = 0;
  unsigned month = 1;
  unsigned day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  unsigned weekday = 0;
};

Wall wall_of(const date::time_zone* zone, std::int64_t s) {
  const std::int64_t local = s + clock::offset_at(*zone, s).seconds;
  const auto days = date::floor<date::days>(date::local_seconds(std::chrono::seconds(local)));
  const date::year_month_day ymd(days);
  const std::int64_t rest =
      local - std::chrono::duration_cast<std::chrono::seconds>(days.time_since_epoch()).count();
  return {.year = static_cast<int>(ymd.year()),
          .month = static_cast<unsigned>(ymd.month()),
          .day = static_cast<unsigned>(ymd.day()),
          .hour = static_cast<int>(rest / 3600),
          .minute = static_cast<int>(rest / 60 % 60),
          .second = static_cast<int>(rest % 60),
          .weekday = date::weekday(days).c_encoding()};
}

// As Go's time.Date: months and days may be out of range, and near a change of the clocks it takes
// the offset that it finds first.
std::int64_t make(const date::time_zone* zone, Wall w) {
  w.year += static_cast<int>((w.month - 1) / 12);
  w.month = (w.month - 1) % 12 + 1;
  const date::sys_days first(date::year(w.year) / date::month(w.month) / date::day(1));
  const auto days = first.time_since_epoch().count() + static_cast<int>(w.day) - 1;
  const std::int64_t unix =
      static_cast<std::int64_t>(days) * 86400 + w.hour * 3600 + w.minute * 60 + w.second;
  const clock::ZoneOffset found = clock::offset_at(*zone, unix);
  const std::int64_t utc = unix - found.seconds;
  if (found.seconds == 0 || (utc >= found.begin && utc < found.end)) return utc;
  return unix - clock::offset_at(*zone, utc).seconds;
}

}  // namespace

diag::Result<const date::time_zone*> load_zone(std::string_view name) {
  const bool is_unsafe =
      name.find("..") != std::string_view::npos || name.starts_with('/') || name.starts_with('\\');
  try {
    if (!is_unsafe)
      return date::locate_zone(name.empty() || name == "Local" ? "UTC" : std::string(name));
  } catch (const std::exception&) {
    // said below, in Go's words
  }
  return std::unexpected(bad(fmt::format("unknown time zone {}", name)));
}

diag::Result<Schedule> Schedule::parse(std::string_view text, const date::time_zone* zone) {
  if (text.empty()) return std::unexpected(bad("empty spec string"));
  Schedule schedule;
  schedule.zone_ = zone != nullptr ? zone : date::locate_zone("UTC");
  if (text.starts_with("TZ=") || text.starts_with("CRON_TZ=")) {
    const std::size_t blank = text.find(' ');
    const std::size_t eq = text.find('=');
    if (blank == std::string_view::npos)
      return std::unexpected(bad("a schedule must follow the time zone"));
    const std::string_view name = text.substr(eq + 1, blank - eq - 1);
    auto named = load_zone(name);
    if (!named)
      return std::unexpected(
          bad(fmt::format("provided bad location {}: {}", name, named.error().message)));
    schedule.zone_ = *named;
    text.remove_prefix(blank);
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  }
  if (text.starts_with('@')) {
    if (auto fields = fields_of(text)) {
      text = *fields;
    } else if (constexpr std::string_view kEvery = "@every "; text.starts_with(kEvery)) {
      auto d = clock::parse_go_duration(text.substr(kEvery.size()));
      if (!d)
        return std::unexpected(
            bad(fmt::format("failed to parse duration {}: {}", text, d.error().message)));
      constexpr std::int64_t kSecond = 1'000'000'000;
      schedule.every_.ns = std::max(d->ns - d->ns % kSecond, kSecond);
      return schedule;
    } else {
      return std::unexpected(bad(fmt::format("unrecognized descriptor: {}", text)));
    }
  }
  const auto parts = words(text);
  if (parts.size() != 5) {
    return std::unexpected(bad(fmt::format("expected exactly 5 fields, found {}: [{}]",
                                           parts.size(), fmt::join(parts, " "))));
  }
  TRY(schedule.fields_.minute, field(parts[0], bounds()[0]));
  TRY(schedule.fields_.hour, field(parts[1], bounds()[1]));
  TRY(schedule.fields_.day, field(parts[2], bounds()[2]));
  TRY(schedule.fields_.month, field(parts[3], bounds()[3]));
  TRY(schedule.fields_.weekday, field(parts[4], bounds()[4]));
  return schedule;
}

/// Walks from one moment to the next that fits: months, then days, hours and minutes. `has_moved`
/// once the smaller fields were set to their beginning.
class Search {
 public:
  Search(const Schedule& schedule, std::int64_t from)
      : f_(schedule.fields_),
        zone_(schedule.zone_),
        t_(from),
        wall_(wall_of(zone_, from)),
        year_max_(wall_.year + kYearsMax) {}

  std::optional<std::int64_t> run() {
    for (int i = 0; i < kStepsMax; ++i) {
      if (wall_.year > year_max_) return std::nullopt;
      if (month() && day() && hour() && minute() && second()) return t_;
    }
    return std::nullopt;
  }

 private:
  // Each returns false when a larger field has changed, so that the walk begins again.
  bool month() {
    while ((f_.month & (1ULL << wall_.month)) == 0) {
      if (!has_moved_) go(make(zone_, {.year = wall_.year, .month = wall_.month}));
      has_moved_ = true;
      Wall next = wall_;
      ++next.month;
      go(make(zone_, next));
      if (wall_.month == 1) return false;
    }
    return true;
  }

  bool day() {
    while (!day_fits()) {
      if (!has_moved_)
        go(make(zone_, {.year = wall_.year, .month = wall_.month, .day = wall_.day}));
      has_moved_ = true;
      Wall next = wall_;
      ++next.day;
      go(make(zone_, next));
      // Midnight may have moved with the clocks.
      if (wall_.hour > 12) {
        go(t_ + (24 - wall_.hour) * 3600);
      } else if (wall_.hour != 0) {
        go(t_ - wall_.hour * 3600);
      }
      if (++days_ > kYearsMax * 400) {
        wall_.year = year_max_ + 1;  // the library itself never ends where a date was skipped
        return false;
      }
      if (wall_.day == 1) return false;
    }
    return true;
  }

  bool hour() {
    while ((f_.hour & (1ULL << static_cast<unsigned>(wall_.hour))) == 0) {
      if (!has_moved_) {
        go(make(zone_,
                {.year = wall_.year, .month = wall_.month, .day = wall_.day, .hour = wall_.hour}));
      }
      has_moved_ = true;
      go(t_ + 3600);
      if (wall_.hour == 0) return false;
    }
    return true;
  }

  bool minute() {
    while ((f_.minute & (1ULL << static_cast<unsigned>(wall_.minute))) == 0) {
      if (!has_moved_) go(t_ - t_ % 60);
      has_moved_ = true;
      go(t_ + 60);
      if (wall_.minute == 0) return false;
    }
    return true;
  }

  bool second() {
    while (wall_.second != 0) {
      has_moved_ = true;
      go(t_ + 1);
      if (wall_.second == 0) return false;
    }
    return true;
  }

  [[nodiscard]] bool day_fits() const {
    const bool day = (f_.day & (1ULL << wall_.day)) != 0;
    const bool weekday = (f_.weekday & (1ULL << wall_.weekday)) != 0;
    const bool has_star = (f_.day & kStar) != 0 || (f_.weekday & kStar) != 0;
    return has_star ? day && weekday : day || weekday;
  }

  void go(std::int64_t t) {
    t_ = t;
    wall_ = wall_of(zone_, t);
  }

  const Schedule::Fields& f_;
  const date::time_zone* zone_;
  std::int64_t t_;
  Wall wall_;
  int year_max_;
  int days_ = 0;
  bool has_moved_ = false;
};

std::optional<clock::Instant> Schedule::next(clock::Instant from) const {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t whole = from.ns - ((from.ns % kSecond) + kSecond) % kSecond;
  if (every_.ns > 0) {
    std::int64_t next = 0;
    if (__builtin_add_overflow(whole, every_.ns, &next)) return std::nullopt;  // after 2262
    return clock::Instant{next};
  }
  const auto found = Search(*this, whole / kSecond + 1).run();
  if (!found) return std::nullopt;
  return clock::Instant{*found * kSecond};
}

}  // namespace tiphys::cron
