// Which variables an expression tag needs and a scope lacks, by Argo's rules for leaving a tag
// alone.
//
// Those rules look at names only, before anything is evaluated: `x ?? 'd'` needs x, but `a.b ??
// 'd'` only a. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "expr/program.h"
#include "vars/scope.h"

namespace tiphys::tag {

/// The names, as `tasks.a.outputs`, that the expression reads without `?.` or `??` and that `scope`
/// does not have. A null value counts as there.
[[nodiscard]] std::vector<std::string> missing_variables(const expr::Program& program,
                                                         const vars::Scope& scope);

/// True if the path leads to something in the nested maps that expressions see of `scope`.
[[nodiscard]] bool is_known(std::string_view path, const vars::Scope& scope);

}  // namespace tiphys::tag
