#include "expr/json_text.h"

#include <string>

#include "expr/builtin_table.h"
#include "value/json.h"
#include "value/json_fault.h"

namespace tiphys::expr {

diag::Result<RuntimeValue> read_json_text(std::string_view text) {
  const auto parsed = value::parse_json(text);
  if (parsed) return RuntimeValue::from_json(*parsed);
  const std::string fault = value::json_fault(text);  // "": only our parser minds, as of the depth
  return bad_expression(fault.empty() ? parsed.error().message : fault);
}

}  // namespace tiphys::expr
