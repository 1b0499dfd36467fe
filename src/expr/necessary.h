// What has to be so for an expression to be true, found without evaluating it: so that of many
// expressions only those are evaluated that can be.
//
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::expr {

/// A variable that has to be this text.
struct NecessaryText {
  std::string path;  // `node.displayName`
  std::string text;
};

/// The comparisons `path == "text"` that an expression begins with and joins by `&&`: of
/// `node.phase == "Failed" && workflow.name == "a" && f()` the first two. Empty for others, and for
/// what does not parse.
[[nodiscard]] std::vector<NecessaryText> necessary_texts(std::string_view source);

}  // namespace tiphys::expr
