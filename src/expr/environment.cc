#include "expr/environment.h"

#include <algorithm>
#include <map>
#include <memory>

#include "expr/builtin_table.h"
#include "expr/sprig.h"

namespace tiphys::expr {
namespace {

// A variable or the map of the ones below it.
struct Branch {
  RuntimeValue leaf;
  std::map<std::string, Branch, std::less<>> below;
  bool is_map = false;  // there are variables below, be they wanted or not
};

Branch& branch_at(Branch& root, std::string_view name) {
  Branch* at = &root;
  while (true) {
    const std::size_t dot = name.find('.');
    const std::string_view segment = name.substr(0, dot);
    at->is_map = true;
    auto found = at->below.find(segment);
    if (found == at->below.end()) {
      found = at->below.emplace(std::string(segment), Branch{}).first;
    }
    at = &found->second;
    if (dot == std::string_view::npos) return *at;
    name.remove_prefix(dot + 1);
  }
}

void insert(Branch& root, std::string_view name, const value::Value& v) {
  branch_at(root, name).leaf = RuntimeValue::from(v);
}

RuntimeValue to_value(Branch& branch) {
  if (!branch.is_map) return std::move(branch.leaf);
  Table table;
  for (auto& [name, child] : branch.below) {
    table.emplace_hint(table.end(), RuntimeValue(name), to_value(child));
  }
  return RuntimeValue::map(std::move(table));
}

// Length of the whole segments that both names start with.
std::size_t common_segments(std::string_view a, std::string_view b) {
  std::size_t common = 0;
  std::size_t i = 0;
  for (; i < a.size() && i < b.size() && a[i] == b[i]; ++i) {
    if (a[i] == '.') common = i;
  }
  const bool a_ends = i == a.size() || a[i] == '.';
  const bool b_ends = i == b.size() || b[i] == '.';
  return a_ends && b_ends ? i : common;
}

// Takes from one variable what the expression can see of it: all, or only that there is a map above
// it.
void insert_visible(Branch& root, const Ast& ast, std::string_view name, const value::Value& v) {
  std::size_t best = name.find('.');
  for (const std::string& path : ast.reads) {
    const std::size_t common = common_segments(path, name);
    if (common == name.size() || common == path.size()) return insert(root, name, v);
    best = std::max(best == std::string_view::npos ? 0 : best, common);
  }
  if (best == 0 || best == std::string_view::npos) return insert(root, name, v);
  branch_at(root, name.substr(0, best)).is_map = true;
}

// True if the expression reads the root or something below it.
bool is_read(const Ast& ast, std::string_view root) {
  return std::any_of(ast.reads.begin(), ast.reads.end(), [&](const std::string& path) {
    return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '.');
  });
}

const RuntimeValue& sprig_map() {
  static const RuntimeValue map = [] {
    Table table;
    for (const Builtin& row : sprig_functions()) {
      table.insert_or_assign(RuntimeValue(row.name), RuntimeValue(FunctionValue{.row = &row}));
    }
    return RuntimeValue::map(std::move(table));
  }();
  return map;
}

// Argo's functions and sprig, which hide variables of their names.
const std::vector<std::pair<std::string_view, RuntimeValue>>& functions() {
  static const auto all = [] {
    std::vector<std::pair<std::string_view, RuntimeValue>> out;
    for (const Builtin& row : argo_functions()) {
      out.emplace_back(row.name, RuntimeValue(FunctionValue{.row = &row}));
    }
    out.emplace_back("sprig", sprig_map());
    return out;
  }();
  return all;
}

const RuntimeValue* find_function(std::string_view name) {
  for (const auto& [known, value] : functions()) {
    if (known == name) return &value;
  }
  return nullptr;
}

}  // namespace

Environment::Environment(const Ast& ast, const vars::Scope& scope) {
  if (ast.uses_clock || ast.reads_whole_environment) {
    if (const auto now = scope.find(kClockVariable); now && now->is_int()) now_.ns = now->as_int();
  }
  if (ast.reads_whole_environment) {
    Branch all;
    scope.each("", [&](std::string_view name, const value::Value& v) {
      if (name != kClockVariable) insert(all, name, v);
    });
    for (auto& [name, branch] : all.below) roots_.emplace_back(name, to_value(branch));
    return;
  }
  for (const std::string& root : ast.roots) {
    if (root == kClockVariable || find_function(root) != nullptr) continue;
    Branch branch;
    scope.each(root, [&](std::string_view name, const value::Value& v) {
      insert_visible(branch, ast, name, v);
    });
    const auto found = branch.below.find(root);
    if (found != branch.below.end()) roots_.emplace_back(root, to_value(found->second));
  }
}

Environment Environment::of_maps(const Ast& ast) {
  Environment out;
  for (const std::string& root : ast.roots) {
    if (is_read(ast, root)) out.roots_.emplace_back(root, RuntimeValue::map({}));
  }
  return out;
}

bool Environment::has_types_of_maps(const Ast& ast) const {
  if (ast.reads_whole_environment) return false;
  std::size_t maps = 0;
  for (const auto& [name, value] : roots_) {
    if (value.type() != Type::kMapStringAny || !is_read(ast, name)) return false;
    ++maps;
  }
  std::size_t wanted = 0;
  for (const std::string& root : ast.roots) wanted += is_read(ast, root) ? 1 : 0;
  return maps == wanted;
}

const RuntimeValue* Environment::find(std::string_view name) const {
  if (const RuntimeValue* function = find_function(name)) return function;
  for (const auto& [known, value] : roots_) {
    if (known == name) return &value;
  }
  return nullptr;
}

RuntimeValue Environment::whole() const {
  Table table;
  for (const auto& [name, value] : roots_) table.insert_or_assign(RuntimeValue(name), value);
  for (const auto& [name, value] : functions()) table.insert_or_assign(RuntimeValue(name), value);
  return RuntimeValue::map(std::move(table));
}

}  // namespace tiphys::expr
