#include "executor/s3_xml.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace tiphys::executor {
namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}}};

void append_utf8(std::string& out, unsigned c) {
  const auto byte = [&out](unsigned b) { out += static_cast<char>(b); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) {
    byte(0xc0 | (c >> 6U));
  } else {
    if (c < 0x10000) {
      byte(0xe0 | (c >> 12U));
    } else {
      byte(0xf0 | ((c >> 18U) & 7U));
      byte(0x80 | ((c >> 12U) & 0x3fU));
    }
    byte(0x80 | ((c >> 6U) & 0x3fU));
  }
  byte(0x80 | (c & 0x3fU));
}

// The character that `&NAME;` means, e.g. `#x26` or `amp`; nothing for other names.
std::optional<unsigned> meaning_of(std::string_view name) {
  for (const auto& [known, c] : kEntities) {
    if (name == known) return static_cast<unsigned char>(c);
  }
  if (!name.starts_with('#') || name.size() < 2) return std::nullopt;
  const bool is_hex = name[1] == 'x';
  name.remove_prefix(is_hex ? 2 : 1);
  unsigned c = 0;
  const auto [end, error] =
      std::from_chars(name.data(), name.data() + name.size(), c, is_hex ? 16 : 10);
  if (error != std::errc() || end != name.data() + name.size() || c > 0x10ffff) return std::nullopt;
  return c;
}

std::string resolved(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t at = std::min(text.find('&'), text.size());
    out += text.substr(0, at);
    text.remove_prefix(at);
    if (text.empty()) break;
    const std::size_t end = text.find(';');
    const auto c =
        end == std::string_view::npos ? std::nullopt : meaning_of(text.substr(1, end - 1));
    if (c) {
      append_utf8(out, *c);
    } else {
      out += '&';
    }
    text.remove_prefix(c ? end + 1 : 1);
  }
  return out;
}

}  // namespace

std::vector<std::string> xml_texts(std::string_view xml, std::string_view name) {
  const std::string open = fmt::format("<{}>", name);
  const std::string close = fmt::format("</{}>", name);
  std::vector<std::string> texts;
  for (std::size_t at = xml.find(open); at != std::string_view::npos; at = xml.find(open, at)) {
    at += open.size();
    const std::size_t end = xml.find(close, at);
    if (end == std::string_view::npos) break;
    texts.push_back(resolved(xml.substr(at, end - at)));
    at = end;
  }
  return texts;
}

std::string xml_text(std::string_view xml, std::string_view name) {
  std::vector<std::string> texts = xml_texts(xml, name);
  return texts.empty() ? "" : std::move(texts.front());
}

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const char* const found = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : nullptr;
    if (found != nullptr) {
      out += found;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace tiphys::executor
