// A YAML text before it is read: whether its characters are allowed, and where its lines begin.
//
// Pure. Only place_of() of one source at a time: it remembers the last line.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "diag/error.h"
#include "spec/yaml_reader.h"

namespace tiphys::spec {

class YamlSource {
 public:
  /// Both must outlive the source.
  YamlSource(std::string_view text, const YamlStyle& style) : text_(text), style_(style) {}

  /// Finds the lines. Errors: invalid UTF-8, control characters.
  [[nodiscard]] diag::Result<void> check();
  /// Line and column of a byte. After check().
  [[nodiscard]] std::pair<int, int> place_of(std::size_t offset) const;
  [[nodiscard]] diag::Position position_at(std::size_t offset) const;
  /// The error `yaml: MESSAGE` at a byte.
  [[nodiscard]] std::unexpected<diag::Error> fail(std::string_view message, std::size_t at) const;

 private:
  [[nodiscard]] bool is_in_line(std::size_t line, std::size_t offset) const;

  std::string_view text_;
  const YamlStyle& style_;
  std::vector<std::size_t> line_starts_{0};
  mutable std::size_t last_line_ = 0;
};

}  // namespace tiphys::spec
