// The operators of the language, as data: spelling, meaning, precedence.
//
// Pure.
#pragma once

#include <array>
#include <string_view>

#include "expr/ast.h"

namespace tiphys::expr {

struct OperatorRow {
  std::string_view text;
  Op op;
  int precedence;
  bool right = false;  // groups to the right
};

inline constexpr auto kBinaryOperators = std::to_array<OperatorRow>({
    {"|", Op::kPipe, 0},
    {"or", Op::kOr, 10},
    {"||", Op::kOr, 10},
    {"and", Op::kAnd, 15},
    {"&&", Op::kAnd, 15},
    {"==", Op::kEqual, 20},
    {"!=", Op::kNotEqual, 20},
    {"<", Op::kLess, 20},
    {">", Op::kMore, 20},
    {">=", Op::kMoreOrEqual, 20},
    {"<=", Op::kLessOrEqual, 20},
    {"in", Op::kIn, 20},
    {"matches", Op::kMatches, 20},
    {"contains", Op::kContains, 20},
    {"startsWith", Op::kStartsWith, 20},
    {"endsWith", Op::kEndsWith, 20},
    {"..", Op::kRange, 25},
    {"+", Op::kPlus, 30},
    {"-", Op::kMinus, 30},
    {"*", Op::kMultiply, 60},
    {"/", Op::kDivide, 60},
    {"%", Op::kModulo, 60},
    {"**", Op::kPower, 100, true},
    {"^", Op::kPower, 100, true},
    {"??", Op::kCoalesce, 500},
});

inline constexpr auto kUnaryOperators = std::to_array<OperatorRow>({
    {"not", Op::kNot, 50},
    {"!", Op::kNot, 50},
    {"-", Op::kMinus, 90},
    {"+", Op::kPlus, 90},
});

/// Predicate built-ins with their shape: how many arguments may be left out at the end (their
/// second one is the predicate).
struct LoopRow {
  std::string_view name;
  Loop loop;
  int arguments;
  int optional = 0;
};

inline constexpr auto kLoops = std::to_array<LoopRow>({
    {"all", Loop::kAll, 2},
    {"none", Loop::kNone_, 2},
    {"any", Loop::kAny, 2},
    {"one", Loop::kOne, 2},
    {"filter", Loop::kFilter, 2},
    {"map", Loop::kMap, 2},
    {"count", Loop::kCount, 2, 1},
    {"sum", Loop::kSum, 2, 1},
    {"find", Loop::kFind, 2},
    {"findIndex", Loop::kFindIndex, 2},
    {"findLast", Loop::kFindLast, 2},
    {"findLastIndex", Loop::kFindLastIndex, 2},
    {"groupBy", Loop::kGroupBy, 2},
    {"sortBy", Loop::kSortBy, 3, 1},
    {"reduce", Loop::kReduce, 3, 1},
});

/// The row of an operator's text in a table, or null.
template <std::size_t N>
constexpr const OperatorRow* find_operator(const std::array<OperatorRow, N>& table,
                                           std::string_view text) {
  for (const OperatorRow& row : table) {
    if (row.text == text) return &row;
  }
  return nullptr;
}

/// The text of a binary or unary operator for messages.
constexpr std::string_view operator_text(Op op) {
  for (const OperatorRow& row : kBinaryOperators) {
    if (row.op == op) return row.text;
  }
  return "!";
}

constexpr bool is_comparison(Op op) {
  return op == Op::kLess || op == Op::kMore || op == Op::kMoreOrEqual || op == Op::kLessOrEqual;
}

/// `x not in y` and its like.
constexpr bool may_follow_not(Op op) {
  return op == Op::kIn || op == Op::kMatches || op == Op::kContains || op == Op::kStartsWith ||
         op == Op::kEndsWith;
}

constexpr const LoopRow* find_loop(std::string_view name) {
  for (const LoopRow& row : kLoops) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace tiphys::expr
