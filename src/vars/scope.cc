#include "vars/scope.h"

namespace tiphys::vars {

namespace {

bool has_root(std::string_view name, std::string_view root) {
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

bool MapScope::has_below(std::string_view name) const {
  for (auto it = values_.upper_bound(name); it != values_.end(); ++it) {
    if (!it->first.starts_with(name)) break;
    if (it->first[name.size()] == '.') return true;  // `name-x` comes before `name.x`
  }
  return parent_ != nullptr && parent_->has_below(name);
}

std::optional<value::Value> MapScope::find(std::string_view name) const {
  if (auto it = values_.find(name); it != values_.end()) return it->second;
  return parent_ == nullptr ? std::nullopt : parent_->find(name);
}

void MapScope::each(std::string_view root, const Visit& visit) const {
  for (auto it = values_.lower_bound(root); it != values_.end() && it->first.starts_with(root);
       ++it) {
    if (has_root(it->first, root)) visit(it->first, it->second);
  }
  if (parent_ == nullptr) return;
  parent_->each(root, [&](std::string_view name, const value::Value& v) {
    if (values_.find(name) == values_.end()) visit(name, v);
  });
}

}  // namespace tiphys::vars
