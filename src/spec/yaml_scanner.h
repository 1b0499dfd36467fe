// YAML text to tokens, as the reader of kubectl and argo sees them.
//
// YAML 1.1 with that reader's habits: a `?` ends a plain scalar inside brackets, `\/` is no escape,
// a tab may not stand for indentation. A key without `?` is found by looking ahead for its `:`, on
// the same line and within 1024 characters. Pure. One scanner reads one text once; the tokens'
// views live as long as the scanner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::spec {

enum class TokenKind : std::uint8_t {
  kStreamEnd,
  kVersionDirective,
  kTagDirective,
  kDocumentStart,
  kDocumentEnd,
  kBlockListStart,
  kBlockMapStart,
  kBlockEnd,
  kFlowListStart,
  kFlowListEnd,
  kFlowMapStart,
  kFlowMapEnd,
  kBlockEntry,
  kFlowEntry,
  kKey,
  kValue,
  kAlias,
  kAnchor,
  kTag,
  kScalar,
};

/// One token. `text`: a scalar's value, the name of an anchor, the handle of a tag, the version.
struct YamlToken {
  TokenKind kind = TokenKind::kStreamEnd;
  bool is_plain = false;  // of a scalar: neither quoted nor a block
  std::size_t begin = 0;  // of a quoted scalar or a block: its first character
  std::string_view text = {};
  std::string_view suffix = {};  // of a tag, and what a tag directive stands for
};

/// What is wrong, and at which byte.
struct YamlFault {
  std::string_view message;
  std::size_t at = 0;
};

class YamlScanner {
 public:
  /// `text` must outlive the scanner; it holds no control characters and is UTF-8.
  explicit YamlScanner(std::string_view text);

  /// The next token, which stays; null when the text is wrong there: see fault().
  [[nodiscard]] const YamlToken* peek();
  /// Takes what peek() gave.
  void skip();
  [[nodiscard]] const YamlFault& fault() const { return fault_; }

 private:
  /// A place where a key without `?` may have begun.
  struct SimpleKey {
    bool is_possible = false;
    bool is_required = false;
    std::size_t token = 0;
    std::size_t begin = 0;
    std::size_t line = 0;
    std::size_t character = 0;
    int column = 0;
  };
  /// The line breaks and blanks between two parts of a scalar of several lines.
  struct Fold {
    std::string first;
    std::string rest;
    bool is_pending = false;
    void append_to(std::string& out);
  };

  // yaml_scanner.cc: which token comes next.
  bool fetch();
  bool fetch_indicator(char c);
  bool fetch_special(char c);
  bool fetch_document_mark(TokenKind kind);
  bool fetch_flow_start(TokenKind kind);
  bool fetch_flow_end(TokenKind kind);
  bool fetch_flow_entry();
  bool fetch_block_entry();
  bool fetch_key();
  bool fetch_value();
  bool fetch_stream_end();
  bool fetch_scalar(bool (YamlScanner::*scan)(YamlToken&, char), char c);
  void push(TokenKind kind);
  void push_mark(TokenKind kind, std::size_t length);
  void skip_to_next_token();
  bool save_simple_key();
  bool drop_simple_key();
  bool check_simple_key(SimpleKey& key, bool& is_valid);
  bool head_may_be_key(bool& may_be);
  bool roll_indent(int column, std::size_t token, TokenKind kind, std::size_t begin);
  void unroll_indent(int column);

  // yaml_scalars.cc: the text of scalars.
  bool scan_plain(YamlToken& token, char c);
  bool scan_quoted(YamlToken& token, char quote);
  bool scan_quoted_word(char quote, std::string& out, std::size_t& part, bool& is_folded);
  bool scan_escape(std::string& out);
  bool scan_block(YamlToken& token, char style);
  bool scan_block_header(int& chomping, int& increment);
  bool scan_block_breaks(int& indent, std::string& breaks);
  bool ends_plain(std::size_t at) const;

  // yaml_names.cc: anchors, tags, directives.
  bool scan_anchor(YamlToken& token);
  bool scan_tag(YamlToken& token);
  bool scan_tag_handle(bool is_directive, std::string_view& handle);
  bool scan_tag_uri(std::string_view head, std::string_view& uri);
  bool scan_uri_escape(std::string& out);
  bool scan_directive(YamlToken& token);
  bool scan_version(YamlToken& token);
  bool scan_tag_directive(YamlToken& token);

  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  char here() const { return at(pos_); }
  bool is_at_end() const { return pos_ >= text_.size(); }
  std::size_t break_length(std::size_t at) const;
  bool is_blank(std::size_t i) const { return at(i) == ' ' || at(i) == '\t'; }
  bool is_break_or_end(std::size_t i) const { return i >= text_.size() || break_length(i) > 0; }
  bool is_blank_or_end(std::size_t i) const { return is_blank(i) || is_break_or_end(i); }
  bool is_document_mark() const;
  void skip_blanks();
  void skip_comment();
  void skip_break();
  void read_break(std::string& out);
  std::size_t character();
  int column() { return static_cast<int>(character() - line_character_); }
  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }
  bool fail(std::string_view message, std::size_t at);
  bool fail(std::string_view message) { return fail(message, pos_); }

  std::string_view text_;
  std::size_t pos_ = 0;
  std::size_t line_start_ = 0;
  std::size_t line_ = 0;
  // Characters before a place: counted up to counted_ only when somebody asks.
  std::size_t counted_ = 0;
  std::size_t continuations_ = 0;
  std::size_t line_character_ = 0;

  std::deque<YamlToken> tokens_;
  std::size_t taken_ = 0;      // tokens taken so far: the number of the first one in tokens_
  bool is_head_sure_ = false;  // no key can begin before the first token any more
  bool is_ended_ = false;
  bool is_key_allowed_ = true;
  int indent_ = -1;
  std::vector<int> indents_;
  std::vector<SimpleKey> keys_{SimpleKey{}};  // one for each level of brackets
  std::deque<std::string> kept_;              // texts that do not stand in the source as they are
  YamlFault fault_;
};

}  // namespace tiphys::spec
