#include "expr/necessary.h"

#include <utility>

#include "expr/parser.h"

namespace tiphys::expr {

namespace {

class Search {
 public:
  explicit Search(const Ast& ast) : ast_(ast) {}

  /// False: what follows is not looked at, since it may fail where this would have failed first.
  bool add(NodeId id, std::vector<NecessaryText>& out) const {
    const Node& n = node(id);
    if (n.kind != NodeKind::kBinary) return false;
    if (n.op == Op::kAnd) return add(n.a, out) && add(n.b, out);
    if (n.op != Op::kEqual) return false;
    for (const auto& [variable, constant] : {std::pair{n.a, n.b}, std::pair{n.b, n.a}}) {
      const std::string path = path_of(variable);
      if (path.empty() || !is_text(constant)) continue;
      out.push_back({path, node(constant).constant.as_string()});
      return true;
    }
    return false;
  }

 private:
  [[nodiscard]] const Node& node(NodeId id) const {
    return ast_.nodes[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] bool is_text(NodeId id) const {
    return node(id).kind == NodeKind::kConstant && node(id).constant.is_string();
  }
  [[nodiscard]] std::string path_of(NodeId id) const {
    const Node& n = node(id);
    if (n.kind == NodeKind::kIdentifier) return n.text == "$env" ? "" : n.text;
    if (n.kind != NodeKind::kMember || n.flag || !is_text(n.b)) return "";
    const std::string base = path_of(n.a);
    return base.empty() ? "" : base + "." + node(n.b).constant.as_string();
  }

  const Ast& ast_;
};

}  // namespace

std::vector<NecessaryText> necessary_texts(std::string_view source) {
  std::vector<NecessaryText> out;
  const auto ast = parse(source, [](std::string_view) { return false; });
  if (ast) Search(*ast).add(ast->root, out);
  return out;
}

}  // namespace tiphys::expr
