// kubectl's JSONPath templates, as `outputs.parameters[].valueFrom.jsonPath` of resource templates
// has them: text with expressions in braces.
//
// Fields, `['quoted']`, indexes and slices, `[*]`, unions, `..`, filters `[?(@.a == "b")]`,
// `{range X}...{end}` and quoted text; a key that is missing gives nothing, an index beyond the end
// is an error (https://kubernetes.io/docs/reference/kubectl/jsonpath/). Members of objects come in
// the order of their keys, where kubectl has none. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::resource {

class JsonPath {
 public:
  /// Errors: kBadExpression with kubectl's text.
  [[nodiscard]] static diag::Result<JsonPath> parse(std::string_view text);
  ~JsonPath();
  JsonPath(JsonPath&&) noexcept;
  JsonPath& operator=(JsonPath&&) noexcept;

  /// What kubectl prints of the object: results of one expression with a blank between them, lists
  /// and objects as JSON. Errors: kBadExpression.
  [[nodiscard]] diag::Result<std::string> print(const value::Value& object) const;

  struct Part;

 private:
  JsonPath();
  std::vector<std::unique_ptr<Part>> parts_;
};

}  // namespace tiphys::resource
