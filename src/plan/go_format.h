// Go's fmt.Sprintf for one integer: what `withSequence.format` is.
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::plan {

/// fmt.Sprintf(format, v) with its texts for mistakes: `%!s(int=9)`, `%!d(MISSING)`, `%!(EXTRA
/// int=9)`.
[[nodiscard]] std::string go_format(std::string_view format, std::int64_t v);

}  // namespace tiphys::plan
