// The table of nodes on a screen that is too narrow for it.
//
// What a person looks for is the step, how long it takes and what it says; the names of pods and
// templates go first. Pure.
#pragma once

#include <string>
#include <vector>

namespace tiphys::view {

/// As format_table() with 2 blanks, for rows of STEP, TEMPLATE, PODNAME, DURATION, MESSAGE: without
/// PODNAME, and then TEMPLATE, if the rest does not fit into `width` columns; then steps are
/// shortened. `width` 0: any.
[[nodiscard]] std::string fit_table(std::vector<std::vector<std::string>> rows, int width);

/// Code points that are seen: escape sequences take no room.
[[nodiscard]] int seen_width(const std::string& text);

/// The text up to `width` seen code points in each line; all of its escape sequences stay.
[[nodiscard]] std::string cut_lines(const std::string& text, int width);

}  // namespace tiphys::view
