// A request as people read it, to be looked at before it is sent.
//
// Pure.
#pragma once

#include <string>

#include "notify/channel.h"

namespace tiphys::notify {

/// The request line, headers and body of HTTP; server, envelope and text of a mail; environment,
/// arguments and input of a command. JSON bodies are indented. Secrets are shown: see redacted().
[[nodiscard]] std::string rendered(const Request& request);

}  // namespace tiphys::notify
