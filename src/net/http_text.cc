#include "net/http_text.h"

#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

namespace tiphys::net {

std::string uri_encoded(std::string_view text, bool keeps_slashes) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
                          (c == '/' && keeps_slashes);
    if (is_plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string uri_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* const digits = text.data() + i + 1;
    const bool is_coded = text[i] == '%' && i + 2 < text.size() &&
                          std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
    out += is_coded ? static_cast<char>(byte) : text[i];
    if (is_coded) i += 2;
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::optional<int> status_in(std::string_view line) {
  if (!line.starts_with("HTTP/")) return std::nullopt;
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return 0;
  return std::atoi(std::string(line.substr(blank)).c_str());
}

std::optional<std::string_view> header_value(std::string_view line, std::string_view name) {
  const bool is_it = line.size() > name.size() && line[name.size()] == ':' &&
                     lower(line.substr(0, name.size())) == name;
  if (!is_it) return std::nullopt;
  line.remove_prefix(name.size() + 1);
  const std::size_t from = line.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return std::string_view();
  return line.substr(from, line.find_last_not_of(" \t\r\n") - from + 1);
}

}  // namespace tiphys::net
