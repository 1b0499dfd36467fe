#include "spec/yaml_reader.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "spec/deeper.h"
#include "spec/json_pointer.h"
#include "spec/scalar.h"
#include "spec/yaml_events.h"
#include "spec/yaml_places.h"
#include "value/json.h"
#include "value/open_map.h"

namespace tiphys::spec {
namespace {

using diag::Code;
using diag::Position;
using diag::Result;
using value::List;
using value::Map;
using value::OpenMap;
using value::Value;
using Part = Positions::Part;
using Kind = YamlEvent::Kind;

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

/// A key; `text` is set if it is a string as it stands, which saves making a value of it.
struct Key {
  std::optional<std::string> text = {};
  Node node = {};
};

/// Makes a value of events; the calls follow the nesting of the document.
class Reader {
 public:
  Reader(std::string_view text, const YamlStyle& style)
      : style_(style), size_(text.size()), events_(text, style), places_(events_.places()) {}

  Result<YamlDocument> read() {
    YamlDocument document{{}, std::make_shared<Positions>(style_.file, places_.lines())};
    positions_ = document.positions.get();
    positions_->reserve(size_ / 16);  // manifests have about one part in so many bytes
    TRY(const bool is_there, events_.open());
    if (!is_there) return document;
    TRY_VOID(events_.next());
    Node node;
    TRY_VOID(read_node(Positions::kRoot, node));
    document.value = std::move(node.value);
    TRY_VOID(events_.next());  // a fault right behind the document's last value is told, too
    if (first_duplicate_) return std::unexpected(std::move(*first_duplicate_));
    document.positions->index();
    return document;
  }

 private:
  struct Anchor {
    Value value;
    std::size_t size = 0;
  };

  auto fail(std::string_view message, std::size_t at) const { return places_.fail(message, at); }

  void set_place(Part part, std::size_t at) {
    if (positions_ != nullptr) positions_->set_value(part, at);
  }

  Part add_part(Part parent, std::string_view token) {
    return positions_ == nullptr ? Positions::kRoot : positions_->add(parent, token);
  }

  Part add_key(Part parent, std::string_view key) {
    if (key.find_first_of("~/") == std::string_view::npos) return add_part(parent, key);
    return add_part(parent, escape_token(key));
  }

  Part add_index(Part parent, std::size_t index) {
    const fmt::format_int text(index);
    return add_part(parent, {text.data(), text.size()});
  }

  /// Fills a fresh `node` with the value that begins with the event at hand.
  Result<void> read_node(Part part, Node& node) {
    const YamlEvent& event = events_.event();
    if (depth_ > kDepthMax) {
      return fail(fmt::format("exceeded max depth of {}", kDepthMax), event.begin);
    }
    const Deeper deeper(depth_);
    if (event.kind == Kind::kAlias) return read_alias(event, part, node);
    if (event.kind == Kind::kScalar) return read_scalar(event, part, node);
    const std::size_t at = event.begin;
    set_place(part, at);
    const std::string anchor(event.anchor);
    if (!anchor.empty()) open_anchors_.push_back(anchor);
    node.at = at;
    TRY_VOID(event.kind == Kind::kMapStart ? read_map(part, node) : read_list(part, node));
    if (!anchor.empty()) open_anchors_.pop_back();
    remember(anchor, node);
    return {};
  }

  Result<void> read_scalar(const YamlEvent& event, Part part, Node& node) {
    // An empty scalar has no place of its own; the key is near.
    node.at = event.text.empty() && !reading_key_ ? last_key_at_ : event.begin;
    set_place(part, node.at);
    if (!event.tag.empty()) {
      node.is_merge =
          event.text == "<<" && (event.tag == "!" || event.tag == "tag:yaml.org,2002:merge");
      auto resolved = resolve_tagged(event.tag, event.text);
      if (!resolved) {
        resolved.error().at = places_.position_at(node.at);
        return std::unexpected(std::move(resolved).error());
      }
      node.value = std::move(*resolved);
    } else if (event.is_plain) {
      node.is_merge = event.text == "<<";
      node.value = resolve_plain(event.text);
    } else {
      node.value = Value(event.text);
    }
    if (node.value.is_float() && !std::isfinite(node.value.as_float()) && !reading_key_) {
      return diag::fail(Code::kInvalidManifest,
                        "json: unsupported value: " + any_string_of(node.value),
                        places_.position_at(node.at));
    }
    remember(event.anchor, node);
    return {};
  }

  void remember(std::string_view anchor, const Node& node) {
    if (anchor.empty()) return;
    anchors_.insert_or_assign(std::string(anchor), Anchor{node.value, node.size});
  }

  Result<void> read_alias(const YamlEvent& event, Part part, Node& node) {
    const std::string_view name = event.anchor;
    const std::size_t at = event.begin;
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
    node = {.value = it->second.value, .size = it->second.size, .is_alias = true, .at = at};
    return {};
  }

  Result<void> read_list(Part part, Node& node) {
    List list;
    list.reserve(2);
    const bool is_flow = events_.event().is_flow;
    for (;;) {
      TRY_VOID(events_.next());
      const YamlEvent& event = events_.event();
      if (event.kind == Kind::kListEnd) break;
      const bool is_behind_dash = event.is_absent && !is_flow && event.begin > 0;
      last_key_at_ = event.begin - (is_behind_dash ? 1 : 0);
      Node element;
      TRY_VOID(read_node(add_index(part, list.size()), element));
      node.size += element.size;
      list.push_back(std::move(element.value));
    }
    node.value = Value(std::move(list));
    return {};
  }

  Result<void> read_map(Part part, Node& node) {
    OpenMap open;
    for (;;) {
      TRY_VOID(events_.next());
      if (events_.event().kind == Kind::kMapEnd) break;
      Key key;
      TRY_VOID(read_key(key));
      TRY_VOID(events_.next());
      TRY_VOID(read_entry(open, key, part, node));
    }
    node.value = Value(open.take());
    return {};
  }

  Result<void> read_key(Key& key) {
    const YamlEvent& event = events_.event();
    const bool is_bare = event.kind == Kind::kScalar && event.tag.empty() && event.anchor.empty();
    if (is_bare && depth_ <= kDepthMax && !(event.is_plain && resolve_other(event.text))) {
      key.text = event.text;
      key.node.is_merge = event.is_plain && event.text == "<<";
      key.node.at = event.begin;
      return {};
    }
    Positions* const saved = std::exchange(positions_, nullptr);
    const bool was_reading = std::exchange(reading_key_, true);
    auto done = read_node(Positions::kRoot, key.node);
    reading_key_ = was_reading;
    positions_ = saved;
    return done;
  }

  /// Reads the value and sets the key to it; `node` is the map.
  Result<void> read_entry(OpenMap& open, Key& read, Part part, Node& node) {
    const Node& key = read.node;
    if (!read.text) {
      auto text = key_text(key.value);
      if (!text) {
        text.error().at = places_.position_at(key.at);
        return std::unexpected(std::move(text).error());
      }
      read.text = std::move(*text);
    }
    last_key_at_ = key.at;
    const Part child = key.is_merge ? part : add_key(part, *read.text);
    Node v;
    TRY_VOID(read_node(child, v));
    node.size += v.size;
    if (key.is_merge) {
      set_place(part, node.at);
      return merge(open, v, key.at);
    }
    if (positions_ != nullptr) positions_->set_key(child, key.at);
    set(open, std::move(*read.text), std::move(v.value), key.at);
    return {};
  }

  /// Sets `key`; a second time only where `is_strict` is off.
  void set(OpenMap& open, std::string key, Value&& v, std::size_t at) {
    if (open.set(key, std::move(v)) || !style_.is_strict || first_duplicate_) return;
    const Position where = places_.position_at(at);
    first_duplicate_ = diag::Error{Code::kInvalidManifest,
                                   fmt::format("yaml: line {}: key {} already set in map",
                                               where.line, value::to_json(Value(key))),
                                   where};
  }

  Result<void> merge(OpenMap& open, const Node& from, std::size_t at) {
    if (from.value.is_map()) {
      for (const auto& [key, v] : from.value.map()) set(open, key, Value(v), at);
      return {};
    }
    const bool is_fine = from.value.is_list() && !from.is_alias &&
                         std::ranges::all_of(from.value.list(), &Value::is_map);
    if (!is_fine) return fail("map merge requires map or sequence of maps as the value", at);
    const List& list = from.value.list();
    for (std::size_t i = list.size(); i-- > 0;) {  // backwards: the first one wins
      for (const auto& [key, v] : list[i].map()) set(open, key, Value(v), at);
    }
    return {};
  }

  const YamlStyle& style_;
  std::size_t size_;
  YamlEvents events_;
  const YamlPlaces& places_;
  Positions* positions_ = nullptr;  // null while a key is read
  std::map<std::string, Anchor, std::less<>> anchors_;
  std::vector<std::string> open_anchors_;
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
