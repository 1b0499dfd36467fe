#include "spec/yaml_scanner.h"

#include <algorithm>

namespace tiphys::spec {

namespace {
constexpr std::size_t kKeyLengthMax = 1024;
constexpr std::size_t kDepthMax = 10'000;
constexpr std::size_t kAtEnd = static_cast<std::size_t>(-1);
}  // namespace

YamlScanner::YamlScanner(std::string_view text) : text_(text) {}

bool YamlScanner::fail(std::string_view message, std::size_t at) {
  fault_ = {message, at};
  return false;
}

const YamlToken* YamlScanner::peek() {
  if (!fault_.message.empty()) return nullptr;
  while (!is_head_sure_) {
    if (!tokens_.empty()) {
      bool may_be_key = false;
      if (!head_may_be_key(may_be_key)) return nullptr;
      if (!may_be_key) break;
    }
    if (!fetch()) return nullptr;
  }
  is_head_sure_ = true;
  return &tokens_.front();
}

void YamlScanner::skip() {
  tokens_.pop_front();
  ++taken_;
  is_head_sure_ = false;
}

// ---- places

std::size_t YamlScanner::break_length(std::size_t i) const {
  const char c = at(i);
  if (c == '\n') return 1;
  if (c == '\r') return at(i + 1) == '\n' ? 2 : 1;
  if (c == '\xC2') return at(i + 1) == '\x85' ? 2 : 0;
  if (c != '\xE2' || at(i + 1) != '\x80') return 0;
  return at(i + 2) == '\xA8' || at(i + 2) == '\xA9' ? 3 : 0;
}

std::size_t YamlScanner::character() {
  for (; counted_ < pos_; ++counted_) {
    if ((static_cast<unsigned char>(text_[counted_]) & 0xC0U) == 0x80) ++continuations_;
  }
  return pos_ - continuations_;
}

bool YamlScanner::is_document_mark() const {
  if (pos_ != line_start_) return false;
  const std::string_view mark = text_.substr(pos_, 3);
  return (mark == "---" || mark == "...") && is_blank_or_end(pos_ + 3);
}

void YamlScanner::skip_blanks() {
  while (is_blank(pos_)) ++pos_;
}

void YamlScanner::skip_comment() {
  if (here() != '#') return;
  while (!is_break_or_end(pos_)) ++pos_;
}

void YamlScanner::skip_break() {
  pos_ += break_length(pos_);
  ++line_;
  line_start_ = pos_;
  line_character_ = character();
}

// A break becomes a line feed; the two of Unicode stay what they are.
void YamlScanner::read_break(std::string& out) {
  if (here() == '\xE2') {
    out += text_.substr(pos_, 3);
  } else {
    out += '\n';
  }
  skip_break();
}

void YamlScanner::skip_to_next_token() {
  for (;;) {
    const bool tabs = keys_.size() > 1 || !is_key_allowed_;
    while (here() == ' ' || (tabs && here() == '\t')) ++pos_;
    skip_comment();
    if (break_length(pos_) == 0) return;
    skip_break();
    if (keys_.size() == 1) is_key_allowed_ = true;
  }
}

// ---- keys that only their `:` shows

bool YamlScanner::check_simple_key(SimpleKey& key, bool& is_valid) {
  is_valid = key.is_possible;
  if (!is_valid) return true;
  if (key.line == line_ && key.character + kKeyLengthMax >= character()) return true;
  if (key.is_required) return fail("could not find expected ':'", key.begin);
  key.is_possible = false;
  is_valid = false;
  return true;
}

// Keys stand in the order of their tokens; several may have the same one, of which one is possible.
bool YamlScanner::head_may_be_key(bool& may_be) {
  auto key = std::ranges::lower_bound(keys_, taken_, {}, &SimpleKey::token);
  for (; key != keys_.end() && key->token == taken_; ++key) {
    if (key->is_possible) return check_simple_key(*key, may_be);
  }
  return true;
}

bool YamlScanner::save_simple_key() {
  if (!is_key_allowed_) return true;
  if (!drop_simple_key()) return false;
  const int column_here = column();
  keys_.back() = {.is_possible = true,
                  .is_required = keys_.size() == 1 && indent_ == column_here,
                  .token = taken_ + tokens_.size(),
                  .begin = pos_,
                  .line = line_,
                  .character = character(),
                  .column = column_here};
  return true;
}

bool YamlScanner::drop_simple_key() {
  SimpleKey& key = keys_.back();
  if (key.is_possible && key.is_required) {
    return fail("could not find expected ':'", key.begin);
  }
  key.is_possible = false;
  return true;
}

// ---- indentation

bool YamlScanner::roll_indent(int column, std::size_t token, TokenKind kind, std::size_t begin) {
  if (keys_.size() > 1 || indent_ >= column) return true;
  indents_.push_back(indent_);
  if (indents_.size() > kDepthMax) return fail("exceeded max depth of 10000");
  indent_ = column;
  const auto where = token == kAtEnd
                         ? tokens_.end()
                         : tokens_.begin() + static_cast<std::ptrdiff_t>(token - taken_);
  tokens_.insert(where, {.kind = kind, .begin = begin});
  return true;
}

void YamlScanner::unroll_indent(int column) {
  if (keys_.size() > 1) return;
  for (; indent_ > column; indents_.pop_back()) {
    push(TokenKind::kBlockEnd);
    indent_ = indents_.back();
  }
}

// ---- tokens

void YamlScanner::push(TokenKind kind) { tokens_.push_back({.kind = kind, .begin = pos_}); }

void YamlScanner::push_mark(TokenKind kind, std::size_t length) {
  push(kind);
  pos_ += length;
}

bool YamlScanner::fetch() {
  skip_to_next_token();
  unroll_indent(keys_.size() > 1 ? 0 : column());
  if (is_at_end()) return fetch_stream_end();
  const char c = here();
  if (pos_ == line_start_ && c == '%') {
    unroll_indent(-1);
    if (!drop_simple_key()) return false;
    is_key_allowed_ = false;
    YamlToken token{.kind = TokenKind::kVersionDirective, .begin = pos_};
    if (!scan_directive(token)) return false;
    tokens_.push_back(token);
    return true;
  }
  if (is_document_mark()) {
    return fetch_document_mark(c == '-' ? TokenKind::kDocumentStart : TokenKind::kDocumentEnd);
  }
  return fetch_indicator(c);
}

bool YamlScanner::fetch_indicator(char c) {
  const bool in_flow = keys_.size() > 1;
  switch (c) {
    case '[':
      return fetch_flow_start(TokenKind::kFlowListStart);
    case '{':
      return fetch_flow_start(TokenKind::kFlowMapStart);
    case ']':
      return fetch_flow_end(TokenKind::kFlowListEnd);
    case '}':
      return fetch_flow_end(TokenKind::kFlowMapEnd);
    case ',':
      return fetch_flow_entry();
    case '-':
      if (is_blank_or_end(pos_ + 1)) return fetch_block_entry();
      break;
    case '?':
      if (in_flow || is_blank_or_end(pos_ + 1)) return fetch_key();
      break;
    case ':':
      if (in_flow || is_blank_or_end(pos_ + 1)) return fetch_value();
      break;
    default:
      return fetch_special(c);
  }
  return fetch_scalar(&YamlScanner::scan_plain, c);
}

bool YamlScanner::fetch_special(char c) {
  const bool in_flow = keys_.size() > 1;
  switch (c) {
    case '*':
    case '&':
    case '!': {
      if (!save_simple_key()) return false;
      is_key_allowed_ = false;
      YamlToken token{.kind = c == '*' ? TokenKind::kAlias : TokenKind::kAnchor, .begin = pos_};
      if (c == '!' ? !scan_tag(token) : !scan_anchor(token)) return false;
      tokens_.push_back(token);
      return true;
    }
    case '|':
    case '>':
      if (in_flow) break;
      if (!drop_simple_key()) return false;
      is_key_allowed_ = true;
      tokens_.push_back({.kind = TokenKind::kScalar, .begin = pos_});
      return scan_block(tokens_.back(), c);
    case '\'':
    case '"':
      return fetch_scalar(&YamlScanner::scan_quoted, c);
    case '\t':
    case '#':
    case '%':
    case '@':
    case '`':
      break;
    default:
      return fetch_scalar(&YamlScanner::scan_plain, c);
  }
  return fail("found character that cannot start any token");
}

bool YamlScanner::fetch_scalar(bool (YamlScanner::*scan)(YamlToken&, char), char c) {
  if (!save_simple_key()) return false;
  is_key_allowed_ = false;
  tokens_.push_back({.kind = TokenKind::kScalar, .begin = pos_});
  return (this->*scan)(tokens_.back(), c);
}

bool YamlScanner::fetch_stream_end() {
  if (is_ended_) {  // again, for whoever goes on asking
    push(TokenKind::kStreamEnd);
    return true;
  }
  if (pos_ != line_start_) {
    line_start_ = pos_;
    line_character_ = character();
    ++line_;
  }
  unroll_indent(-1);
  if (!drop_simple_key()) return false;
  is_key_allowed_ = false;
  is_ended_ = true;
  push(TokenKind::kStreamEnd);
  return true;
}

bool YamlScanner::fetch_document_mark(TokenKind kind) {
  unroll_indent(-1);
  if (!drop_simple_key()) return false;
  is_key_allowed_ = false;
  push_mark(kind, 3);
  return true;
}

bool YamlScanner::fetch_flow_start(TokenKind kind) {
  if (!save_simple_key()) return false;
  keys_.push_back({.token = taken_ + tokens_.size()});
  if (keys_.size() > kDepthMax) return fail("exceeded max depth of 10000");
  is_key_allowed_ = true;
  push_mark(kind, 1);
  return true;
}

bool YamlScanner::fetch_flow_end(TokenKind kind) {
  if (!drop_simple_key()) return false;
  if (keys_.size() > 1) keys_.pop_back();
  is_key_allowed_ = false;
  push_mark(kind, 1);
  return true;
}

bool YamlScanner::fetch_flow_entry() {
  if (!drop_simple_key()) return false;
  is_key_allowed_ = true;
  push_mark(TokenKind::kFlowEntry, 1);
  return true;
}

bool YamlScanner::fetch_block_entry() {
  if (keys_.size() == 1) {
    if (!is_key_allowed_) return fail("block sequence entries are not allowed in this context");
    if (!roll_indent(column(), kAtEnd, TokenKind::kBlockListStart, pos_)) return false;
  }
  if (!drop_simple_key()) return false;
  is_key_allowed_ = true;
  push_mark(TokenKind::kBlockEntry, 1);
  return true;
}

bool YamlScanner::fetch_key() {
  const bool in_block = keys_.size() == 1;
  if (in_block) {
    if (!is_key_allowed_) return fail("mapping keys are not allowed in this context");
    if (!roll_indent(column(), kAtEnd, TokenKind::kBlockMapStart, pos_)) return false;
  }
  if (!drop_simple_key()) return false;
  is_key_allowed_ = in_block;
  push_mark(TokenKind::kKey, 1);
  return true;
}

bool YamlScanner::fetch_value() {
  SimpleKey& key = keys_.back();
  bool has_key = false;
  if (!check_simple_key(key, has_key)) return false;
  if (has_key) {
    const auto where = tokens_.begin() + static_cast<std::ptrdiff_t>(key.token - taken_);
    tokens_.insert(where, {.kind = TokenKind::kKey, .begin = key.begin});
    if (!roll_indent(key.column, key.token, TokenKind::kBlockMapStart, key.begin)) return false;
    key.is_possible = false;
    is_key_allowed_ = false;
  } else {
    const bool in_block = keys_.size() == 1;
    if (in_block) {
      if (!is_key_allowed_) return fail("mapping values are not allowed in this context");
      if (!roll_indent(column(), kAtEnd, TokenKind::kBlockMapStart, pos_)) return false;
    }
    is_key_allowed_ = in_block;
  }
  push_mark(TokenKind::kValue, 1);
  return true;
}

}  // namespace tiphys::spec
