// Columns as Go's text/tabwriter lays them out (the argo CLI uses it).
//
// Pure.
#pragma once

#include <string>
#include <vector>

namespace tiphys::view {

/// Rows of cells; each cell is padded to the widest of its column plus `padding`, except for the
/// last cell of a row when `pads_last` is false. Width counts code points, escape sequences
/// included, as Go does.
[[nodiscard]] std::string format_table(const std::vector<std::vector<std::string>>& rows,
                                       std::size_t padding, bool pads_last);

/// The number of code points.
[[nodiscard]] std::size_t width_of(const std::string& text);

}  // namespace tiphys::view
