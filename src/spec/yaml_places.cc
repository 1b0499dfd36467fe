#include "spec/yaml_places.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>

namespace tiphys::spec {
namespace {

/// Looks at eight bytes at once: most texts are.
bool is_ascii(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::uint64_t bits = 0;
  for (; text.size() >= sizeof(bits); text.remove_prefix(sizeof(bits))) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof(word));
    bits |= word;
  }
  for (const char c : text) bits |= static_cast<unsigned char>(c);
  return (bits & kHighBits) == 0;
}

}  // namespace

YamlPlaces::YamlPlaces(std::string_view text, const YamlStyle& style)
    : text_(text),
      style_(style),
      is_ascii_(is_ascii(text)),
      lines_(std::make_shared<Lines>(text, style.first_line)) {}

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

diag::Position YamlPlaces::position_at(std::size_t offset) const {
  const auto [line, column] = lines_->place_of(offset);
  return {style_.file, line, column};
}

std::unexpected<diag::Error> YamlPlaces::fail(std::string_view message, std::size_t at) const {
  return diag::fail(diag::Code::kInvalidManifest, fmt::format("yaml: {}", message),
                    position_at(at));
}

}  // namespace tiphys::spec
