#include "plan/raw_json.h"

#include <algorithm>

namespace tiphys::plan {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

/// Offset behind the string literal that begins at `at`.
std::size_t skip_string(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return std::min(at + 1, json.size());
}

/// Offset of the next `separator` (or the closing bracket) outside of strings and brackets.
std::size_t skip_to(std::string_view json, std::size_t at, char separator) {
  int depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = skip_string(json, at);
      continue;
    }
    if (depth == 0 && (c == separator || c == ']' || c == '}')) return at;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    ++at;
  }
  return at;
}

}  // namespace

std::vector<std::string_view> raw_elements(std::string_view json) {
  json = trim(json);
  std::vector<std::string_view> elements;
  if (!json.starts_with('[') || trim(json.substr(1)).starts_with(']')) return elements;
  for (std::size_t at = 0; at < json.size() && json[at] != ']';) {
    const std::size_t end = skip_to(json, at + 1, ',');
    elements.push_back(trim(json.substr(at + 1, end - at - 1)));
    at = end;
  }
  return elements;
}

std::vector<std::pair<std::string_view, std::string_view>> raw_members(std::string_view json) {
  json = trim(json);
  std::vector<std::pair<std::string_view, std::string_view>> members;
  if (!json.starts_with('{') || trim(json.substr(1)).starts_with('}')) return members;
  for (std::size_t at = 0; at < json.size() && json[at] != '}';) {
    const std::size_t colon = skip_to(json, at + 1, ':');
    const std::size_t end = skip_to(json, colon + 1, ',');
    members.emplace_back(trim(json.substr(at + 1, colon - at - 1)),
                         trim(json.substr(colon + 1, end - colon - 1)));
    at = end;
  }
  return members;
}

std::string compact(std::string_view json, bool escape_html) {
  std::string out;
  out.reserve(json.size());
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (!in_string && kBlanks.find(c) != std::string_view::npos) continue;
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\' && i + 1 < json.size()) {
      out += c;
      out += json[++i];
    } else if (escape_html && (c == '<' || c == '>' || c == '&')) {
      out += c == '<' ? "\\u003c" : c == '>' ? "\\u003e" : "\\u0026";
    } else if (escape_html && json.substr(i).starts_with("\u2028")) {
      out += "\\u2028";
      i += 2;
    } else if (escape_html && json.substr(i).starts_with("\u2029")) {
      out += "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace tiphys::plan
