// The manifests that resource templates hold as text. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::lint {

/// The text with each expression tag made a word, since YAML can't be read with them.
[[nodiscard]] std::string without_expressions(std::string_view manifest);

}  // namespace tiphys::lint
