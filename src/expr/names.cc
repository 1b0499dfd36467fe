// What names an expression uses: for the environment, for "when does this change", and for Argo's
// check of tags.
#include <algorithm>
#include <map>
#include <set>

#include "expr/builtin_table.h"
#include "expr/parser.h"

namespace tiphys::expr {
namespace {

class Names {
 public:
  explicit Names(Ast& ast) : ast_(ast), guarded_(ast.nodes.size(), false) {}

  void collect() {
    for (std::size_t i = 0; i < ast_.nodes.size(); ++i) mark_guarded(ast_.nodes[i]);
    std::vector<bool> inner(ast_.nodes.size(), false);  // covered by a longer path
    for (const Node& n : ast_.nodes) {
      if (n.kind == NodeKind::kLet) bound_.insert(n.text);
    }
    for (std::size_t i = ast_.nodes.size(); i-- > 0;) collect_read(i, inner);
    roots_.insert(bound_.begin(), bound_.end());  // to find out whether they exist already
    // Children come before their parents in the array, which is the order of Argo's walk.
    for (std::size_t i = 0; i < ast_.nodes.size(); ++i) {
      if (!guarded_[i]) collect_identifier(static_cast<NodeId>(i));
    }
    for (const std::string& name : ast_.called) {
      roots_.insert(name);
      ast_.uses_clock = ast_.uses_clock || name == "now";
    }
    ast_.reads.assign(reads_.begin(), reads_.end());
    ast_.roots.assign(roots_.begin(), roots_.end());
  }

 private:
  const Node& node(NodeId id) const { return ast_.nodes[static_cast<std::size_t>(id)]; }

  bool is_string_constant(NodeId id) const {
    return node(id).kind == NodeKind::kConstant && node(id).constant.is_string();
  }

  // a.b.c of constant names; `optional_too` also follows ?. and the chains around it. Empty: no
  // such path.
  std::string path(NodeId id, bool optional_too) const {
    const Node& n = node(id);
    if (n.kind == NodeKind::kIdentifier) return n.text;
    if (n.kind == NodeKind::kChain && optional_too) return path(n.a, true);
    if (n.kind != NodeKind::kMember || !is_string_constant(n.b)) return "";
    if (n.flag && !optional_too) return "";
    const std::string base = path(n.a, optional_too);
    return base.empty() ? "" : base + "." + node(n.b).constant.as_string();
  }

  void guard_members(NodeId id) {
    if (id == kNoNode) return;
    const Node& n = node(id);
    if (n.kind == NodeKind::kMember) guarded_[static_cast<std::size_t>(id)] = true;
    guard_members(n.a);
    guard_members(n.b);
    guard_members(n.c);
    for (const NodeId child : n.list) guard_members(child);
  }

  void mark_guarded(const Node& n) {
    if (n.kind == NodeKind::kBinary && n.op == Op::kCoalesce) guard_members(n.a);
    if (n.kind == NodeKind::kMember && n.flag && node(n.a).kind == NodeKind::kMember) {
      guarded_[static_cast<std::size_t>(n.a)] = true;
    }
  }

  void collect_identifier(NodeId id) {
    const Node& n = node(id);
    if (n.kind != NodeKind::kIdentifier && n.kind != NodeKind::kMember) return;
    std::string name = path(id, false);
    if (!name.empty() && seen_.insert(name).second) ast_.identifiers.push_back(std::move(name));
  }

  void collect_read(std::size_t i, std::vector<bool>& inner) {
    const auto id = static_cast<NodeId>(i);
    const Node& n = node(id);
    const bool is_path = n.kind == NodeKind::kMember || n.kind == NodeKind::kIdentifier ||
                         n.kind == NodeKind::kChain;
    if (!is_path) return;
    const std::string name = path(id, true);
    if (name.empty()) return;
    for (NodeId below = n.a; below != kNoNode; below = node(below).a) {
      inner[static_cast<std::size_t>(below)] = true;
    }
    if (inner[i]) return;
    const std::string root = name.substr(0, name.find('.'));
    if (bound_.contains(root)) return;
    if (root == "sprig") ast_.uses_clock = true;
    if (root == "sprig" || find_argo_function(root) != nullptr) return;
    if (name == "$env") {
      ast_.reads_whole_environment = true;
    } else if (name.starts_with("$env.")) {
      add_read(name.substr(5));
    } else {
      add_read(name);
    }
  }

  void add_read(const std::string& name) {
    reads_.insert(name);
    roots_.insert(name.substr(0, name.find('.')));
  }

  Ast& ast_;
  std::vector<bool> guarded_;
  std::set<std::string> bound_;  // by let
  std::set<std::string> reads_;
  std::set<std::string> roots_;
  std::set<std::string> seen_;
};

}  // namespace

void collect_names(Ast& ast) { Names(ast).collect(); }

}  // namespace tiphys::expr
