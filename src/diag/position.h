// Where something stands in a manifest.
//
// Positions are values: they carry no pointer to the text, so that errors can outlive the file that
// they speak of. Pure: no I/O.
#pragma once

#include <string>

namespace tiphys::diag {

/// A place in a source: line and column are 1-based and counted in bytes; 0 means "unknown".
struct Position {
  std::string file;
  int line = 0;
  int column = 0;

  [[nodiscard]] bool is_known() const { return line > 0; }
  friend bool operator==(const Position&, const Position&) = default;
};

}  // namespace tiphys::diag
