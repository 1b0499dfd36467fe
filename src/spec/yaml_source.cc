#include "spec/yaml_source.h"

#include <algorithm>

#include <fmt/format.h>

namespace tiphys::spec {
namespace {

/// The bytes of the character that `text` begins with; 0 when it is not UTF-8. `text` is not empty.
std::size_t utf8_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool is_beyond = (first == 0xED && second >= 0xA0) || (first == 0xF4 && second >= 0x90);
  return is_overlong || is_beyond ? 0 : length;
}

/// Whether the character, of one or more bytes, may not stand in a text.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) {
    return (first < 0x20 && first != '\t' && first != '\n' && first != '\r') || first == 0x7F;
  }
  const auto second = static_cast<unsigned char>(character[1]);
  if (first == 0xC2) return second < 0xA0 && second != 0x85;
  return character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";
}

}  // namespace

diag::Result<void> YamlSource::check() {
  std::size_t i = 0;
  while (i < text_.size()) {
    const auto c = static_cast<unsigned char>(text_[i]);
    if (c == '\n') line_starts_.push_back(i + 1);
    if (c >= 0x20 && c < 0x7F) {
      ++i;
      continue;
    }
    const std::size_t length = utf8_length(text_.substr(i));
    if (length == 0) return fail("invalid UTF-8", i);
    if (is_control(text_.substr(i, length))) return fail("control characters are not allowed", i);
    i += length;
  }
  return {};
}

bool YamlSource::is_in_line(std::size_t line, std::size_t offset) const {
  return line_starts_[line] <= offset &&
         (line + 1 == line_starts_.size() || offset < line_starts_[line + 1]);
}

// Places mostly come in order, so the lines behind the last one are where to look first.
std::pair<int, int> YamlSource::place_of(std::size_t offset) const {
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

diag::Position YamlSource::position_at(std::size_t offset) const {
  const auto [line, column] = place_of(offset);
  return {style_.file, line, column};
}

std::unexpected<diag::Error> YamlSource::fail(std::string_view message, std::size_t at) const {
  return diag::fail(diag::Code::kInvalidManifest, fmt::format("yaml: {}", message),
                    position_at(at));
}

}  // namespace tiphys::spec
