// What kubectl prints about answers of an API server. Pure.
#pragma once

#include <string>
#include <string_view>

#include "kube/client.h"

namespace tiphys::kube {

/// `Error from server (NotFound): ...`; `doing`, if any, stands before the server's message.
[[nodiscard]] std::string server_error(const Answer& answer, std::string_view doing);

}  // namespace tiphys::kube
