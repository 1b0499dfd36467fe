// The checker's state, private to checker*.cc.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "expr/ast.h"
#include "expr/environment.h"
#include "expr/program.h"

namespace tiphys::expr {

/// What is known of a value before it exists. Type kAny: unknown; `is_interface` tells Go's static
/// type interface{} from no type at all, as only the former takes part in assignability.
struct Nature {
  Type type = Type::kAny;
  bool is_interface = false;
  bool has_element = false;  // `element` is known better than by the type
  std::int32_t element = 0;  // index of the element's nature
  const Builtin* function = nullptr;

  [[nodiscard]] bool is_unknown() const { return type == Type::kAny; }
  [[nodiscard]] bool is_nil() const { return type == Type::kNil; }
  [[nodiscard]] bool is_number() const { return expr::is_number(type); }
  [[nodiscard]] bool is_integer() const { return expr::is_integer(type); }
  [[nodiscard]] bool is_list() const { return expr::is_list(type); }
  [[nodiscard]] bool is_map() const { return expr::is_map(type); }
  [[nodiscard]] std::string_view name() const {
    return type == Type::kNil || (type == Type::kAny && !is_interface) ? "unknown" : go_name(type);
  }
};

/// The nature of Go's static type `t`; kAny is interface{}.
inline Nature of_type(Type t) { return {.type = t, .is_interface = t == Type::kAny}; }

class Checker {
 public:
  Checker(Ast& ast, const Environment& environment, const KnownVariables* known)
      : ast_(ast), environment_(environment), known_(known) {}
  [[nodiscard]] diag::Result<void> run();

 private:
  struct PredicateScope {
    Nature collection;
    bool has_index = false;
    bool has_accumulator = false;
  };

  [[nodiscard]] Node& node(NodeId id) { return ast_.nodes[static_cast<std::size_t>(id)]; }
  Nature visit(NodeId id);
  Nature dispatch(NodeId id);
  Nature fail(NodeId at, std::string message);
  [[nodiscard]] bool failed() const { return !error_.empty(); }

  Nature identifier(NodeId id);
  Nature known_name(NodeId id, std::string_view name, bool strict, bool with_builtins);
  /// What `known_` tells of the variable that this node names; nullopt: it is none.
  [[nodiscard]] std::optional<Nature> known_variable(NodeId id);
  Nature unary(NodeId id);
  Nature binary(NodeId id);
  Nature arithmetic(NodeId id, Op op, const Nature& l, const Nature& r);
  Nature in(NodeId id, const Nature& l, const Nature& r);
  Nature matches(NodeId id, const Nature& l, const Nature& r);
  Nature mismatch(NodeId id, const Nature& l, const Nature& r);
  Nature coalesce(const Nature& l, const Nature& r);
  Nature member(NodeId id);
  Nature member_of(NodeId id, const Nature& base, const Nature& property);
  Nature environment_member(NodeId id);
  Nature slice(NodeId id);
  Nature call(NodeId id);
  Nature builtin(NodeId id);
  Nature get(NodeId id);
  Nature loop(NodeId id);
  Nature loop_result(NodeId id, const Nature& collection, const Nature& predicate);
  Nature pointer(NodeId id);
  Nature let(NodeId id);
  Nature conditional(NodeId id);
  Nature array(NodeId id);
  /// Checks a call against one signature. On failure `message` is set and `at` says where.
  bool arguments_fit(std::string_view name, const Signature& signature,
                     const std::vector<NodeId>& arguments, std::string& message, NodeId& at);

  [[nodiscard]] Nature element(const Nature& n) const;
  [[nodiscard]] Nature list_of(const Nature& element);
  [[nodiscard]] static bool assignable(const Nature& n, const Nature& to);
  [[nodiscard]] static bool comparable(const Nature& l, const Nature& r);

  Ast& ast_;
  const Environment& environment_;
  const KnownVariables* known_;
  std::vector<Nature> elements_;
  std::vector<PredicateScope> scopes_;
  std::vector<std::pair<std::string, Nature>> variables_;
  std::string error_;
  std::int32_t error_at_ = 0;
};

}  // namespace tiphys::expr
