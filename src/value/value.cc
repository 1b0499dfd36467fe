#include "value/value.h"

#include <algorithm>
#include <limits>

namespace tiphys::value {

Map::Map(std::initializer_list<Entry> entries) {
  for (const Entry& e : entries) set(e.first, e.second);
}

const Value* Map::find(std::string_view key) const {
  for (const Entry& e : entries_) {
    if (e.first == key) return &e.second;
  }
  return nullptr;
}

void Map::set(std::string key, Value v) {
  for (Entry& e : entries_) {
    if (e.first == key) {
      e.second = std::move(v);
      return;
    }
  }
  entries_.emplace_back(std::move(key), std::move(v));
}

bool Map::erase(std::string_view key) {
  return std::erase_if(entries_, [&](const Entry& e) { return e.first == key; }) > 0;
}

Map Map::sorted() const {
  Map copy = *this;
  std::ranges::sort(copy.entries_, {}, &Entry::first);
  return copy;
}

Value::Value(List l) : data_(std::make_shared<const List>(std::move(l))) {}
Value::Value(Map m) : data_(std::make_shared<const Map>(std::move(m))) {}

Value Value::whole(std::uint64_t i) {
  if (i <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return static_cast<std::int64_t>(i);
  }
  Value out;
  out.data_ = i;
  return out;
}

const List& Value::list() const {
  static const List kEmpty;
  return is_list() ? *std::get<std::shared_ptr<const List>>(data_) : kEmpty;
}

const Map& Value::map() const {
  static const Map kEmpty;
  return is_map() ? *std::get<std::shared_ptr<const Map>>(data_) : kEmpty;
}

const Value& Value::operator[](std::string_view key) const {
  static const Value kNull;
  const Value* found = map().find(key);
  return found == nullptr ? kNull : *found;
}

std::string_view Value::string_or(std::string_view otherwise) const {
  return is_string() ? std::string_view(as_string()) : otherwise;
}

bool operator==(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is_list()) return a.list() == b.list();
  if (!a.is_map()) return a.data_ == b.data_;
  if (a.map().size() != b.map().size()) return false;
  return std::ranges::all_of(a.map(), [&](const Map::Entry& e) {
    const Value* other = b.map().find(e.first);
    return other != nullptr && *other == e.second;
  });
}

}  // namespace tiphys::value
