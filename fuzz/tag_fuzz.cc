// Texts with tags from anywhere: replacing must end, text without tags stays as it is, and a JSON
// document stays one.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tag/substitute.h"
#include "value/json.h"
#include "value/value.h"
#include "vars/scope.h"

namespace {

using tiphys::value::Value;

const tiphys::vars::MapScope& scope() {
  static const tiphys::vars::MapScope made = [] {
    tiphys::vars::MapScope out;
    out.set("workflow.name", Value("w"));
    out.set("workflow.failures", Value(R"("[{\"message\":\"a \\\"b\\\"\"}]")"));
    out.set("inputs.parameters.x", Value("line\n\"quoted\" {{item}}"));
    out.set("item", Value("i"));
    return out;
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lenient = tiphys::tag::substitute(text, scope(), {});
  const auto strict = tiphys::tag::substitute(text, scope(), {.all = true});
  if (!tiphys::tag::has_tags(text)) {
    if (!lenient || *lenient != text || !strict) __builtin_trap();
    return 0;
  }
  if (strict && !lenient) __builtin_trap();  // what is strictly right is right
  (void)tiphys::tag::find_tags(text);
  return 0;
}
