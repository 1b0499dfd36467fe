// JSON pointers (RFC 6901), by which parts of a document and their positions are named.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tiphys::spec {

/// A token of a JSON pointer, escaped (`~` -> `~0`, `/` -> `~1`).
[[nodiscard]] std::string escape_token(std::string_view token);
/// Appends `/token` to a JSON pointer, escaped (`~` -> `~0`, `/` -> `~1`).
[[nodiscard]] std::string pointer_to(std::string_view parent, std::string_view token);
[[nodiscard]] std::string pointer_to(std::string_view parent, std::size_t index);

}  // namespace tiphys::spec
