// The texts of scalars: plain, quoted, and blocks.
#include <algorithm>

#include "spec/yaml_scanner.h"

namespace tiphys::spec {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80U | ((code >> shift) & 0x3FU));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// The text of an escape that is one character; empty if there is none such.
std::string_view simple_escape(char c) {
  using namespace std::string_view_literals;
  switch (c) {
    case '0':
      return "\0"sv;
    case 'a':
      return "\a";
    case 'b':
      return "\b";
    case 't':
    case '\t':
      return "\t";
    case 'n':
      return "\n";
    case 'v':
      return "\v";
    case 'f':
      return "\f";
    case 'r':
      return "\r";
    case 'e':
      return "\x1B";
    case ' ':
      return " ";
    case '"':
      return "\"";
    case '\'':
      return "'";
    case '\\':
      return "\\";
    case 'N':
      return "\xC2\x85";
    case '_':
      return "\xC2\xA0";
    case 'L':
      return "\xE2\x80\xA8";
    case 'P':
      return "\xE2\x80\xA9";
    default:
      return {};
  }
}

}  // namespace

// One break between two lines is a blank; of more, the first one is not written.
void YamlScanner::Fold::append_to(std::string& out) {
  if (!first.starts_with('\n')) {
    out += first;
    out += rest;
  } else if (rest.empty()) {
    out += ' ';
  } else {
    out += rest;
  }
  first.clear();
  rest.clear();
  is_pending = false;
}

bool YamlScanner::ends_plain(std::size_t i) const {
  switch (at(i)) {
    case ':':
      return is_blank_or_end(i + 1);
    case ',':
    case '?':
    case '[':
    case ']':
    case '{':
    case '}':
      return keys_.size() > 1;
    default:
      return false;
  }
}

bool YamlScanner::scan_plain(YamlToken& token, char /*c*/) {
  token.is_plain = true;
  const int indent = indent_ + 1;
  std::string out;
  Fold fold;
  std::size_t part = pos_;  // what is not yet in `out`: [part, end)
  std::size_t end = pos_;
  bool is_folded = false;
  while (!is_document_mark() && here() != '#') {
    const std::size_t word = pos_;
    while (!is_blank_or_end(pos_) && !ends_plain(pos_)) ++pos_;
    if (pos_ > word) {
      if (fold.is_pending) {
        out += text_.substr(part, end - part);
        fold.append_to(out);
        part = word;
        is_folded = true;
      }
      end = pos_;
    }
    if (!is_blank(pos_) && break_length(pos_) == 0) break;
    for (;;) {
      if (is_blank(pos_)) {
        if (fold.is_pending && here() == '\t' && column() < indent) {
          return fail("found a tab character that violates indentation", token.begin);
        }
        ++pos_;
      } else if (break_length(pos_) > 0) {
        read_break(fold.is_pending ? fold.rest : fold.first);
        fold.is_pending = true;
      } else {
        break;
      }
    }
    if (keys_.size() == 1 && fold.is_pending && column() < indent) break;
  }
  if (fold.is_pending) is_key_allowed_ = true;
  const std::string_view last = text_.substr(part, end - part);
  token.text = is_folded ? keep(std::move(out.append(last))) : last;
  return true;
}

bool YamlScanner::scan_escape(std::string& out) {
  const char c = at(pos_ + 1);
  if (const std::string_view text = simple_escape(c); !text.empty()) {
    out += text;
    pos_ += 2;
    return true;
  }
  const std::size_t length = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (length == 0) return fail("found unknown escape character");
  std::uint32_t code = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const int digit = hex_value(at(pos_ + 2 + i));
    if (digit < 0) return fail("did not find expected hexdecimal number");
    code = (code << 4U) | static_cast<std::uint32_t>(digit);
  }
  if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) {
    return fail("found invalid Unicode character escape code");
  }
  append_utf8(out, code);
  pos_ += 2 + length;
  return true;
}

// Up to the next blank, break or the closing quote; [part, pos_) is not yet in `out`.
bool YamlScanner::scan_quoted_word(char quote, std::string& out, std::size_t& part,
                                   bool& is_folded) {
  while (!is_blank_or_end(pos_)) {
    const char c = here();
    if (c == quote && (quote == '"' || at(pos_ + 1) != '\'')) return true;
    if (c == quote || (quote == '"' && c == '\\')) {
      out += text_.substr(part, pos_ - part);
      if (c == quote) {
        out += '\'';
        pos_ += 2;
      } else if (break_length(pos_ + 1) > 0) {
        ++pos_;
        skip_break();
        is_folded = true;
        part = pos_;
        return true;
      } else if (!scan_escape(out)) {
        return false;
      }
      part = pos_;
    } else {
      ++pos_;
    }
  }
  return true;
}

bool YamlScanner::scan_quoted(YamlToken& token, char quote) {
  token.begin = ++pos_;
  std::string out;
  Fold fold;
  std::size_t part = pos_;
  for (;;) {
    if (is_document_mark()) return fail("found unexpected document indicator", token.begin);
    if (is_at_end()) return fail("found unexpected end of stream", token.begin);
    if (!scan_quoted_word(quote, out, part, fold.is_pending)) return false;
    if (here() == quote) break;
    const std::size_t blanks = pos_;
    for (;;) {
      if (is_blank(pos_)) {
        ++pos_;
      } else if (break_length(pos_) > 0) {
        if (!fold.is_pending) out += text_.substr(part, blanks - part);
        read_break(fold.is_pending ? fold.rest : fold.first);
        fold.is_pending = true;
      } else {
        break;
      }
    }
    if (fold.is_pending) {
      fold.append_to(out);
      part = pos_;
    }
  }
  const std::string_view last = text_.substr(part, pos_ - part);
  token.text = part == token.begin ? last : keep(std::move(out.append(last)));
  ++pos_;
  return true;
}

bool YamlScanner::scan_block_header(int& chomping, int& increment) {
  ++pos_;
  for (int i = 0; i < 2; ++i) {
    const char c = here();
    if ((c == '+' || c == '-') && chomping == 0) {
      chomping = c == '+' ? 1 : -1;
      ++pos_;
    } else if (is_digit(c) && increment == 0) {
      if (c == '0') return fail("found an indentation indicator equal to 0");
      increment = c - '0';
      ++pos_;
    }
  }
  skip_blanks();
  skip_comment();
  if (!is_break_or_end(pos_)) return fail("did not find expected comment or line break");
  if (!is_at_end()) skip_break();
  return true;
}

// The empty lines before a line of text; finds the indentation if it is not known.
bool YamlScanner::scan_block_breaks(int& indent, std::string& breaks) {
  int widest = 0;
  for (;;) {
    while (here() == ' ' && (indent == 0 || column() < indent)) ++pos_;
    const int reached = column();
    widest = std::max(widest, reached);
    if (here() == '\t' && (indent == 0 || reached < indent)) {
      return fail("found a tab character where an indentation space is expected");
    }
    if (break_length(pos_) == 0) break;
    read_break(breaks);
  }
  if (indent == 0) indent = std::max({widest, indent_ + 1, 1});
  return true;
}

bool YamlScanner::scan_block(YamlToken& token, char style) {
  int chomping = 0;
  int increment = 0;
  if (!scan_block_header(chomping, increment)) return false;
  int indent = increment == 0 ? 0 : std::max(indent_, 0) + increment;
  std::string out;
  std::string last_break;
  std::string breaks;
  if (!scan_block_breaks(indent, breaks)) return false;
  token.begin = pos_;
  bool was_blank = false;
  while (!is_at_end() && column() == indent) {
    const bool is_blank_line = is_blank(pos_);
    if (style == '>' && !was_blank && !is_blank_line && last_break.starts_with('\n')) {
      if (breaks.empty()) out += ' ';
    } else {
      out += last_break;
    }
    last_break.clear();
    out += breaks;
    breaks.clear();
    was_blank = is_blank_line;
    const std::size_t line = pos_;
    while (!is_break_or_end(pos_)) ++pos_;
    out += text_.substr(line, pos_ - line);
    if (!is_at_end()) read_break(last_break);
    if (!scan_block_breaks(indent, breaks)) return false;
  }
  if (chomping != -1) out += last_break;
  if (chomping == 1) out += breaks;
  token.text = keep(std::move(out));
  return true;
}

}  // namespace tiphys::spec
