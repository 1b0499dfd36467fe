#include "tag/missing.h"

#include <algorithm>
#include <array>

#include "expr/builtin_table.h"

namespace tiphys::tag {

namespace {

constexpr std::array<std::string_view, 5> kArgoNames = {"asFloat", "asInt", "jsonpath", "sprig",
                                                        "toJson"};

bool is_below(std::string_view name, std::string_view path) {
  return name.size() > path.size() && name.starts_with(path) && name[path.size()] == '.';
}

/// Follows the dotted `rest` into a value that is a map (only tests have such variables).
bool is_inside(const value::Value& v, std::string_view rest) {
  const value::Value* at = &v;
  while (true) {
    const auto dot = rest.find('.');
    at = at->map().find(rest.substr(0, dot));
    if (at == nullptr) return false;
    if (dot == std::string_view::npos) return true;
    rest = rest.substr(dot + 1);
  }
}

}  // namespace

bool is_known(std::string_view path, const vars::Scope& scope) {
  const std::string_view root = path.substr(0, path.find('.'));
  if (std::ranges::find(kArgoNames, root) != kArgoNames.end()) {
    if (root.size() == path.size()) return true;
    return root == "sprig" && expr::find_sprig(path.substr(root.size() + 1)) != nullptr;
  }
  if (scope.find(path)) return true;
  bool found = false;
  scope.each(root, [&](std::string_view name, const value::Value& v) {
    if (is_below(name, path)) found = true;
    if (v.is_map() && is_below(path, name) && is_inside(v, path.substr(name.size() + 1)))
      found = true;
  });
  return found;
}

std::vector<std::string> missing_variables(const expr::Program& program, const vars::Scope& scope) {
  // Paths come with all their beginnings, shortest first: where the whole is known, its beginnings
  // are.
  const std::vector<std::string>& names = program.identifiers();
  std::vector<std::string> missing;
  std::string_view known;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (is_below(known, *name)) continue;
    if (is_known(*name, scope)) {
      known = *name;
    } else {
      missing.push_back(*name);
    }
  }
  std::ranges::reverse(missing);
  return missing;
}

}  // namespace tiphys::tag
