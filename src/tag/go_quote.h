// The inside of a Go string literal, which Argo takes for the inside of a JSON string.
//
// Only substitute_document() needs it: it has to fail where Go's escapes (\a, \v, \x1b, \U0001f9ff)
// are no JSON. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::tag {

/// Appends `text` as Go's strconv.Quote writes it, without the quotes around it.
void append_go_quoted(std::string& out, std::string_view text);

}  // namespace tiphys::tag
