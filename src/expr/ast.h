// The syntax tree of an expression: nodes in one array, addressed by index.
//
// An array of small nodes is fast to build and to copy: the checker and the optimizer work on a
// copy for each set of types that the environment has. Pure. Immutable once a Program holds it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "expr/runtime_value.h"

namespace re2 {
class RE2;
}

namespace tiphys::expr {

using NodeId = std::int32_t;
inline constexpr NodeId kNoNode = -1;

enum class NodeKind : std::uint8_t {
  kNil,
  kIdentifier,   // text
  kConstant,     // constant: int, float, bool, string, bytes and folded lists
  kUnary,        // op, a
  kBinary,       // op, a, b
  kChain,        // a: where optional chaining stops
  kMember,       // a . b; flag: optional
  kSlice,        // a [b : c], b and c may be kNoNode
  kCall,         // a: the callee, list: the arguments
  kBuiltin,      // text, list: the arguments; c: mapped expression of find; flag: find throws
  kPredicate,    // a
  kPointer,      // text: "", "index", "acc"
  kLet,          // text = a; b
  kSequence,     // list
  kConditional,  // a ? b : c
  kArray,        // list
  kMap,          // list of key, value, key, value ...
  kInSet,  // a in constant set b of literals of one type: what `x in ["a", "b"]` is compiled to
};

enum class Op : std::uint8_t {
  kNone,
  kNot,
  kPlus,
  kMinus,
  kOr,
  kAnd,
  kEqual,
  kNotEqual,
  kLess,
  kMore,
  kMoreOrEqual,
  kLessOrEqual,
  kIn,
  kMatches,
  kContains,
  kStartsWith,
  kEndsWith,
  kRange,
  kMultiply,
  kDivide,
  kModulo,
  kPower,
  kCoalesce,
  kPipe,
};

/// The built-ins that take a predicate; the evaluator has a loop for each.
enum class Loop : std::uint8_t {
  kNone,
  kAll,
  kNone_,
  kAny,
  kOne,
  kFilter,
  kMap,
  kCount,
  kSum,
  kFind,
  kFindIndex,
  kFindLast,
  kFindLastIndex,
  kGroupBy,
  kSortBy,
  kReduce,
};

struct Node {
  NodeKind kind = NodeKind::kNil;
  Op op = Op::kNone;
  Loop loop = Loop::kNone;
  bool flag = false;
  bool called = false;      // a member that is called: a method
  std::int32_t at = 0;      // character in the source
  std::int32_t depth = 1;   // height of the tree below
  std::int32_t weight = 1;  // nodes below, shared ones counted each time
  NodeId a = kNoNode;
  NodeId b = kNoNode;
  NodeId c = kNoNode;
  std::vector<NodeId> list = {};
  std::string text = {};
  RuntimeValue constant = {};
  const Builtin* builtin = nullptr;  // of kBuiltin without a loop; of kCall if it is known
  std::int32_t path = -1;  // of the end of a.b.c: in Ast::paths, if find_paths() has been there
  std::shared_ptr<const re2::RE2> pattern = {};  // of `matches` with a literal
  Type type = Type::kAny;  // what the checker found; kAny where it did not look
};

/// Variables that a tree reads as a whole: `a.b.c`, or `a.b?.c`.
struct Path {
  std::string name;            // with dots for every access
  std::uint64_t optional = 0;  // bit i: the access of dot i is `?.`

  friend bool operator==(const Path&, const Path&) = default;
};

/// A parsed expression.
struct Ast {
  std::string source;
  std::vector<Node> nodes;
  NodeId root = kNoNode;
  std::vector<std::string> reads;  // see Program::reads()
  std::vector<std::string> roots;  // first segments that the environment is asked for
  std::vector<std::string>
      identifiers;                  // names and paths that Argo demands before it substitutes a tag
  std::vector<std::string> called;  // built-ins that a variable of the same name would override
  bool reads_whole_environment = false;  // $env is used as a value
  bool uses_clock = false;               // now() or sprig, which has dates
  /// What the tree reads, if `paths_suffice`: then no maps need to be made. See find_paths().
  std::vector<Path> paths;
  bool paths_suffice = false;
  /// The tree checked and optimized for what its roots usually are, maps or strings; null if that
  /// does not check.
  std::shared_ptr<const Ast> usual = nullptr;
};

}  // namespace tiphys::expr
