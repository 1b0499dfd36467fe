#include "expr/environment.h"

#include <algorithm>
#include <array>
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

RuntimeValue typed(std::string_view name, const value::Value& v) {
  if (name != kTimeVariable || !v.is_int()) return RuntimeValue::from(v);
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {Time{.seconds = v.as_int() / kSecond,
               .nanos = static_cast<std::int32_t>(v.as_int() % kSecond)}};
}

void insert(Branch& root, std::string_view name, const value::Value& v) {
  branch_at(root, name).leaf = typed(name, v);
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

// What the root of variables usually is: Argo's roots are maps, and others of which only the root
// is read, such as `item` and `retries`, are texts.
Type usual_type(const Ast& ast, std::string_view root) {
  constexpr std::array<std::string_view, 8> kMaps = {"workflow", "inputs",    "outputs", "steps",
                                                     "tasks",    "lastRetry", "pod",     "node"};
  if (std::ranges::find(kMaps, root) != kMaps.end()) return Type::kMapStringAny;
  const bool has_members = std::ranges::any_of(ast.reads, [&](const std::string& path) {
    return path.starts_with(root) && path.size() > root.size() && path[root.size()] == '.';
  });
  return has_members ? Type::kMapStringAny : Type::kString;
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
  if (take_leaves(ast, scope)) return;
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

namespace {

// True if a path that names no variable is nil, and no error: its first absent segment is the last
// one or is followed by `?.`, and stands in a map.
bool is_nil(const Path& path, const vars::Scope& scope) {
  const std::string_view name = path.name;
  std::size_t end = name.find('.');
  if (!scope.has_below(name.substr(0, end))) return false;
  for (std::size_t dot = 1; end != std::string_view::npos; ++dot) {
    end = name.find('.', end + 1);
    if (scope.has_below(name.substr(0, end))) continue;
    if (scope.find(name.substr(0, end))) return false;
    return end == std::string_view::npos || (path.optional >> dot & 1U) != 0;
  }
  return false;
}

}  // namespace

// Takes what the tree reads as it is, where every path of it names a variable with nothing below.
bool Environment::take_leaves(const Ast& ast, const vars::Scope& scope) {
  if (ast.usual == nullptr || !ast.usual->paths_suffice) return false;
  for (const std::string& name : ast.called) {
    if (scope.has_root(name)) return false;  // it hides the function
  }
  const std::vector<Path>& paths = ast.usual->paths;
  leaves_.resize(paths.size());
  const std::span<RuntimeValue> leaves = leaves_.all();
  value::Value scratch;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const value::Value* v = scope.find_leaf(paths[i].name, scratch);
    if (v == nullptr) {
      if (!is_nil(paths[i], scope)) return false;
    } else if (v->is_string()) {
      leaves[i] = v->as_string();
    } else if (paths[i].name.find('.') != std::string::npos) {
      leaves[i] = typed(paths[i].name, *v);
    } else {
      return false;
    }
  }
  has_leaves_ = true;
  return true;
}

std::unique_ptr<const Environment> Environment::usual(const Ast& ast) {
  std::unique_ptr<Environment> out(new Environment);
  for (const std::string& root : ast.roots) {
    if (!is_read(ast, root)) continue;
    out->roots_.emplace_back(root, RuntimeValue::zero(usual_type(ast, root)));
  }
  return out;
}

bool Environment::is_usual(const Ast& ast) const {
  if (ast.reads_whole_environment) return false;
  std::size_t known = 0;
  for (const auto& [name, value] : roots_) {
    if (!is_read(ast, name) || value.type() != usual_type(ast, name)) return false;
    ++known;
  }
  std::size_t wanted = 0;
  for (const std::string& root : ast.roots) wanted += is_read(ast, root) ? 1 : 0;
  return known == wanted;
}

const RuntimeValue* Environment::find(std::string_view name) const {
  if (const RuntimeValue* function = find_function(name)) return function;
  for (const auto& [known, value] : roots_) {
    if (known == name) return &value;
  }
  return nullptr;
}

namespace {

/// Walks a tree and collects its paths.
class PathFinder {
 public:
  explicit PathFinder(Ast& ast) : ast_(ast) {}

  void visit(NodeId id) {
    if (id == kNoNode) return;
    Node& n = ast_.nodes[static_cast<std::size_t>(id)];
    if (n.kind == NodeKind::kLet) ast_.paths_suffice = false;  // its name may hide a variable
    if (n.kind == NodeKind::kChain) {
      Node& end = ast_.nodes[static_cast<std::size_t>(n.a)];
      if (const Path path = path_of(n.a, true); !path.name.empty()) return remember(end, path);
    } else if (n.kind == NodeKind::kIdentifier || n.kind == NodeKind::kMember) {
      if (const Path path = path_of(id, false); !path.name.empty()) return remember(n, path);
    }
    for (const NodeId child : {n.a, n.b, n.c}) visit(child);
    for (const NodeId child : n.list) visit(child);
  }

 private:
  void remember(Node& n, const Path& path) {
    if (find_function(std::string_view(path.name).substr(0, path.name.find('.'))) != nullptr) {
      return;
    }
    auto found = std::ranges::find(ast_.paths, path);
    if (found == ast_.paths.end()) found = ast_.paths.insert(found, path);
    n.path = static_cast<std::int32_t>(found - ast_.paths.begin());
  }

  // a.b.c of constant names that have no dots of their own; else empty. `?.` is for the whole of a
  // chain, as nil ends all of it.
  [[nodiscard]] Path path_of(NodeId id, bool optional_too) const {
    constexpr std::ptrdiff_t kDotsMax = 60;
    const Node& n = ast_.nodes[static_cast<std::size_t>(id)];
    if (n.kind == NodeKind::kIdentifier) return {.name = n.text};
    if (n.kind != NodeKind::kMember || (n.flag && !optional_too) || n.called) return {};
    const RuntimeValue& key = ast_.nodes[static_cast<std::size_t>(n.b)].constant;
    if (!key.is_string() || key.as_string().find('.') != std::string::npos) return {};
    Path path = path_of(n.a, optional_too);
    const std::ptrdiff_t dots = std::ranges::count(path.name, '.');
    if (path.name.empty() || dots > kDotsMax) return {};
    if (n.flag) path.optional |= std::uint64_t{1} << static_cast<unsigned>(dots);
    path.name.append(".").append(key.as_string());
    return path;
  }

  Ast& ast_;
};

}  // namespace

void find_paths(Ast& ast) {
  ast.paths_suffice = !ast.reads_whole_environment;
  PathFinder(ast).visit(ast.root);
}

RuntimeValue Environment::whole() const {
  Table table;
  for (const auto& [name, value] : roots_) table.insert_or_assign(RuntimeValue(name), value);
  for (const auto& [name, value] : functions()) table.insert_or_assign(RuntimeValue(name), value);
  return RuntimeValue::map(std::move(table));
}

}  // namespace tiphys::expr
