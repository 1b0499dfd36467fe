#include "vars/scope.h"

#include <iterator>
#include <utility>

namespace tiphys::vars {

namespace {

bool is_below(std::string_view name, std::string_view root) {
  return root.empty() ||
         (name.starts_with(root) && (name.size() == root.size() || name[root.size()] == '.'));
}

}  // namespace

bool Scope::has_below(std::string_view name) const {
  bool found = false;
  each(name.substr(0, name.find('.')), [&](std::string_view other, const value::Value&) {
    found = found ||
            (other.starts_with(name) && other.size() > name.size() && other[name.size()] == '.');
  });
  return found;
}

const value::Value* Scope::find_leaf(std::string_view name, value::Value& scratch) const {
  auto v = find(name);
  if (!v || has_below(name)) return nullptr;
  scratch = std::move(*v);
  return &scratch;
}

bool Scope::has_root(std::string_view root) const {
  return find(root).has_value() || has_below(root);
}

std::uint64_t MapScope::root_bit(std::string_view name) {
  constexpr std::size_t kLetters = 3;
  unsigned hash = 0;
  for (std::size_t i = 0; i < kLetters && i < name.size() && name[i] != '.'; ++i) {
    hash = hash * 7 + static_cast<unsigned char>(name[i]);
  }
  return std::uint64_t{1} << hash % 64;
}

bool MapScope::has_own_below(std::string_view name, Values::const_iterator from) const {
  for (; from != values_.end() && from->first.starts_with(name); ++from) {
    const char next = from->first[name.size()];
    if (next == '.') return true;
    if (next > '.') break;  // `name-x` comes before `name.x`
  }
  return false;
}

bool MapScope::has_below(std::string_view name) const {
  return ((roots_ & root_bit(name)) != 0 && has_own_below(name, values_.upper_bound(name))) ||
         (parent_ != nullptr && parent_->has_below(name));
}

const value::Value* MapScope::find_leaf(std::string_view name, value::Value& scratch) const {
  if ((roots_ & root_bit(name)) != 0) {
    const auto at = values_.lower_bound(name);
    const bool is_here = at != values_.end() && at->first == name;
    if (has_own_below(name, is_here ? std::next(at) : at)) return nullptr;
    if (is_here) return parent_ != nullptr && parent_->has_below(name) ? nullptr : &at->second;
  }
  return parent_ == nullptr ? nullptr : parent_->find_leaf(name, scratch);
}

bool MapScope::has_root(std::string_view root) const {
  if ((roots_ & root_bit(root)) != 0) {
    const auto at = values_.lower_bound(root);
    if ((at != values_.end() && at->first == root) || has_own_below(root, at)) return true;
  }
  return parent_ != nullptr && parent_->has_root(root);
}

std::optional<value::Value> MapScope::find(std::string_view name) const {
  if (auto it = values_.find(name); it != values_.end()) return it->second;
  return parent_ == nullptr ? std::nullopt : parent_->find(name);
}

void MapScope::each(std::string_view root, const Visit& visit) const {
  for (auto it = values_.lower_bound(root); it != values_.end() && it->first.starts_with(root);
       ++it) {
    if (is_below(it->first, root)) visit(it->first, it->second);
  }
  if (parent_ == nullptr) return;
  parent_->each(root, [&](std::string_view name, const value::Value& v) {
    if (values_.find(name) == values_.end()) visit(name, v);
  });
}

}  // namespace tiphys::vars
