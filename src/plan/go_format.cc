#include "plan/go_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tiphys::plan {

namespace {

constexpr std::int64_t kWidest = 1'000'000;

/// One `%...` with its flags.
struct Directive {
  bool sharp = false;
  bool zero = false;
  bool plus = false;
  bool minus = false;
  bool space = false;
  std::optional<std::int64_t> width = {};
  std::optional<std::int64_t> precision = {};
};

std::string pad(std::string text, std::size_t characters, const Directive& d) {
  const auto width = static_cast<std::size_t>(d.width.value_or(0));
  if (characters >= width) return text;
  const std::string blanks(width - characters, ' ');
  return d.minus ? text + blanks : blanks + text;
}

std::string digits_of(std::uint64_t v, unsigned base, bool upper) {
  const std::string_view letters = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  do {
    out += letters[v % base];
    v /= base;
  } while (v > 0);
  std::ranges::reverse(out);
  return out;
}

std::string integer(std::int64_t v, unsigned base, char verb, const Directive& d) {
  const bool negative = v < 0;
  const auto raw = static_cast<std::uint64_t>(v);
  const std::uint64_t size = negative ? ~raw + 1 : raw;
  std::int64_t least = 0;
  if (d.precision) {
    least = *d.precision;
    if (least == 0 && v == 0) return pad("", 0, d);
  } else if (d.zero && !d.minus && d.width) {
    least = *d.width - (negative || d.plus || d.space ? 1 : 0);
  }
  std::string text = digits_of(size, base, verb == 'X');
  if (const auto n = static_cast<std::size_t>(std::max<std::int64_t>(least, 0)); text.size() < n) {
    text.insert(0, n - text.size(), '0');
  }
  if (d.sharp && base == 2) text.insert(0, "0b");
  if (d.sharp && base == 8 && text[0] != '0') text.insert(0, "0");
  if (d.sharp && base == 16) text.insert(0, verb == 'X' ? "0X" : "0x");
  if (verb == 'O') text.insert(0, "0o");
  const std::string_view sign = negative ? "-" : d.plus ? "+" : d.space ? " " : "";
  text.insert(0, sign);
  const std::size_t characters = text.size();
  return pad(std::move(text), characters, d);
}

std::string utf8(std::int64_t v) {
  const bool valid = v >= 0 && v <= 0x10ffff && (v < 0xd800 || v > 0xdfff);
  const auto code = static_cast<std::uint32_t>(valid ? v : 0xfffd);
  const auto tail = [&](unsigned shift) {
    return static_cast<char>(0x80U | ((code >> shift) & 0x3fU));
  };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xc0U | (code >> 6U)), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xe0U | (code >> 12U)), tail(6), tail(0)};
  return {static_cast<char>(0xf0U | (code >> 18U)), tail(12), tail(6), tail(0)};
}

/// %q: a character literal; what is not ASCII is shown as it is.
std::string quoted(std::int64_t v) {
  constexpr std::string_view kControls = "\a\b\t\n\v\f\r";  // 7 to 13
  if (v == '\'' || v == '\\') return fmt::format("'\\{}'", static_cast<char>(v));
  if (v >= 7 && v <= 13) return fmt::format("'\\{}'", "abtnvfr"[v - 7]);
  if ((v >= 0 && v < ' ') || v == 0x7f) return fmt::format("'\\x{:02x}'", v);
  static_assert(kControls.size() == 7);
  return fmt::format("'{}'", utf8(v));
}

/// The value under a verb; nullopt: no verb of integers.
std::optional<std::string> formatted(std::int64_t v, std::string_view verb, const Directive& d) {
  if (verb.size() != 1) return std::nullopt;
  switch (verb[0]) {
    case 'v':
    case 'd': {
      Directive plain = d;
      plain.sharp = false;
      plain.plus = d.plus && verb[0] == 'd';
      return integer(v, 10, 'd', plain);
    }
    case 'b':
      return integer(v, 2, 'b', d);
    case 'o':
    case 'O':
      return integer(v, 8, verb[0], d);
    case 'x':
    case 'X':
      return integer(v, 16, verb[0], d);
    case 'c':
      return pad(utf8(v), 1, d);
    case 'q':
      return pad(quoted(v), quoted(v).starts_with("'\\") ? quoted(v).size() : 3, d);
    case 'U': {
      const std::string text = fmt::format("U+{:04X}", static_cast<std::uint64_t>(v));
      const bool is_shown = d.sharp && v >= ' ' && v <= 0x10ffff && (v < 0x7f || v > 0xa0);
      if (is_shown) return pad(fmt::format("{} '{}'", text, utf8(v)), text.size() + 4, d);
      return pad(text, text.size(), d);
    }
    case 'T':
      return pad("int", 3, d);
    default:
      return std::nullopt;
  }
}

/// Reads a format from the front, with the one argument beside it.
class Formatter {
 public:
  Formatter(std::string_view format, std::int64_t v) : rest_(format), value_(v) {}

  std::string run() {
    while (!rest_.empty()) {
      const auto percent = std::min(rest_.find('%'), rest_.size());
      out_ += rest_.substr(0, percent);
      rest_.remove_prefix(percent);
      if (rest_.empty()) break;
      rest_.remove_prefix(1);
      directive();
    }
    if (!reordered_ && next_ < 1) out_ += fmt::format("%!(EXTRA int={})", value_);
    return std::move(out_);
  }

 private:
  [[nodiscard]] char front() const { return rest_.empty() ? '\0' : rest_[0]; }

  std::optional<std::int64_t> number() {
    std::optional<std::int64_t> n;
    while (front() >= '0' && front() <= '9') {
      n = n.value_or(0) * 10 + (front() - '0');
      rest_.remove_prefix(1);
      if (*n > kWidest) return std::nullopt;
    }
    return n;
  }

  /// `[1]`: which argument comes next. There is only one.
  void index() {
    if (front() != '[') return;
    reordered_ = true;
    const auto close = rest_.find(']');
    if (close == std::string_view::npos) {
      good_ = false;
      rest_.remove_prefix(1);
      return;
    }
    const std::string_view inside = rest_.substr(1, close - 1);
    rest_.remove_prefix(close + 1);
    if (inside == "1") {
      next_ = 0;
      after_index_ = true;
    } else {
      good_ = false;
    }
  }

  /// `*`: the argument is the width or the precision.
  std::optional<std::int64_t> star(std::string_view complaint) {
    rest_.remove_prefix(1);
    after_index_ = false;
    if (next_++ < 1 && value_ >= -kWidest && value_ <= kWidest) return value_;
    out_ += complaint;
    return std::nullopt;
  }

  void flags(Directive& d) {
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      switch (front()) {
        case '#':
          d.sharp = true;
          break;
        case '0':
          d.zero = true;
          break;
        case '+':
          d.plus = true;
          break;
        case '-':
          d.minus = true;
          break;
        case ' ':
          d.space = true;
          break;
        default:
          return;
      }
    }
  }

  void widths(Directive& d) {
    index();
    if (front() == '*') {
      d.width = star("%!(BADWIDTH)");
      if (d.width && *d.width < 0) {
        d.width = -*d.width;
        d.minus = true;
      }
    } else {
      d.width = number();
      if (after_index_ && d.width) good_ = false;
    }
    if (front() == '.' && rest_.size() > 1) {  // at the very end it counts as a verb
      rest_.remove_prefix(1);
      if (after_index_) good_ = false;
      index();
      if (front() == '*') {
        d.precision = star("%!(BADPREC)");
        if (d.precision && *d.precision < 0) d.precision.reset();
      } else {
        d.precision = number().value_or(0);
      }
    }
    if (!after_index_) index();
  }

  void directive() {
    good_ = true;
    after_index_ = false;
    Directive d;
    flags(d);
    widths(d);
    if (rest_.empty()) {
      out_ += "%!(NOVERB)";
      return;
    }
    std::size_t size = 1;
    while (size < rest_.size() && (static_cast<unsigned char>(rest_[size]) & 0xc0U) == 0x80U)
      ++size;
    const std::string_view verb = rest_.substr(0, size);
    rest_.remove_prefix(size);
    if (verb == "%") {
      out_ += '%';
    } else if (!good_) {
      out_ += fmt::format("%!{}(BADINDEX)", verb);
    } else if (next_ >= 1) {
      out_ += fmt::format("%!{}(MISSING)", verb);
    } else {
      ++next_;
      const auto text = formatted(value_, verb, d);
      out_ += text ? *text : fmt::format("%!{}(int={})", verb, *formatted(value_, "d", d));
    }
  }

  std::string_view rest_;
  std::int64_t value_;
  std::string out_;
  int next_ = 0;  // index of the next argument
  bool reordered_ = false;
  bool good_ = true;
  bool after_index_ = false;
};

}  // namespace

std::string go_format(std::string_view format, std::int64_t v) {
  if (format == "%d") return fmt::format("{}", v);
  return Formatter(format, v).run();
}

}  // namespace tiphys::plan
