#include "runtime/success_condition.h"

#include "expr/program.h"
#include "vars/scope.h"

namespace tiphys::runtime {

diag::Result<bool> success_condition(const std::string& condition, const value::Value& request,
                                     const value::Value& response) {
  TRY(const expr::Program program, expr::Program::parse(condition));
  vars::MapScope scope;
  scope.set("request", request);
  scope.set("response", response);
  return program.run_bool(scope);
}

}  // namespace tiphys::runtime
