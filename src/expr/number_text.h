// Numbers written as text, as Go's strconv reads them.
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tiphys::expr {

/// Go's strconv.Atoi: decimal digits with an optional sign; nullopt when it is none or does not
/// fit.
[[nodiscard]] std::optional<std::int64_t> parse_decimal(std::string_view text);
/// Go's strconv.ParseFloat(text, 64): also "inf", "NaN", hexadecimal floats and underscores after a
/// base prefix; nullopt when it is none or too large.
[[nodiscard]] std::optional<double> parse_float(std::string_view text);

}  // namespace tiphys::expr
