// Durations as texts: Go's own notation, Argo's (a bare number is seconds), and the one for people.
//
// Manifests and users' eyes know Go's notation only, so odd inputs give what Go gives, overflow
// included. Pure.
#pragma once

#include <string>
#include <string_view>

#include "clock/instant.h"
#include "diag/error.h"

namespace tiphys::clock {

/// Go's time.ParseDuration: "1h30m", "-1.5s", "300ms". Errors: kInvalidManifest with Go's text.
[[nodiscard]] diag::Result<Duration> parse_go_duration(std::string_view text);

/// Argo's durations (backoff.duration, suspend.duration ...): an integer is seconds, the rest is
/// Go's. Too many seconds wrap around as they do there. Errors: kInvalidManifest `unable to parse X
/// as a duration: ...`.
[[nodiscard]] diag::Result<Duration> parse_duration(std::string_view text);

/// Go's Duration.String(): "1h30m0s", "1.5s", "0s".
[[nodiscard]] std::string go_duration(Duration d);

/// For people, up to two units, as Argo's CLI and messages have it: "1 minute 30 seconds", "2 hours
/// 0 minutes".
[[nodiscard]] std::string humanize(Duration d);

/// For lists, one unit: "5s", "3m", "2h", "4d".
[[nodiscard]] std::string humanize_short(Duration d);

/// Go's strconv.Atoi: an optional sign and decimal digits that fit into 64 bits. Errors:
/// kInvalidManifest with Go's text.
[[nodiscard]] diag::Result<std::int64_t> parse_go_int(std::string_view text);

}  // namespace tiphys::clock
