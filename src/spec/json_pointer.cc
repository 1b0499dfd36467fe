#include "spec/json_pointer.h"

#include <algorithm>

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
  const bool is_plain = token.find_first_of("~/") == std::string_view::npos;
  std::string out;  // a linter makes thousands of them, most from plain names
  out.reserve(parent.size() + 1 + token.size());
  out.append(parent).append(1, '/');
  return is_plain ? out.append(token) : out.append(escape_token(token));
}

std::string pointer_to(std::string_view parent, std::size_t index) {
  return pointer_to(parent, std::to_string(index));
}

}  // namespace tiphys::spec
