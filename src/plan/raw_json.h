// Takes valid JSON text apart without reading it into values, so that `1.0` stays `1.0`.
//
// Loop items are named and inserted as they were written; a Value has forgotten that.
// Pure. The texts must be valid JSON (parse_json() said so); views point into them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiphys::plan {

/// The elements of a JSON list, without blanks around them; empty for anything else.
[[nodiscard]] std::vector<std::string_view> raw_elements(std::string_view json);

/// The members of a JSON object: the key as it is written, with its quotes, and the value.
[[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> raw_members(
    std::string_view json);

/// Go's json.Marshal of a json.RawMessage: no blanks; with `escape_html` also `<`, `>`, `&`, U+2028
/// and U+2029 escaped.
[[nodiscard]] std::string compact(std::string_view json, bool escape_html);

}  // namespace tiphys::plan
