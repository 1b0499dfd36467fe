#include "lint/manifest_text.h"

namespace tiphys::lint {

std::string without_expressions(std::string_view manifest) {
  std::string out;
  for (;;) {
    const std::size_t begin = manifest.find("{{");
    const std::size_t end = begin == std::string_view::npos ? begin : manifest.find("}}", begin);
    out += manifest.substr(0, end == std::string_view::npos ? end : begin);
    if (end == std::string_view::npos) return out;
    const std::string_view inside = manifest.substr(begin + 2, end - begin - 2);
    const std::size_t first = inside.find_first_not_of(" \t");
    const bool is_expression = first != std::string_view::npos && inside[first] == '=';
    out += is_expression ? std::string_view("x") : manifest.substr(begin, end + 2 - begin);
    manifest.remove_prefix(end + 2);
  }
}

}  // namespace tiphys::lint
