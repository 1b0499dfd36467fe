// What is wrong with a JSON text, in the words of Go's encoding/json, which Argo's messages end
// with.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::value {

/// The first fault of `text` ("unexpected end of JSON input", "invalid character 'o' looking for
/// beginning of value"); "" when it is well-formed. Bytes that are no UTF-8 are no fault.
/// Cost: one pass.
[[nodiscard]] std::string json_fault(std::string_view text);

}  // namespace tiphys::value
