// Base64 as Kubernetes keeps the data of secrets, by OpenSSL.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tiphys::store {

/// The standard alphabet, padded, without line breaks.
[[nodiscard]] std::string encode_base64(std::string_view bytes);
/// Line breaks and blanks around are skipped; nullopt when the text is no base64.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace tiphys::store
