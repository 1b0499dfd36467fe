// The key of a state folder that signs links in notifications. One for all processes.
#pragma once

#include <string>

#include "diag/error.h"

namespace tiphys::runtime {

/// Reads `home`/links.key, which only the owner may read, and makes it if there is none. 32 bytes.
/// Errors: kIo.
[[nodiscard]] diag::Result<std::string> link_key(const std::string& home);

}  // namespace tiphys::runtime
