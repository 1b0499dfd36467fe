// Expressions from anywhere: parsing and running must end, with a value or an error.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "expr/program.h"
#include "value/value.h"
#include "vars/scope.h"

namespace {

using tiphys::value::Value;

const tiphys::vars::MapScope& scope() {
  static const tiphys::vars::MapScope made = [] {
    tiphys::vars::MapScope out;
    out.set("workflow.name", Value("w"));
    out.set("workflow.status", Value("Running"));
    out.set("workflow.parameters.n", Value("3"));
    out.set("steps.a.status", Value("Succeeded"));
    out.set("steps.a.outputs.result", Value(R"([1, {"k": "v"}])"));
    out.set("inputs.parameters.x", Value());
    out.set("item", Value("i"));
    return out;
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const auto program = tiphys::expr::Program::parse(source);
  if (!program) return 0;
  const auto as_value = program->run(scope());
  tiphys::expr::Cost used;
  const auto as_tag = program->run_for_tag(scope(), used);
  const auto as_bool = program->run_bool(scope());
  // What is a bool or stands in a tag is a value, too.
  if ((as_bool || as_tag) && !as_value) __builtin_trap();
  return 0;
}
