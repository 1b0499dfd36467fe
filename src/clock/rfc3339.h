// Timestamps as Kubernetes writes them: RFC 3339 in UTC with whole seconds.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "clock/instant.h"
#include "diag/error.h"

namespace tiphys::clock {

/// "2006-01-02T15:04:05Z"; fractions are cut off.
[[nodiscard]] std::string rfc3339(Instant t);

/// With microseconds, as Kubernetes' MicroTime: "2006-01-02T15:04:05.000000Z".
[[nodiscard]] std::string rfc3339_micro(Instant t);

/// Reads RFC 3339 with any offset and any number of decimals (cut to nanoseconds).
/// Errors: kInvalidManifest for other texts and for years outside of 1678..2261.
[[nodiscard]] diag::Result<Instant> parse_rfc3339(std::string_view text);

}  // namespace tiphys::clock
