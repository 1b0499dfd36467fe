// Goldens that call the HTTP server that comes with them, while nobody has started it.
//
// Opens a connection to this machine.
#pragma once

#include <string>
#include <vector>

namespace tiphys::cli {

/// How to start the server, where FOLDER/echo_server.py is, one of the goldens (FOLDER/NAME.yaml)
/// calls a port of 127.0.0.1 that it says is its own, and nobody answers there; else "".
[[nodiscard]] std::string echo_hint(const std::string& folder,
                                    const std::vector<std::string>& names);

}  // namespace tiphys::cli
