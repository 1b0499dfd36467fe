#include "spec/yaml_reader.h"

#include <libfyaml.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "spec/scalar.h"
#include "value/json.h"

namespace tiphys::spec {
namespace {

using diag::Code;
using diag::Position;
using diag::Result;
using value::List;
using value::Map;
using value::Value;

// Argo's library allows about as many values that only aliases make.
constexpr std::size_t kAliasedValuesMax = 400'000;
// Argo's library allows 10,000; here each level takes stack, and no manifest has a hundred.
constexpr int kDepthMax = 1000;

struct ParserDeleter {
  void operator()(fy_parser* p) const { fy_parser_destroy(p); }
};
struct DiagDeleter {
  void operator()(fy_diag* d) const { fy_diag_destroy(d); }
};

/// What an anchor stands for, and of how many values it is made.
struct Anchor {
  Value value;
  std::size_t size = 0;
};

/// A value as it was read. `is_merge`: the plain scalar `<<`, which is special as a key.
struct Node {
  Value value = {};
  std::size_t size = 1;
  bool is_merge = false;
  Position at = {};
};

std::string token_text(fy_token* token) {
  std::size_t size = 0;
  const char* text = token == nullptr ? nullptr : fy_token_get_text(token, &size);
  return text == nullptr ? std::string() : std::string(text, size);
}

/// Counts a level for as long as it lives.
class Deeper {
 public:
  explicit Deeper(int& depth) : depth_(depth) { ++depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
  ~Deeper() { --depth_; }

 private:
  int& depth_;
};

/// The bytes of the character that `text` begins with; 0 when it is not UTF-8. `text` is not empty.
std::size_t utf8_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool is_beyond = (first == 0xED && second >= 0xA0) || (first == 0xF4 && second >= 0x90);
  return is_overlong || is_beyond ? 0 : length;
}

/// Reads events; the calls follow the nesting of the document.
class Reader {
 public:
  Reader(std::string_view text, const YamlStyle& style) : text_(text), style_(style) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') line_starts_.push_back(i + 1);
    }
  }

  Result<YamlDocument> read() {
    TRY_VOID(check_characters());
    TRY_VOID(open());
    YamlDocument document{{}, std::make_shared<Positions>()};
    positions_ = document.positions.get();
    for (;;) {
      TRY(Event event, next());
      if (!event || event->type == FYET_STREAM_END) return document;
      if (event->type == FYET_STREAM_START) continue;
      if (event->type == FYET_DOCUMENT_START) {
        TRY_VOID(check_version(event->document_start.document_state));
        continue;
      }
      TRY(Node node, read_node(event, ""));
      document.value = std::move(node.value);
      TRY(Event end, next());  // a fault behind the document's last value is told, too
      if (first_duplicate_) return std::unexpected(std::move(*first_duplicate_));
      return document;
    }
  }

 private:
  struct EventDeleter {
    fy_parser* parser = nullptr;
    void operator()(fy_event* e) const { fy_parser_event_free(parser, e); }
  };
  using Event = std::unique_ptr<fy_event, EventDeleter>;

  Result<void> open() {
    fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = nullptr;
    diag_config.level = FYET_ERROR;
    diag_.reset(fy_diag_create(&diag_config));
    if (!diag_) return diag::fail(Code::kInternal, "yaml: no memory for the reader");
    fy_diag_set_collect_errors(diag_.get(), true);
    fy_parse_cfg config{};
    config.flags = static_cast<fy_parse_cfg_flags>(
        FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_1 | FYPCF_JSON_NONE |
        FYPCF_SLOPPY_FLOW_INDENTATION | FYPCF_ALLOW_DUPLICATE_KEYS);
    config.diag = diag_.get();
    parser_.reset(fy_parser_create(&config));
    if (!parser_ || fy_parser_set_string(parser_.get(), text_.data(), text_.size()) != 0) {
      return diag::fail(Code::kInternal, "yaml: the reader cannot be made");
    }
    return {};
  }

  /// Refuses what Argo's reader refuses and ours takes: control characters, a text that begins with
  /// an end mark.
  Result<void> check_characters() const {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const auto c = static_cast<unsigned char>(text_[i]);
      if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F) {
        return diag::fail(Code::kInvalidManifest, "yaml: control characters are not allowed",
                          position_at(i));
      }
      if (c >= 0x80) {  // libfyaml never ends on a directive that is not UTF-8
        const std::size_t length = utf8_length(text_.substr(i));
        if (length == 0) {
          return diag::fail(Code::kInvalidManifest, "yaml: invalid UTF-8", position_at(i));
        }
        i += length - 1;
      }
    }
    for (const std::size_t start : line_starts_) {
      const std::string_view line = text_.substr(start, text_.find('\n', start) - start);
      if (line.find_first_not_of(" \t\r") == std::string_view::npos || line[0] == '#') continue;
      if (line != "..." && !line.starts_with("... ")) break;
      return diag::fail(Code::kInvalidManifest, "yaml: did not find expected node content",
                        position_at(start));
    }
    return {};
  }

  static Result<void> check_version(fy_document_state* state) {
    const fy_version* version = fy_document_state_version(state);
    if (fy_document_state_version_explicit(state) && version != nullptr && version->minor != 1) {
      return diag::fail(Code::kInvalidManifest, "yaml: found incompatible YAML document");
    }
    return {};
  }

  Position position_at(std::size_t offset) const {
    const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
    const std::size_t line = static_cast<std::size_t>(next - line_starts_.begin()) - 1;
    return {style_.file, style_.first_line + static_cast<int>(line),
            static_cast<int>(offset - line_starts_[line]) + 1};
  }

  /// The next event; null at the end of the text. Errors: what the parser says is wrong.
  Result<Event> next() {
    Event event(fy_parser_parse(parser_.get()), EventDeleter{parser_.get()});
    if (event) return event;
    void* previous = nullptr;
    if (const fy_diag_error* e = fy_diag_errors_iterate(diag_.get(), &previous)) {
      return diag::fail(
          Code::kInvalidManifest, fmt::format("yaml: {}", e->msg),
          {style_.file, style_.first_line + std::max(e->line, 1) - 1, std::max(e->column, 1)});
    }
    if (fy_parser_get_stream_error(parser_.get())) {
      return diag::fail(Code::kInvalidManifest, "yaml: the text cannot be read",
                        {style_.file, style_.first_line, 1});
    }
    return event;
  }

  Position position_of(fy_event* event) const {
    if (event->type == FYET_SCALAR && fy_event_start_mark(event) != nullptr &&
        event->scalar.value != nullptr && token_text(event->scalar.value).empty()) {
      // The parser gives empty scalars no place; the end of the key is near.
      return last_key_at_;
    }
    const fy_mark* mark = fy_event_start_mark(event);
    if (mark == nullptr) return {style_.file, style_.first_line, 1};
    std::size_t offset = std::min(mark->input_pos, text_.size());
    // The text of a block scalar begins behind its indentation.
    while (offset < text_.size() && text_[offset] == ' ') ++offset;
    return position_at(offset);
  }

  Result<Node> read_node(const Event& event, const std::string& pointer) {
    const Position at = position_of(event.get());
    if (positions_ != nullptr) positions_->set_value(pointer, at);
    if (depth_ > kDepthMax) {
      return diag::fail(Code::kInvalidManifest,
                        fmt::format("yaml: exceeded max depth of {}", kDepthMax), at);
    }
    const Deeper deeper(depth_);
    switch (event->type) {
      case FYET_SCALAR:
        return read_scalar(event, at);
      case FYET_ALIAS:
        return read_alias(event, at);
      case FYET_SEQUENCE_START:
        return read_list(event, pointer, at);
      case FYET_MAPPING_START:
        return read_map(event, pointer, at);
      default:
        return diag::fail(Code::kInvalidManifest, "yaml: did not find expected node content", at);
    }
  }

  Result<Node> read_scalar(const Event& event, const Position& at) {
    const fy_event_scalar_data& scalar = event->scalar;
    const std::string text = token_text(scalar.value);
    const std::string tag = token_text(scalar.tag);
    const fy_scalar_style style =
        scalar.value == nullptr ? FYSS_PLAIN : fy_scalar_token_get_style(scalar.value);
    Node node{.at = at};
    if (scalar.tag != nullptr) {
      auto resolved = resolve_tagged(tag, text);
      if (!resolved) {
        resolved.error().at = at;
        return std::unexpected(std::move(resolved).error());
      }
      node.value = std::move(*resolved);
    } else if (style == FYSS_PLAIN || style == FYSS_ANY) {
      node.is_merge = text == "<<";
      node.value = resolve_plain(text);
    } else {
      TRY(node.value, quoted_or_block(scalar.value, text, style, at));
    }
    if (node.value.is_float() && !std::isfinite(node.value.as_float()) && !reading_key_) {
      return diag::fail(Code::kInvalidManifest,
                        "json: unsupported value: " + any_string_of(node.value), at);
    }
    remember(scalar.anchor, node);
    return node;
  }

  /// The text of a scalar that isn't plain.
  Result<Value> quoted_or_block(fy_token* token, std::string text, fy_scalar_style style,
                                const Position& at) const {
    const fy_mark* start = fy_token_start_mark(token);
    const fy_mark* end = fy_token_end_mark(token);
    if (start == nullptr || end == nullptr) return Value(std::move(text));
    const bool is_block = style == FYSS_LITERAL || style == FYSS_FOLDED;
    // Argo's reader adds no line break that the text doesn't have at its end.
    if (is_block && end->input_pos >= text_.size() && !text_.ends_with('\n') &&
        text.ends_with('\n')) {
      text.pop_back();
    }
    if (style == FYSS_DOUBLE_QUOTED && end->input_pos <= text_.size() &&
        has_surrogate_escape(text_.substr(start->input_pos, end->input_pos - start->input_pos))) {
      return diag::fail(Code::kInvalidManifest, "yaml: found invalid Unicode character escape code",
                        at);
    }
    if (style == FYSS_SINGLE_QUOTED && end->input_pos <= text_.size()) {
      const std::string_view raw =
          text_.substr(start->input_pos, end->input_pos - start->input_pos);
      // libfyaml 0.7.12 garbles two escaped quotes in a row; a text of one line is read here.
      if (raw.find("''''") != std::string_view::npos && raw.find('\n') == std::string_view::npos) {
        return Value(unescape_single_quoted(raw));
      }
    }
    return Value(std::move(text));
  }

  static std::string unescape_single_quoted(std::string_view raw) {
    if (raw.size() >= 2 && raw.front() == '\'' && raw.back() == '\'' && is_delimited(raw)) {
      raw = raw.substr(1, raw.size() - 2);
    }
    std::string text;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      text += raw[i];
      if (raw[i] == '\'' && i + 1 < raw.size() && raw[i + 1] == '\'') ++i;
    }
    return text;
  }

  /// Whether the quotes around the text are its own: without them each run of quotes is even.
  static bool is_delimited(std::string_view raw) {
    std::size_t leading = 0;
    while (leading < raw.size() && raw[leading] == '\'') ++leading;
    return leading % 2 == 1;
  }

  static bool has_surrogate_escape(std::string_view raw) {
    for (std::size_t i = 0; i + 3 < raw.size(); ++i) {
      if (raw[i] != '\\') continue;
      if (raw[i + 1] == 'u' && (raw[i + 2] | 0x20) == 'd' && raw[i + 3] >= '8') return true;
      ++i;
    }
    return false;
  }

  void remember(fy_token* anchor, const Node& node) {
    if (anchor != nullptr) {
      anchors_.insert_or_assign(token_text(anchor), Anchor{node.value, node.size});
    }
  }

  Result<Node> read_alias(const Event& event, const Position& at) {
    const std::string name = token_text(event->alias.anchor);
    if (std::find(open_anchors_.begin(), open_anchors_.end(), name) != open_anchors_.end()) {
      return diag::fail(Code::kInvalidManifest,
                        fmt::format("yaml: anchor '{}' value contains itself", name), at);
    }
    const auto it = anchors_.find(name);
    if (it == anchors_.end()) {
      return diag::fail(Code::kInvalidManifest,
                        fmt::format("yaml: unknown anchor '{}' referenced", name), at);
    }
    aliased_values_ += it->second.size;
    if (aliased_values_ > kAliasedValuesMax) {
      return diag::fail(Code::kInvalidManifest, "yaml: document contains excessive aliasing", at);
    }
    Node node{.value = it->second.value, .size = it->second.size, .at = at};
    return node;
  }

  Result<Node> read_list(const Event& start, const std::string& pointer, const Position& at) {
    Node node{.at = at};
    const std::string anchor = token_text(start->sequence_start.anchor);
    if (!anchor.empty()) open_anchors_.push_back(anchor);
    List list;
    for (;;) {
      TRY(Event event, next());
      if (!event) return diag::fail(Code::kInvalidManifest, "yaml: the list has no end", at);
      if (event->type == FYET_SEQUENCE_END) break;
      TRY(Node element, read_node(event, pointer_to(pointer, list.size())));
      node.size += element.size;
      list.push_back(std::move(element.value));
    }
    if (!anchor.empty()) open_anchors_.pop_back();
    node.value = Value(std::move(list));
    remember(start->sequence_start.anchor, node);
    return node;
  }

  /// A map while it is read, with its keys for finding duplicates fast.
  struct OpenMap {
    Map map;
    std::set<std::string> keys;
  };

  /// Sets `key`; a second time only where `is_strict` is off.
  void set(OpenMap& open, const std::string& key, Value v, const Position& at) {
    if (open.keys.insert(key).second) {
      open.map.entries().emplace_back(key, std::move(v));
      return;
    }
    if (style_.is_strict && !first_duplicate_) {
      first_duplicate_ = diag::Error{Code::kInvalidManifest,
                                     fmt::format("yaml: line {}: key {} already set in map",
                                                 at.line, value::to_json(Value(key))),
                                     at};
    }
    open.map.set(key, std::move(v));
  }

  Result<void> merge(OpenMap& open, const Value& from, const Position& at) {
    if (from.is_map()) {
      for (const auto& [key, v] : from.map()) set(open, key, v, at);
      return {};
    }
    if (from.is_list()) {
      const List& list = from.list();
      for (std::size_t i = list.size(); i-- > 0;) {  // backwards: the first one wins
        if (!list[i].is_map()) return not_mergeable(at);
        TRY_VOID(merge(open, list[i], at));
      }
      return {};
    }
    return not_mergeable(at);
  }

  static Result<void> not_mergeable(const Position& at) {
    return diag::fail(Code::kInvalidManifest,
                      "yaml: map merge requires map or sequence of maps as the value", at);
  }

  Result<Node> read_key(const Event& event) {
    Positions* const saved = std::exchange(positions_, nullptr);
    reading_key_ = true;
    auto key = read_node(event, "");
    reading_key_ = false;
    positions_ = saved;
    if (key) last_key_at_ = key->at;
    return key;
  }

  Result<Node> read_map(const Event& start, const std::string& pointer, const Position& at) {
    Node node{.at = at};
    const std::string anchor = token_text(start->mapping_start.anchor);
    if (!anchor.empty()) open_anchors_.push_back(anchor);
    OpenMap open;
    for (;;) {
      TRY(Event event, next());
      if (!event) return diag::fail(Code::kInvalidManifest, "yaml: the map has no end", at);
      if (event->type == FYET_MAPPING_END) break;
      TRY(Node key, read_key(event));
      auto text = key_text(key.value);
      if (!text) {
        text.error().at = key.at;
        return std::unexpected(std::move(text).error());
      }
      const std::string child = key.is_merge ? pointer : pointer_to(pointer, *text);
      TRY(Event value_event, next());
      if (!value_event) return diag::fail(Code::kInvalidManifest, "yaml: the map has no end", at);
      TRY(Node v, read_node(value_event, child));
      node.size += v.size;
      if (key.is_merge) {
        if (positions_ != nullptr) positions_->set_value(pointer, at);
        TRY_VOID(merge(open, v.value, key.at));
        continue;
      }
      if (positions_ != nullptr) positions_->set_key(child, key.at);
      set(open, *text, std::move(v.value), key.at);
    }
    if (!anchor.empty()) open_anchors_.pop_back();
    node.value = Value(std::move(open.map));
    remember(start->mapping_start.anchor, node);
    return node;
  }

  std::string_view text_;
  const YamlStyle& style_;
  std::vector<std::size_t> line_starts_{0};
  // The parser uses the diagnostics, so it goes first.
  std::unique_ptr<fy_diag, DiagDeleter> diag_;
  std::unique_ptr<fy_parser, ParserDeleter> parser_;
  Positions* positions_ = nullptr;  // null while a key is read
  std::map<std::string, Anchor> anchors_;
  std::vector<std::string> open_anchors_;
  std::size_t aliased_values_ = 0;
  int depth_ = 0;
  bool reading_key_ = false;
  Position last_key_at_;
  std::optional<diag::Error> first_duplicate_;
};

}  // namespace

Result<YamlDocument> read_yaml(std::string_view text, const YamlStyle& style) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Reader(text, style).read();
}

std::string pointer_to(std::string_view parent, std::string_view token) {
  std::string out(parent);
  out += '/';
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string pointer_to(std::string_view parent, std::size_t index) {
  return fmt::format("{}/{}", parent, index);
}

}  // namespace tiphys::spec
