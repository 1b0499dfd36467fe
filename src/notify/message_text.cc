#include "notify/message_text.h"

#include "expr/unicode.h"
#include "value/json.h"

namespace tiphys::notify {

namespace {

constexpr std::string_view kEllipsis = "…";
constexpr std::string_view kReplacementText = "\xef\xbf\xbd";  // U+FFFD

// The length of the terminal's escape sequence that `text` (which begins with ESC) begins with.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2) return 1;
  if (text[1] == '[') {  // CSI: parameters, then one final byte
    std::size_t i = 2;
    while (i < text.size() && text[i] >= 0x20 && text[i] < 0x40) ++i;
    return std::min(i + 1, text.size());
  }
  if (text[1] == ']') {  // OSC: up to BEL or ESC backslash
    for (std::size_t i = 2; i < text.size(); ++i) {
      if (text[i] == '\a') return i + 1;
      if (text[i] == '\x1b') return std::min(i + 2, text.size());
    }
    return text.size();
  }
  return 2;
}

bool is_control(char32_t c) {
  const bool is_direction = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0) || c == 0x2028 ||
         c == 0x2029 || is_direction;  // these could make a text read as another one
}

std::size_t size_in(std::string_view text, TextLimit::Unit unit) {
  if (unit == TextLimit::Unit::kBytes) return text.size();
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

// A parameter that nobody set is "".
bool is_given(const value::Value& v) {
  return !v.is_null() && !(v.is_string() && v.as_string().empty());
}

void escape_with_backslash(std::string& out, std::string_view character, std::string_view special) {
  if (character.size() == 1 && special.find(character[0]) != std::string_view::npos) out += '\\';
  out += character;
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() == '\x1b') {
      text.remove_prefix(escape_length(text));
      continue;
    }
    const expr::Rune rune = expr::decode_rune(text);
    const bool is_break = rune.code == '\r' && (text.size() < 2 || text[1] != '\n');
    if (is_break) {
      out += '\n';
    } else if (!is_control(rune.code)) {
      expr::append_rune(out, rune.code);
    }
    text.remove_prefix(rune.length);
  }
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ' || out.back() == '\t')) {
    out.pop_back();
  }
  return out;
}

std::string clean_line(std::string_view text) {
  std::string out;
  for (const char c : clean_text(text)) {
    const bool is_blank = c == '\n' || c == '\t';
    if (!is_blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  return out;
}

void escape_html(std::string& out, std::string_view character) {
  if (character == "\"") {
    out += "&quot;";
  } else {
    escape_slack(out, character);
  }
}

void escape_slack(std::string& out, std::string_view character) {
  if (character == "&") {
    out += "&amp;";
  } else if (character == "<") {
    out += "&lt;";
  } else if (character == ">") {
    out += "&gt;";
  } else {
    out += character;
  }
}

void escape_markdown(std::string& out, std::string_view character) {
  escape_with_backslash(out, character, "\\`*_[]<>#~|");
}

void escape_markdown_v2(std::string& out, std::string_view character) {
  escape_with_backslash(out, character, "\\_*[]()~`>#+-=|{}.!");
}

std::string fit_text(std::string_view text, TextLimit limit, Escape escape) {
  std::string out;
  out.reserve(std::min(text.size(), limit.max));
  std::size_t size = 0;    // of `out`
  std::size_t cut_at = 0;  // where `out` and an ellipsis are still within the limit
  const std::size_t ellipsis = size_in(kEllipsis, limit.unit);
  while (!text.empty()) {
    const expr::Rune rune = expr::decode_rune(text);
    const bool is_invalid = rune.code == expr::kReplacement && rune.length == 1;
    const std::string_view character = is_invalid ? kReplacementText : text.substr(0, rune.length);
    const std::size_t before = out.size();
    if (escape != nullptr) {
      escape(out, character);
    } else {
      out += character;
    }
    size += size_in(std::string_view(out).substr(before), limit.unit);
    if (size > limit.max) {
      out.resize(cut_at);
      return ellipsis <= limit.max ? out + std::string(kEllipsis) : out;
    }
    if (size + ellipsis <= limit.max) cut_at = out.size();
    text.remove_prefix(rune.length);
  }
  return out;
}

std::string plain_text(const value::Value& v) {
  if (v.is_null()) return "";
  return v.is_string() ? v.as_string() : value::to_json(v, {.escape_html = false});
}

Words words_of(const Notice& notice, const value::Value& message) {
  const DefaultMessage made = default_message(notice);
  Words out{.severity = made.severity, .title = made.title, .text = "", .link = made.link};
  for (const std::string& line : made.lines) {
    if (!out.text.empty()) out.text += '\n';
    out.text += line;
  }
  const value::Value& text = message.is_string() ? message : message["text"];
  if (is_given(text)) {
    out.text = clean_text(plain_text(text));
    out.title.clear();
    out.link.clear();
    out.is_own = true;
  }
  if (is_given(message["title"])) out.title = clean_text(plain_text(message["title"]));
  if (is_given(message["link"])) out.link = clean_line(plain_text(message["link"]));
  const std::string_view severity = message["severity"].string_or("");
  if (severity == "good") out.severity = DefaultMessage::Severity::kGood;
  if (severity == "bad") out.severity = DefaultMessage::Severity::kBad;
  if (severity == "info") out.severity = DefaultMessage::Severity::kInfo;
  return out;
}

}  // namespace tiphys::notify
