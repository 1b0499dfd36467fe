#include "value/json_fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tiphys::value {

namespace {

constexpr std::size_t kDeepest = 10'000;  // Go's limit

// A byte as Go quotes it: as the Unicode character of that number.
std::string quoted(char c) {
  constexpr std::string_view kEscaped = "'\\\a\b\f\n\r\t\v";
  constexpr std::string_view kLetters = "'\\abfnrtv";
  if (const std::size_t at = kEscaped.find(c); at != std::string_view::npos) {
    return fmt::format("'\\{}'", kLetters[at]);
  }
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20 || byte == 0x7f) return fmt::format("'\\x{:02x}'", byte);
  if (byte < 0x80) return fmt::format("'{}'", c);
  if (byte <= 0xa0 || byte == 0xad) return fmt::format("'\\u{:04x}'", byte);  // not printable
  const std::string shown{static_cast<char>(0xc0 | (byte >> 6)),
                          static_cast<char>(0x80 | (byte & 0x3f))};
  return "'" + shown + "'";
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// Reads a text once. Each step returns whether to go on; what is wrong is then in `fault_`.
class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  std::string run() {
    // Open brackets are kept in a list, and not by recursion: a text cannot exhaust the stack.
    bool goes_on = value();
    while (goes_on) {
      if (wants_value_) {
        wants_value_ = false;
        goes_on = value();
      } else {
        goes_on = open_.empty() ? at_the_end() : after_value();
      }
    }
    return fault_;
  }

 private:
  bool fail(std::string_view context) {
    fault_ = at_ == text_.size()
                 ? "unexpected end of JSON input"
                 : fmt::format("invalid character {} {}", quoted(text_[at_]), context);
    return false;
  }

  // Inside a word or number Go reads a space for the end of the text.
  bool fail_within(std::string_view context) {
    if (at_ < text_.size()) return fail(context);
    fault_ = fmt::format("invalid character ' ' {}", context);
    return false;
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool value_next() {
    wants_value_ = true;
    return true;
  }

  bool at_the_end() {
    skip_space();
    if (at_ < text_.size()) fail("after top-level value");
    return false;
  }

  bool after_value() {
    skip_space();
    const bool is_object = open_.back() == '{';
    if (take(is_object ? '}' : ']')) {
      open_.pop_back();
      return true;
    }
    if (!take(',')) return fail(is_object ? "after object key:value pair" : "after array element");
    return is_object ? member() : value_next();
  }

  bool member() {
    skip_space();
    if (!take('"')) return fail("looking for beginning of object key string");
    if (!rest_of_string()) return false;
    skip_space();
    return take(':') ? value_next() : fail("after object key");
  }

  bool open(char bracket, char closing) {
    open_.push_back(bracket);
    if (open_.size() > kDeepest) {
      fault_ = "exceeded max depth";
      return false;
    }
    skip_space();
    if (take(closing)) {
      open_.pop_back();
      return true;
    }
    return bracket == '{' ? member() : value_next();
  }

  bool value() {
    skip_space();
    if (take('{')) return open('{', '}');
    if (take('[')) return open('[', ']');
    if (take('"')) return rest_of_string();
    if (take('t')) return rest_of("true");
    if (take('f')) return rest_of("false");
    if (take('n')) return rest_of("null");
    if (at_ < text_.size() && (text_[at_] == '-' || is_digit(text_[at_]))) return number();
    return fail("looking for beginning of value");
  }

  bool rest_of(std::string_view word) {
    for (const char c : word.substr(1)) {
      if (!take(c)) return fail_within(fmt::format("in literal {} (expecting '{}')", word, c));
    }
    return true;
  }

  bool digits(std::string_view context) {
    if (at_ == text_.size() || !is_digit(text_[at_])) return fail_within(context);
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return true;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits("in numeric literal")) return false;
    if (take('.') && !digits("after decimal point in numeric literal")) return false;
    if (!take('e') && !take('E')) return true;
    if (!take('+')) take('-');
    return digits("in exponent of numeric literal");
  }

  bool rest_of_escape() {
    if (!take('u')) {
      constexpr std::string_view kShort = "\"\\/bfnrt";
      if (at_ == text_.size() || !kShort.contains(text_[at_])) {
        return fail_within("in string escape code");
      }
      ++at_;
      return true;
    }
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == text_.size() || !is_hex(text_[at_])) {
        return fail_within("in \\u hexadecimal character escape");
      }
    }
    return true;
  }

  bool rest_of_string() {
    while (!take('"')) {
      if (take('\\')) {
        if (!rest_of_escape()) return false;
      } else if (at_ == text_.size() || static_cast<unsigned char>(text_[at_]) < 0x20) {
        return fail("in string literal");
      } else {
        ++at_;
      }
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool wants_value_ = false;
  std::vector<char> open_;
  std::string fault_;
};

}  // namespace

std::string json_fault(std::string_view text) { return Checker(text).run(); }

}  // namespace tiphys::value
