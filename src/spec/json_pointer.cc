// JSON pointers, as positions are looked up with; declared in yaml_reader.h.
#include <algorithm>

#include <fmt/format.h>

#include "spec/yaml_reader.h"

namespace tiphys::spec {

std::string escape_token(std::string_view token) {
  if (std::ranges::none_of(token, [](char c) { return c == '~' || c == '/'; })) {
    return std::string(token);
  }
  std::string out;
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string pointer_to(std::string_view parent, std::string_view token) {
  return fmt::format("{}/{}", parent, escape_token(token));
}

std::string pointer_to(std::string_view parent, std::size_t index) {
  return fmt::format("{}/{}", parent, index);
}

}  // namespace tiphys::spec
