// Where the bytes of a YAML text stand: libyaml counts characters, positions count bytes.
//
// Pure. Only one thread at a time uses one object: it remembers where it looked last.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "diag/error.h"
#include "spec/lines.h"
#include "spec/yaml_reader.h"

namespace tiphys::spec {

class YamlPlaces {
 public:
  /// Both must outlive the object.
  YamlPlaces(std::string_view text, const YamlStyle& style);

  /// The byte at which a character begins; quick when it is near the last one asked for.
  [[nodiscard]] std::size_t byte_of(std::size_t character) const;
  [[nodiscard]] const std::shared_ptr<const Lines>& lines() const { return lines_; }
  [[nodiscard]] diag::Position position_at(std::size_t offset) const;
  /// The error `yaml: MESSAGE` at a byte.
  [[nodiscard]] std::unexpected<diag::Error> fail(std::string_view message, std::size_t at) const;

 private:
  [[nodiscard]] bool is_inside_character(std::size_t offset) const;

  std::string_view text_;
  const YamlStyle& style_;
  bool is_ascii_ = true;
  std::shared_ptr<const Lines> lines_;
  mutable std::size_t last_character_ = 0;
  mutable std::size_t last_byte_ = 0;
};

}  // namespace tiphys::spec
