// sprig's functions on the case and the words of text. (goutils v1.1, xstrings v1.5)
#include "expr/builtin_table.h"
#include "expr/sprig_table.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

bool is_upper(char32_t c) { return to_lower(c) != c; }
/// Two letters in one character of which the first is a capital, or a capital with a small iota.
bool is_title(char32_t c) {
  const bool is_greek =
      (c >= 0x1F88 && c <= 0x1FAF && (c & 8U) != 0) || c == 0x1FBC || c == 0x1FCC || c == 0x1FFC;
  return c == 0x1C5 || c == 0x1C8 || c == 0x1CB || c == 0x1F2 || is_greek;
}

std::u32string characters(std::string_view text) {
  std::u32string out;
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    out += rune.code;
    text.remove_prefix(rune.length);
  }
  return out;
}

std::string as_utf8(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) append_rune(out, c);
  return out;
}

Value upper_case(Arguments a, CallContext&) { return RuntimeValue(upper(a[0].as_string())); }
Value lower_case(Arguments a, CallContext&) { return RuntimeValue(lower(a[0].as_string())); }

// Letters, digits and underscores do not part words; other ASCII does, beyond it only white space.
bool parts_words(char32_t c) {
  if (c < 0x80) return !(is_letter(c) || is_decimal_digit(c) || c == U'_');
  return !is_letter(c) && !is_decimal_digit(c) && is_space(c);
}

Value title(Arguments a, CallContext&) {
  std::u32string text = characters(a[0].as_string());
  char32_t before = U' ';
  for (char32_t& c : text) {
    const char32_t given = c;
    if (parts_words(before)) c = to_upper(c);
    before = given;
  }
  return RuntimeValue(as_utf8(text));
}

Value untitle(Arguments a, CallContext&) {
  std::u32string text = characters(a[0].as_string());
  bool at_start = true;
  for (char32_t& c : text) {
    const bool space = is_space(c);
    if (at_start && !space) c = to_lower(c);
    at_start = space;
  }
  return RuntimeValue(as_utf8(text));
}

Value swapcase(Arguments a, CallContext&) {
  std::u32string text = characters(a[0].as_string());
  for (char32_t& c : text) c = is_upper(c) ? to_lower(c) : to_upper(c);
  return RuntimeValue(as_utf8(text));
}

// These two take each byte for a character, as goutils does.
Value nospace(Arguments a, CallContext&) {
  std::string out;
  bool any = false;
  for (const char c : a[0].as_string()) {
    const char32_t code = static_cast<unsigned char>(c);
    any = any || is_space(code);
    if (!is_space(code)) append_rune(out, code);
  }
  return any ? RuntimeValue(out) : a[0];
}

Value initials(Arguments a, CallContext&) {
  std::string out;
  bool at_start = true;
  for (const char c : a[0].as_string()) {
    const char32_t code = static_cast<unsigned char>(c);
    const bool space = is_space(code);
    if (at_start && !space) append_rune(out, code);
    at_start = space;
  }
  return RuntimeValue(std::move(out));
}

bool is_connector(char32_t c) { return c == U'-' || c == U'_' || is_space(c); }

// Every word after a connector starts with a capital, and the connector goes; the capitals that
// follow a capital at a word's start become small.
Value camelcase(Arguments a, CallContext&) {
  const std::u32string text = characters(a[0].as_string());
  std::u32string out;
  std::size_t i = 0;
  while (i < text.size() && is_connector(text[i])) out += text[i++];
  if (i == text.size()) return RuntimeValue(as_utf8(out));
  bool lowering = is_upper(text[i]);
  char32_t last = to_upper(text[i]);
  for (++i; i < text.size(); ++i) {
    char32_t c = text[i];
    if (is_connector(last)) {
      if (is_connector(c)) {
        out += last;
      } else {
        lowering = is_upper(c);
        c = to_upper(c);
      }
    } else {
      if (lowering && !is_connector(c)) {
        if (is_upper(c)) {
          c = to_lower(c);
        } else {
          lowering = false;
        }
      } else if (lowering) {
        lowering = false;
      }
      out += last;
    }
    last = c;
  }
  out += last;
  return RuntimeValue(as_utf8(out));
}

enum class Word { kEnd, kNumber, kUpper, kLower, kConnector, kPunctuation, kOther };

bool is_punctuation(char32_t c) {
  constexpr std::u32string_view kMarks = U"!\"#%&'()*,-./:;?@[\\]_{}¡§«¶·»¿";
  return kMarks.find(c) != std::u32string_view::npos || (c >= 0x2010 && c <= 0x2027);
}

// Cuts text in runs of one kind; a run of capitals ends before the one that starts a word.
class Words {
 public:
  explicit Words(std::u32string text) : rest_(std::move(text)) { next(); }

  [[nodiscard]] Word kind() const { return kind_; }
  [[nodiscard]] bool at_last() const { return at_ == rest_.size(); }
  [[nodiscard]] bool is_text() const { return kind_ == Word::kLower || kind_ == Word::kNumber; }

  void next() {
    word_.clear();
    kind_ = at_ < rest_.size() ? kind_of(rest_[at_]) : Word::kEnd;
    if (kind_ == Word::kEnd) return;
    std::size_t end = run(at_ + 1, kind_);
    if (kind_ == Word::kUpper && end == at_ + 1) {
      end = run(end, Word::kLower);
    } else if (kind_ == Word::kUpper && end < rest_.size() && kind_of(rest_[end]) == Word::kLower) {
      --end;
    }
    word_ = rest_.substr(at_, end - at_);
    at_ = end;
  }

  void write(std::u32string& out, char32_t connector) const { write(out, kind_, word_, connector); }

  static void write(std::u32string& out, Word kind, const std::u32string& word,
                    char32_t connector) {
    for (const char32_t c : word) {
      out += kind == Word::kConnector ? connector : kind == Word::kUpper ? to_lower(c) : c;
    }
  }

  [[nodiscard]] const std::u32string& word() const { return word_; }

 private:
  static Word kind_of(char32_t c) {
    if (is_connector(c)) return Word::kConnector;
    if (is_punctuation(c)) return Word::kPunctuation;
    if (is_upper(c) && !is_title(c)) return Word::kUpper;
    if (is_letter(c)) return Word::kLower;
    return is_decimal_digit(c) ? Word::kNumber : Word::kOther;
  }

  [[nodiscard]] std::size_t run(std::size_t from, Word kind) const {
    while (from < rest_.size() && kind_of(rest_[from]) == kind) ++from;
    return from;
  }

  std::u32string rest_;
  std::size_t at_ = 0;
  Word kind_ = Word::kEnd;
  std::u32string word_;
};

bool needs_connector(Word next, bool also_at_end) {
  if (next == Word::kEnd) return also_at_end;
  return next != Word::kConnector && next != Word::kPunctuation;
}

// After a number: small letters and numbers belong to it.
void write_number_tail(Words& words, std::u32string& out, char32_t connector) {
  while (words.is_text()) {
    words.write(out, connector);
    words.next();
  }
  if (needs_connector(words.kind(), false)) out += connector;
}

// After a word of letters. A number joins it (bld4_floor) unless small letters follow (http_2xx).
void write_after_letters(Words& words, std::u32string& out, char32_t connector) {
  if (words.kind() != Word::kNumber) {
    if (needs_connector(words.kind(), true)) out += connector;
    return;
  }
  if (words.at_last()) return;
  const std::u32string number = words.word();
  words.next();
  if (words.kind() != Word::kLower) {
    out += number;
    if (needs_connector(words.kind(), true)) out += connector;
    return;
  }
  out.append(1, connector).append(number);
  write_number_tail(words, out, connector);
}

std::string connected(std::string_view text, char32_t connector) {
  std::u32string out;
  Words words(characters(text));
  while (!words.at_last()) {
    const Word before = words.kind();
    const std::u32string word = words.word();
    words.next();
    Words::write(out, before, word, connector);
    if (before == Word::kNumber) {
      write_number_tail(words, out, connector);
    } else if (before != Word::kConnector && before != Word::kPunctuation) {
      write_after_letters(words, out, connector);
    }
  }
  words.write(out, connector);
  return as_utf8(out);
}

Value snakecase(Arguments a, CallContext&) {
  return RuntimeValue(connected(a[0].as_string(), U'_'));
}

Value kebabcase(Arguments a, CallContext&) {
  return RuntimeValue(connected(a[0].as_string(), U'-'));
}

Value shuffle(Arguments a, CallContext& context) {
  std::u32string text = characters(a[0].as_string());
  for (std::size_t i = text.size(); i > 1; --i) {
    std::swap(text[i - 1], text[draw(context) % i]);
  }
  return RuntimeValue(as_utf8(text));
}

constexpr std::array kRows = std::to_array<Builtin>({
    {"camelcase", sig::kText, camelcase, "words joined, each with a capital"},
    {"initials", sig::kText, initials, "the first letter of each word"},
    {"kebabcase", sig::kText, kebabcase, "small words with - between them"},
    {"lower", sig::kText, lower_case, "in small letters"},
    {"nospace", sig::kText, nospace, "without white space"},
    {"shuffle", sig::kText, shuffle, "the characters in a random order, fixed by the clock"},
    {"snakecase", sig::kText, snakecase, "small words with _ between them"},
    {"swapcase", sig::kText, swapcase, "small letters as capitals and the reverse"},
    {"title", sig::kText, title, "each word with a capital"},
    {"untitle", sig::kText, untitle, "each word without a capital"},
    {"upper", sig::kText, upper_case, "in capitals"},
});

}  // namespace

std::span<const Builtin> sprig_case_rows() { return kRows; }

}  // namespace tiphys::expr
