// Which addresses notifications and http templates may go to.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

struct sockaddr;

namespace tiphys::net {

/// Why nothing is sent to this address: `169.254.169.254 is link-local`; "" when it may be.
[[nodiscard]] std::string address_refusal(const sockaddr& address, bool refuses_private);

/// The same of a URL's host when it is an address, however it is written (`0xa9fea9fe`,
/// `[fe80::1]`); "" for names. Behind a proxy nothing else says where a request goes.
[[nodiscard]] std::string host_refusal(std::string_view host, bool refuses_private);

}  // namespace tiphys::net
