#include "spec/yaml_reader.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "spec/deeper.h"
#include "spec/open_map.h"
#include "spec/scalar.h"
#include "spec/yaml_scanner.h"
#include "spec/yaml_source.h"
#include "value/json.h"

namespace tiphys::spec {
namespace {

using diag::Code;
using diag::Position;
using diag::Result;
using value::List;
using value::Map;
using value::Value;
using Part = Positions::Part;
using Kind = TokenKind;

// Argo's library allows about as many values that only aliases make.
constexpr std::size_t kAliasedValuesMax = 400'000;
// Argo's library allows 10,000; here each level takes stack, and no manifest has a hundred.
constexpr int kDepthMax = 1000;

/// A value as it was read. `is_merge`: the plain scalar `<<`, which is special as a key.
struct Node {
  Value value = {};
  std::size_t size = 1;
  bool is_merge = false;
  bool is_alias = false;
  std::size_t at = 0;
};

/// What stands before a value.
struct Properties {
  std::string_view anchor = {};
  std::optional<std::string> tag = {};
};

/// Reads tokens; the calls follow the nesting of the document.
class Reader {
 public:
  Reader(std::string_view text, const YamlStyle& style)
      : style_(style), source_(text, style), scanner_(text) {}

  Result<YamlDocument> read() {
    TRY_VOID(source_.check());
    YamlDocument document{{}, std::make_shared<Positions>(style_.file)};
    positions_ = document.positions.get();
    TRY(const bool is_marked, read_directives());
    TRY(const YamlToken* token, peek());
    if (!is_marked && token->kind == Kind::kStreamEnd) return document;
    const bool is_empty =
        is_marked && (is_directive(token->kind) || token->kind == Kind::kDocumentStart ||
                      token->kind == Kind::kDocumentEnd || token->kind == Kind::kStreamEnd);
    if (!is_empty) {
      TRY(Node node, read_node(true, false, Positions::kRoot));
      document.value = std::move(node.value);
    }
    TRY_VOID(peek());  // a fault right behind the document's last value is told, too
    if (first_duplicate_) return std::unexpected(std::move(*first_duplicate_));
    return document;
  }

 private:
  struct Anchor {
    Value value;
    std::size_t size = 0;
  };

  static bool is_directive(Kind kind) {
    return kind == Kind::kVersionDirective || kind == Kind::kTagDirective;
  }

  auto fail(std::string_view message, std::size_t at) const { return source_.fail(message, at); }

  Result<const YamlToken*> peek() {
    const YamlToken* token = scanner_.peek();
    if (token == nullptr) return fail(scanner_.fault().message, scanner_.fault().at);
    return token;
  }

  /// Takes the token that was peeked at and gives the kind of the next one.
  Result<Kind> next() {
    scanner_.skip();
    TRY(const YamlToken* token, peek());
    return token->kind;
  }

  /// True if the document begins with `---`.
  Result<bool> read_directives() {
    bool has_version = false;
    for (;;) {
      TRY(const YamlToken* token, peek());
      const bool has_directives = has_version || !tag_handles_.empty();
      if (token->kind == Kind::kVersionDirective) {
        if (std::exchange(has_version, true)) {
          return fail("found duplicate %YAML directive", token->begin);
        }
        if (token->text != "1.1" && token->text != "01.1" && token->text != "1.01" &&
            token->text != "01.01") {
          return fail("found incompatible YAML document", token->begin);
        }
      } else if (token->kind == Kind::kTagDirective) {
        if (!tag_handles_.emplace(token->text, token->suffix).second) {
          return fail("found duplicate %TAG directive", token->begin);
        }
      } else if (token->kind == Kind::kDocumentStart) {
        scanner_.skip();
        return true;
      } else if (has_directives) {
        return fail("did not find expected <document start>", token->begin);
      } else {
        return false;
      }
      scanner_.skip();
    }
  }

  void set_place(Part part, std::size_t at) {
    if (positions_ == nullptr) return;
    const auto [line, column] = source_.place_of(at);
    positions_->set_value(part, line, column);
  }

  Part add_part(Part parent, std::string token) {
    return positions_ == nullptr ? Positions::kRoot : positions_->add(parent, std::move(token));
  }

  /// An anchor and a tag, in any order.
  Result<Properties> read_properties() {
    Properties out;
    for (;;) {
      TRY(const YamlToken* token, peek());
      if (token->kind == Kind::kAnchor && out.anchor.empty()) {
        out.anchor = token->text;
      } else if (token->kind == Kind::kTag && !out.tag) {
        TRY(out.tag, tag_of(*token));
      } else {
        return out;
      }
      scanner_.skip();
    }
  }

  Result<std::string> tag_of(const YamlToken& token) const {
    std::string prefix(token.text);
    if (const auto found = tag_handles_.find(token.text); found != tag_handles_.end()) {
      prefix = found->second;
    } else if (token.text == "!!") {
      prefix = "tag:yaml.org,2002:";
    } else if (!token.text.empty() && token.text != "!") {
      return fail("found undefined tag handle", token.begin);
    }
    return prefix + std::string(token.suffix);
  }

  /// A value. `in_block`: outside of brackets; `may_be_flat`: a list may stand in the column of the
  /// key that it belongs to.
  Result<Node> read_node(bool in_block, bool may_be_flat, Part part) {
    TRY(const YamlToken* token, peek());
    std::size_t at = token->begin;
    if (depth_ > kDepthMax) return fail(fmt::format("exceeded max depth of {}", kDepthMax), at);
    const Deeper deeper(depth_);
    if (token->kind == Kind::kAlias) return read_alias(*token, part);
    TRY(const Properties properties, read_properties());
    TRY(token, peek());
    const bool is_flat = may_be_flat && token->kind == Kind::kBlockEntry;
    if (token->kind == Kind::kScalar) {
      const YamlToken scalar = *token;
      scanner_.skip();
      return finish_scalar(scalar, properties, part);
    }
    const bool is_list = is_flat || token->kind == Kind::kFlowListStart ||
                         (in_block && token->kind == Kind::kBlockListStart);
    const bool is_map =
        token->kind == Kind::kFlowMapStart || (in_block && token->kind == Kind::kBlockMapStart);
    if (!is_list && !is_map) {
      if (properties.anchor.empty() && !properties.tag) {
        return fail("did not find expected node content", token->begin);
      }
      const YamlToken empty{.kind = Kind::kScalar, .is_plain = true, .begin = at};
      return finish_scalar(empty, properties, part);
    }
    at = token->begin;
    set_place(part, at);
    if (!properties.anchor.empty()) open_anchors_.push_back(properties.anchor);
    const Kind kind = token->kind;
    if (!is_flat) scanner_.skip();
    TRY(Node node, is_map ? read_map(kind, part) : read_list(kind, part));
    if (!properties.anchor.empty()) open_anchors_.pop_back();
    node.at = at;
    remember(properties.anchor, node);
    return node;
  }

  Result<Node> finish_scalar(const YamlToken& token, const Properties& properties, Part part) {
    // An empty scalar has no place of its own; the key is near.
    Node node{.at = token.text.empty() && !reading_key_ ? last_key_at_ : token.begin};
    set_place(part, node.at);
    if (properties.tag && !properties.tag->empty()) {
      const std::string& tag = *properties.tag;
      node.is_merge = token.text == "<<" && (tag == "!" || tag == "tag:yaml.org,2002:merge");
      auto resolved = resolve_tagged(tag, token.text);
      if (!resolved) {
        resolved.error().at = source_.position_at(node.at);
        return std::unexpected(std::move(resolved).error());
      }
      node.value = std::move(*resolved);
    } else if (token.is_plain) {
      node.is_merge = token.text == "<<";
      node.value = resolve_plain(token.text);
    } else {
      node.value = Value(token.text);
    }
    if (node.value.is_float() && !std::isfinite(node.value.as_float()) && !reading_key_) {
      return diag::fail(Code::kInvalidManifest,
                        "json: unsupported value: " + any_string_of(node.value),
                        source_.position_at(node.at));
    }
    remember(properties.anchor, node);
    return node;
  }

  Node read_nothing(Part part) {  // `a:`, `-`
    set_place(part, last_key_at_);
    return {.at = last_key_at_};
  }

  void remember(std::string_view anchor, const Node& node) {
    if (anchor.empty()) return;
    anchors_.insert_or_assign(std::string(anchor), Anchor{node.value, node.size});
  }

  Result<Node> read_alias(const YamlToken& token, Part part) {
    const std::string_view name = token.text;
    const std::size_t at = token.begin;
    set_place(part, at);
    if (std::ranges::find(open_anchors_, name) != open_anchors_.end()) {
      return fail(fmt::format("anchor '{}' value contains itself", name), at);
    }
    const auto it = anchors_.find(name);
    if (it == anchors_.end()) {
      return fail(fmt::format("unknown anchor '{}' referenced", name), at);
    }
    aliased_values_ += it->second.size;
    if (aliased_values_ > kAliasedValuesMax) {
      return fail("document contains excessive aliasing", at);
    }
    scanner_.skip();
    return Node{.value = it->second.value, .size = it->second.size, .is_alias = true, .at = at};
  }

  /// The elements of a list whose first token was taken.
  Result<Node> read_list(Kind start, Part part) {
    Node node;
    List list;
    const auto add = [&](Node element) {
      node.size += element.size;
      list.push_back(std::move(element.value));
    };
    const auto child = [&] { return add_part(part, std::to_string(list.size())); };
    if (start == Kind::kFlowListStart) {
      TRY_VOID(read_flow_list(add, child));
    } else {
      TRY_VOID(read_block_list(start == Kind::kBlockEntry, add, child));
    }
    node.value = Value(std::move(list));
    return node;
  }

  Result<void> read_block_list(bool is_flat, const auto& add, const auto& child) {
    for (;;) {
      TRY(const YamlToken* token, peek());
      if (token->kind != Kind::kBlockEntry) {
        if (is_flat) return {};
        if (token->kind != Kind::kBlockEnd) {
          return fail("did not find expected '-' indicator", token->begin);
        }
        scanner_.skip();
        return {};
      }
      last_key_at_ = token->begin;
      TRY(const Kind kind, next());
      const bool is_empty = kind == Kind::kBlockEntry || kind == Kind::kBlockEnd ||
                            (is_flat && (kind == Kind::kKey || kind == Kind::kValue));
      const Part place = child();
      if (is_empty) {
        add(read_nothing(place));
      } else {
        TRY(Node element, read_node(true, false, place));
        add(std::move(element));
      }
    }
  }

  Result<void> read_flow_list(const auto& add, const auto& child) {
    for (bool is_first = true;; is_first = false) {
      TRY(const YamlToken* token, peek());
      if (token->kind != Kind::kFlowListEnd && !is_first) {
        if (token->kind != Kind::kFlowEntry) {
          return fail("did not find expected ',' or ']'", token->begin);
        }
        scanner_.skip();
        TRY(token, peek());
      }
      if (token->kind == Kind::kFlowListEnd) {
        scanner_.skip();
        return {};
      }
      last_key_at_ = token->begin;
      const Part place = child();
      TRY(Node element,
          token->kind == Kind::kKey ? read_pair(place) : read_node(false, false, place));
      add(std::move(element));
    }
  }

  /// `[a: b]`: a map of one entry without braces.
  Result<Node> read_pair(Part part) {
    TRY(const YamlToken* start, peek());
    Node node{.at = start->begin};
    set_place(part, node.at);
    OpenMap open;
    TRY(const Kind kind, next());
    Node key{.at = node.at};
    if (kind == Kind::kValue || kind == Kind::kFlowEntry || kind == Kind::kFlowListEnd) {
      scanner_.skip();  // as Argo's reader: what follows is no value of this key
    } else {
      TRY(key, read_key(false));
    }
    TRY_VOID(read_entry(open, std::move(key), Kind::kFlowListEnd, part, node));
    node.value = Value(open.take());
    return node;
  }

  Result<Node> read_map(Kind start, Part part) {
    Node node;
    OpenMap open;
    if (start == Kind::kFlowMapStart) {
      TRY_VOID(read_flow_map(open, part, node));
    } else {
      TRY_VOID(read_block_map(open, part, node));
    }
    node.value = Value(open.take());
    return node;
  }

  Result<void> read_block_map(OpenMap& open, Part part, Node& node) {
    for (;;) {
      TRY(const YamlToken* token, peek());
      if (token->kind == Kind::kBlockEnd) {
        scanner_.skip();
        return {};
      }
      if (token->kind != Kind::kKey) return fail("did not find expected key", token->begin);
      Node key{.at = token->begin};
      TRY(const Kind kind, next());
      if (kind != Kind::kKey && kind != Kind::kValue && kind != Kind::kBlockEnd) {
        TRY(key, read_key(true));
      }
      TRY_VOID(read_entry(open, std::move(key), Kind::kBlockEnd, part, node));
    }
  }

  Result<void> read_flow_map(OpenMap& open, Part part, Node& node) {
    for (bool is_first = true;; is_first = false) {
      TRY(const YamlToken* token, peek());
      if (token->kind != Kind::kFlowMapEnd && !is_first) {
        if (token->kind != Kind::kFlowEntry) {
          return fail("did not find expected ',' or '}'", token->begin);
        }
        scanner_.skip();
        TRY(token, peek());
      }
      if (token->kind == Kind::kFlowMapEnd) {
        scanner_.skip();
        return {};
      }
      Node key{.at = token->begin};
      if (token->kind == Kind::kKey) {
        TRY(const Kind kind, next());
        if (kind != Kind::kValue && kind != Kind::kFlowEntry && kind != Kind::kFlowMapEnd) {
          TRY(key, read_key(false));
        }
        TRY_VOID(read_entry(open, std::move(key), Kind::kFlowMapEnd, part, node));
      } else {
        TRY(key, read_key(false));
        TRY_VOID(set_entry(open, key, std::nullopt, part, node));
      }
    }
  }

  Result<Node> read_key(bool in_block) {
    Positions* const saved = std::exchange(positions_, nullptr);
    const bool was_reading = std::exchange(reading_key_, true);
    auto key = read_node(in_block, in_block, Positions::kRoot);
    reading_key_ = was_reading;
    positions_ = saved;
    return key;
  }

  /// What stands behind a key, up to the next one or `end`.
  Result<void> read_entry(OpenMap& open, Node key, Kind end, Part part, Node& node) {
    const bool in_block = end == Kind::kBlockEnd;
    TRY(const YamlToken* token, peek());
    if (token->kind != Kind::kValue) return set_entry(open, key, std::nullopt, part, node);
    TRY(const Kind kind, next());
    const bool is_empty = kind == end || (in_block ? kind == Kind::kKey || kind == Kind::kValue
                                                   : kind == Kind::kFlowEntry);
    if (is_empty) return set_entry(open, key, std::nullopt, part, node);
    return set_entry(open, key, in_block, part, node);
  }

  /// Reads the value, if there is one (`in_block` says where), and sets the key to it.
  Result<void> set_entry(OpenMap& open, const Node& key, std::optional<bool> in_block, Part part,
                         Node& node) {
    auto text = key_text(key.value);
    if (!text) {
      text.error().at = source_.position_at(key.at);
      return std::unexpected(std::move(text).error());
    }
    last_key_at_ = key.at;
    const Part child = key.is_merge ? part : add_part(part, escape_token(*text));
    Node v;
    if (in_block) {
      TRY(v, read_node(*in_block, *in_block, child));
    } else {
      v = read_nothing(child);
    }
    node.size += v.size;
    if (key.is_merge) {
      set_place(part, node.at);
      return merge(open, v, key.at);
    }
    if (positions_ != nullptr) {
      const auto [line, column] = source_.place_of(key.at);
      positions_->set_key(child, line, column);
    }
    set(open, *text, std::move(v.value), key.at);
    return {};
  }

  /// Sets `key`; a second time only where `is_strict` is off.
  void set(OpenMap& open, const std::string& key, Value v, std::size_t at) {
    if (open.set(key, std::move(v)) || !style_.is_strict || first_duplicate_) return;
    const Position where = source_.position_at(at);
    first_duplicate_ = diag::Error{Code::kInvalidManifest,
                                   fmt::format("yaml: line {}: key {} already set in map",
                                               where.line, value::to_json(Value(key))),
                                   where};
  }

  Result<void> merge(OpenMap& open, const Node& from, std::size_t at) {
    if (from.value.is_map()) {
      for (const auto& [key, v] : from.value.map()) set(open, key, v, at);
      return {};
    }
    const bool is_fine = from.value.is_list() && !from.is_alias &&
                         std::ranges::all_of(from.value.list(), &Value::is_map);
    if (!is_fine) return fail("map merge requires map or sequence of maps as the value", at);
    const List& list = from.value.list();
    for (std::size_t i = list.size(); i-- > 0;) {  // backwards: the first one wins
      for (const auto& [key, v] : list[i].map()) set(open, key, v, at);
    }
    return {};
  }

  const YamlStyle& style_;
  YamlSource source_;
  YamlScanner scanner_;
  Positions* positions_ = nullptr;  // null while a key is read
  std::map<std::string, std::string, std::less<>> tag_handles_;
  std::map<std::string, Anchor, std::less<>> anchors_;
  std::vector<std::string_view> open_anchors_;
  std::size_t aliased_values_ = 0;
  int depth_ = 0;
  bool reading_key_ = false;
  std::size_t last_key_at_ = 0;
  std::optional<diag::Error> first_duplicate_;
};

}  // namespace

Result<YamlDocument> read_yaml(std::string_view text, const YamlStyle& style) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Reader(text, style).read();
}

}  // namespace tiphys::spec
