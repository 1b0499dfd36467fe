// `workflow.creationTimestamp.X`: one piece of a timestamp, by the letters of strftime that Argo
// knows.
//
// Pure, but see civil.h for zones.
#pragma once

#include <string>
#include <string_view>

#include "clock/instant.h"

namespace tiphys::clock {

/// The letters that mean something after '%', in the order of Argo's documentation.
inline constexpr std::string_view kStrftimeLetters = "BbmAadHIMSYypZzL";

/// `format` with %B %b %m %A %a %d %H %I %M %S %Y %y %p %Z %z %L replaced; other letters stay, `%%`
/// is a percent sign. `zone`: name of the tz database, "" for UTC; an unknown one counts as UTC.
[[nodiscard]] std::string strftime(std::string_view format, Instant t, std::string_view zone = "");

}  // namespace tiphys::clock
