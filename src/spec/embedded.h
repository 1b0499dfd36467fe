// Which fields Go's structs take from a struct within them; Go names it where a value is wrong.
// Pure.
#pragma once

#include <string_view>

namespace tiphys::spec {

/// The names of the structs on the way from struct `type` to its field: `Container` for
/// `v1alpha1.ScriptTemplate` and `env`; empty for a field of its own.
[[nodiscard]] std::string_view embedded_in(std::string_view type, std::string_view field);

}  // namespace tiphys::spec
