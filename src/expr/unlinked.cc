// Stands in until the tables of sprig and jsonpath are linked.
#include "expr/builtin_table.h"
#include "expr/jsonpath.h"
#include "expr/sprig.h"

namespace tiphys::expr {
[[gnu::weak]] std::span<const Builtin> sprig_functions() { return {}; }
[[gnu::weak]] diag::Result<RuntimeValue> jsonpath(std::string_view, std::string_view) {
  return bad_expression("jsonpath is not linked");
}
}  // namespace tiphys::expr
