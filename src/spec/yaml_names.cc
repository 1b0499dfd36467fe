// Anchors, aliases, tags and directives.
#include <utility>

#include "spec/yaml_scanner.h"

namespace tiphys::spec {

namespace {

bool is_name_character(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') || c == '_' || c == '-';
}

bool is_one_of(char c, std::string_view set) {
  return c != '\0' && set.find(c) != std::string_view::npos;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

bool YamlScanner::scan_anchor(YamlToken& token) {
  const std::size_t begin = ++pos_;
  while (is_name_character(here())) ++pos_;
  token.text = text_.substr(begin, pos_ - begin);
  if (token.text.empty() || (!is_blank_or_end(pos_) && !is_one_of(here(), "?:,]}%@`"))) {
    return fail("did not find expected alphabetic or numeric character", token.begin);
  }
  return true;
}

bool YamlScanner::scan_tag(YamlToken& token) {
  token.kind = TokenKind::kTag;
  if (at(pos_ + 1) == '<') {
    pos_ += 2;
    if (!scan_tag_uri("", token.suffix)) return false;
    if (here() != '>') return fail("did not find the expected '>'", token.begin);
    ++pos_;
  } else {
    std::string_view handle;
    if (!scan_tag_handle(false, handle)) return false;
    if (handle.size() > 1 && handle.ends_with('!')) {
      token.text = handle;
      if (!scan_tag_uri("", token.suffix)) return false;
    } else {
      if (!scan_tag_uri(handle, token.suffix)) return false;
      token.text = "!";
      if (token.suffix.empty()) std::swap(token.text, token.suffix);
    }
  }
  if (!is_blank_or_end(pos_)) {
    return fail("did not find expected whitespace or line break", token.begin);
  }
  return true;
}

bool YamlScanner::scan_tag_handle(bool is_directive, std::string_view& handle) {
  const std::size_t begin = pos_;
  if (here() != '!') return fail("did not find expected '!'");
  ++pos_;
  while (is_name_character(here())) ++pos_;
  if (here() == '!') {
    ++pos_;
  } else if (is_directive && pos_ - begin > 1) {
    return fail("did not find expected '!'");
  }
  handle = text_.substr(begin, pos_ - begin);
  return true;
}

// `head`: a handle that turned out to be the beginning of the tag, `!` first.
bool YamlScanner::scan_tag_uri(std::string_view head, std::string_view& uri) {
  std::string out(head.empty() ? head : head.substr(1));
  const std::size_t begin = pos_;
  while (is_name_character(here()) || is_one_of(here(), ";/?:@&=+$,.!~*'()[]%")) {
    if (here() == '%') {
      if (!scan_uri_escape(out)) return false;
    } else {
      out += text_[pos_++];
    }
  }
  if (head.empty() && pos_ == begin) return fail("did not find expected tag URI");
  uri = keep(std::move(out));
  return true;
}

bool YamlScanner::scan_uri_escape(std::string& out) {
  std::size_t left = 1;
  for (bool is_first = true; left > 0; --left) {
    const int high = hex_value(at(pos_ + 1));
    const int low = hex_value(at(pos_ + 2));
    if (here() != '%' || high < 0 || low < 0) return fail("did not find URI escaped octet");
    const auto octet = static_cast<unsigned>(high * 16 + low);
    if (is_first) {
      left = octet < 0x80 ? 1 : octet >= 0xF0 ? 4 : octet >= 0xE0 ? 3 : 2;
      if (octet >= 0xF8 || (octet >= 0x80 && octet < 0xC0)) {
        return fail("found an incorrect leading UTF-8 octet");
      }
      is_first = false;
    } else if ((octet & 0xC0U) != 0x80) {
      return fail("found an incorrect trailing UTF-8 octet");
    }
    out += static_cast<char>(octet);
    pos_ += 3;
  }
  return true;
}

bool YamlScanner::scan_directive(YamlToken& token) {
  const std::size_t name = ++pos_;
  while (is_name_character(here())) ++pos_;
  const std::string_view what = text_.substr(name, pos_ - name);
  if (what.empty()) return fail("could not find expected directive name", token.begin);
  if (!is_blank_or_end(pos_)) {
    return fail("found unexpected non-alphabetical character", token.begin);
  }
  if (what == "YAML") {
    if (!scan_version(token)) return false;
  } else if (what == "TAG") {
    if (!scan_tag_directive(token)) return false;
  } else {
    return fail("found unknown directive name", token.begin);
  }
  skip_blanks();
  skip_comment();
  if (!is_break_or_end(pos_)) {
    return fail("did not find expected comment or line break", token.begin);
  }
  if (!is_at_end()) skip_break();
  return true;
}

bool YamlScanner::scan_version(YamlToken& token) {
  skip_blanks();
  const std::size_t begin = pos_;
  for (int part = 0; part < 2; ++part) {
    const std::size_t number = pos_;
    while (here() >= '0' && here() <= '9') ++pos_;
    if (pos_ == number) return fail("did not find expected version number", token.begin);
    if (pos_ - number > 2) return fail("found extremely long version number", token.begin);
    if (part == 1) break;
    if (here() != '.') return fail("did not find expected digit or '.' character", token.begin);
    ++pos_;
  }
  token.text = text_.substr(begin, pos_ - begin);
  return true;
}

bool YamlScanner::scan_tag_directive(YamlToken& token) {
  token.kind = TokenKind::kTagDirective;
  skip_blanks();
  if (!scan_tag_handle(true, token.text)) return false;
  if (!is_blank(pos_)) return fail("did not find expected whitespace", token.begin);
  skip_blanks();
  if (!scan_tag_uri("", token.suffix)) return false;
  if (!is_blank_or_end(pos_)) {
    return fail("did not find expected whitespace or line break", token.begin);
  }
  return true;
}

}  // namespace tiphys::spec
