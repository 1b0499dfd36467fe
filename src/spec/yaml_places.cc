#include "spec/yaml_places.h"

#include <algorithm>

#include <fmt/format.h>

namespace tiphys::spec {

YamlPlaces::YamlPlaces(std::string_view text, const YamlStyle& style) : text_(text), style_(style) {
  is_ascii_ = std::ranges::all_of(text, [](char c) { return static_cast<signed char>(c) >= 0; });
  for (std::size_t i = text.find('\n'); i != std::string_view::npos; i = text.find('\n', i + 1)) {
    line_starts_.push_back(i + 1);
  }
}

bool YamlPlaces::is_inside_character(std::size_t offset) const {
  return offset < text_.size() && (static_cast<unsigned char>(text_[offset]) & 0xC0U) == 0x80;
}

std::size_t YamlPlaces::byte_of(std::size_t character) const {
  if (is_ascii_) return std::min(character, text_.size());
  for (; last_character_ < character && last_byte_ < text_.size(); ++last_character_) {
    do ++last_byte_;
    while (is_inside_character(last_byte_));
  }
  for (; last_character_ > character && last_byte_ > 0; --last_character_) {
    do --last_byte_;
    while (last_byte_ > 0 && is_inside_character(last_byte_));
  }
  return last_byte_;
}

bool YamlPlaces::is_in_line(std::size_t line, std::size_t offset) const {
  return line_starts_[line] <= offset &&
         (line + 1 == line_starts_.size() || offset < line_starts_[line + 1]);
}

// Places mostly come in order, so the lines behind the last one are where to look first.
std::pair<int, int> YamlPlaces::place_of(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  for (int i = 0; i < 4 && !is_in_line(last_line_, offset); ++i) {
    if (last_line_ + 1 == line_starts_.size()) break;
    ++last_line_;
  }
  if (!is_in_line(last_line_, offset)) {
    const auto next = std::ranges::upper_bound(line_starts_, offset);
    last_line_ = static_cast<std::size_t>(next - line_starts_.begin()) - 1;
  }
  return {style_.first_line + static_cast<int>(last_line_),
          static_cast<int>(offset - line_starts_[last_line_]) + 1};
}

diag::Position YamlPlaces::position_at(std::size_t offset) const {
  const auto [line, column] = place_of(offset);
  return {style_.file, line, column};
}

std::unexpected<diag::Error> YamlPlaces::fail(std::string_view message, std::size_t at) const {
  return diag::fail(diag::Code::kInvalidManifest, fmt::format("yaml: {}", message),
                    position_at(at));
}

}  // namespace tiphys::spec
