// Standard Webhooks 1.0 (standardwebhooks.com): how a receiver knows that a message is ours, whole
// and fresh.
//
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "clock/instant.h"
#include "diag/error.h"
#include "notify/channel.h"

namespace tiphys::notify {

/// The headers webhook-id, webhook-timestamp and webhook-signature of a message. `secrets` are
/// `whsec_` and base64, or plain texts; the message is signed with each, newest first, so that keys
/// can be rotated. Without secrets there is no signature. Errors: kInvalidManifest (bad base64).
[[nodiscard]] diag::Result<HeaderList> webhook_headers(std::string_view id, clock::Instant at,
                                                       std::string_view body,
                                                       const std::vector<std::string>& secrets);

}  // namespace tiphys::notify
