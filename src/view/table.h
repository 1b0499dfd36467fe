// Columns as Go's text/tabwriter lays them out, with which the argo CLI prints its tables.
//
// Argo's output is compared byte for byte by people's scripts, and tabwriter's rule is not the one
// of a usual table: a column is as wide as its widest cell in a run of neighbouring rows, and the
// last cell of a row belongs to no column. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::view {

/// Lays out rows of cells, `padding` blanks between columns. A cell's width is its number of code
/// points, escape sequences included, as in Go. The last cell of each row is not padded: end a row
/// with an empty cell to have all of its others padded.
[[nodiscard]] std::string format_table(const std::vector<std::vector<std::string>>& rows,
                                       std::size_t padding);

/// The number of code points.
[[nodiscard]] std::size_t width_of(std::string_view text);

/// `text` followed by blanks up to `width` code points, as Go's %-20s.
[[nodiscard]] std::string padded(std::string_view text, std::size_t width);

}  // namespace tiphys::view
