// Which addresses notifications may go to.
//
// Pure.
#pragma once

#include <string>

struct sockaddr;

namespace tiphys::notify {

/// Why nothing is sent to this address: `169.254.169.254 is link-local`; "" when it may be.
[[nodiscard]] std::string address_refusal(const sockaddr& address, bool refuses_private);

}  // namespace tiphys::notify
