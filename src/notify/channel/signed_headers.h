// The headers by which a receiver knows a message again and that it is ours; of the channels
// webhook and cloudevents. Pure.
#pragma once

#include "notify/channel.h"
#include "notify/channel/fields.h"

namespace tiphys::notify {

/// Adds Idempotency-Key and the headers of Standard Webhooks to `request`, whose body is complete;
/// `signingSecrets` of the configuration sign it. Errors: kInvalidManifest (an id that is no header
/// text, a bad secret).
[[nodiscard]] diag::Result<void> sign(const Draft& draft, HttpRequest& request);

/// Adds the names and texts of `headers` (a map), each in place of one with the same name.
/// Errors: kInvalidManifest: not a header, or one that only the engine may set.
[[nodiscard]] diag::Result<void> add_headers(const value::Value& headers, HttpRequest& request);

}  // namespace tiphys::notify
