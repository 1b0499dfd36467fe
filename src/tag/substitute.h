// Replaces `{{name}}` and `{{=expression}}` in texts and in whole values.
//
// Argo replaces in the JSON text of an object; here the strings of a Value are replaced one by one,
// which gives the same result but cannot produce invalid JSON. substitute_document() is Argo's way,
// for the conformance vectors. Pure.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "value/value.h"
#include "vars/scope.h"

namespace tiphys::tag {

/// What to do with a tag that cannot be resolved.
struct Strictness {
  bool all = false;  // every unresolved tag is an error
  std::vector<std::string> prefixes =
      {};  // these are, e.g. "steps" and "tasks"; the others stay as they are
};

/// True if `text` may hold a tag: a cheap test for "{{".
[[nodiscard]] bool has_tags(std::string_view text);
template <std::convertible_to<std::string_view> Text>
[[nodiscard]] bool has_tags(const Text& text) {  // a string would fit a Value as well
  return has_tags(std::string_view(text));
}
/// The same for any string (or map key) inside `v`. Cost: O(size of v).
[[nodiscard]] bool has_tags(const value::Value& v);

/// One pass over `text`. Nested tags `{{a.{{b}}}}` resolve from the inside, one level a pass.
/// Errors: kMissingVariable `failed to resolve {{name}}` (Argo requeues), kBadExpression,
/// kInvalidManifest (malformed tag, value of a skipped node's output).
[[nodiscard]] diag::Result<std::string> substitute(std::string_view text, const vars::Scope& scope,
                                                   const Strictness& strictness);
template <std::convertible_to<std::string_view> Text>
[[nodiscard]] diag::Result<std::string> substitute(const Text& text, const vars::Scope& scope,
                                                   const Strictness& strictness) {
  return substitute(std::string_view(text), scope, strictness);
}

/// Replaces in every string and map key inside `v`. Parts without tags are shared, not copied.
[[nodiscard]] diag::Result<value::Value> substitute(const value::Value& v, const vars::Scope& scope,
                                                    const Strictness& strictness);

/// Argo's template.Replace on a JSON document: replaced text is escaped as the inside of a Go
/// string.
[[nodiscard]] diag::Result<std::string> substitute_document(std::string_view json,
                                                            const vars::Scope& scope,
                                                            const Strictness& strictness);

/// A tag found in a text: `name` is trimmed; for expression tags it is the source after '='.
struct Tag {
  std::string name;
  bool is_expression = false;
  std::size_t offset = 0;  // of "{{" in the text
};
/// Every tag in `text`, in order, for validation. Malformed ones (no closing "}}") end the search.
[[nodiscard]] std::vector<Tag> find_tags(std::string_view text);

}  // namespace tiphys::tag
