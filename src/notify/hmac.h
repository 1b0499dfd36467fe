// HMAC-SHA256, with which messages are signed. By libcrypto. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::notify {

/// The 32 bytes of the code of `message` with `key` (of any length, also empty).
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view message);

}  // namespace tiphys::notify
