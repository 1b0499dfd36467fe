#include "view/yaml_view.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "value/json.h"

namespace tiphys::view {

namespace {

using value::Value;

// Words that YAML 1.1 reads as something other than a string.
bool is_special(std::string_view s) {
  constexpr std::array<std::string_view, 25> kWords = {
      "",      "~",     "null", "Null", "NULL", "true", "True", "TRUE", "false",
      "False", "FALSE", "y",    "Y",    "n",    "N",    "yes",  "Yes",  "YES",
      "no",    "No",    "NO",   "on",   "On",   "off",  "Off"};
  return std::ranges::find(kWords, s) != kWords.end() || s == "ON" || s == "OFF";
}

bool looks_like_a_number_or_time(std::string_view s) {
  if (s.empty()) return false;
  const std::string_view digits =
      s.front() == '-' || s.front() == '+' || s.front() == '.' ? s.substr(1) : s;
  if (digits.empty()) return false;
  if (std::isdigit(static_cast<unsigned char>(digits.front())) == 0)
    return s == ".inf" || s == ".nan" || s == ".NaN" || s == ".Inf";
  return std::ranges::all_of(s, [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("+-._:xoTZ ").find(c) != std::string_view::npos;
  });
}

bool is_plain(std::string_view s) {
  if (is_special(s) || looks_like_a_number_or_time(s)) return false;
  if (std::string_view("-?:,[]{}#&*!|>'\"%@` =").find(s.front()) != std::string_view::npos) {
    const bool is_word =
        (s.front() == '-' || s.front() == '?' || s.front() == ':') && s.size() > 1 && s[1] != ' ';
    if (!is_word) return false;
  }
  if (s.back() == ' ' || s.back() == ':') return false;
  if (s.find(": ") != std::string_view::npos || s.find(" #") != std::string_view::npos)
    return false;
  return std::ranges::all_of(
      s, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

std::string single_quoted(std::string_view s) {
  std::string out = "'";
  for (const char c : s) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

class Writer {
 public:
  std::string text;

  void write(const Value& v, std::size_t indent) {
    if (v.is_map()) {
      write_map(v, indent);
    } else if (v.is_list()) {
      write_list(v, indent);
    } else {
      write_scalar(v, indent);
      text += '\n';
    }
  }

 private:
  void write_map(const Value& v, std::size_t indent) {
    if (v.map().empty()) {
      text += "{}\n";
      return;
    }
    bool is_first = true;
    for (const auto& [key, element] : v.map().sorted()) {
      if (!is_first) text.append(indent, ' ');
      is_first = false;
      text += is_plain(key) ? key : single_quoted(key);
      text += ':';
      write_below(element, indent);
    }
  }

  void write_below(const Value& element, std::size_t indent) {
    const bool is_block_map = element.is_map() && !element.map().empty();
    const bool is_block_list = element.is_list() && !element.list().empty();
    if (is_block_map) {
      text += '\n';
      text.append(indent + 2, ' ');
      write(element, indent + 2);
    } else if (is_block_list) {
      text += '\n';
      text.append(indent, ' ');  // lists stand at the level of their key
      write(element, indent);
    } else {
      text += ' ';
      write(element, indent);
    }
  }

  void write_list(const Value& v, std::size_t indent) {
    if (v.list().empty()) {
      text += "[]\n";
      return;
    }
    bool is_first = true;
    for (const Value& element : v.list()) {
      if (!is_first) text.append(indent, ' ');
      is_first = false;
      text += "- ";
      write(element, indent + 2);
    }
  }

  void write_scalar(const Value& v, std::size_t indent) {
    if (!v.is_string()) {
      text += value::to_json(v);
      return;
    }
    const std::string& s = v.as_string();
    if (s.find('\n') != std::string::npos && s.front() != ' ' && s.front() != '\n') {
      write_block(s, indent);
    } else if (s.empty()) {
      text += "\"\"";
    } else if (is_plain(s)) {
      text += s;
    } else if (is_special(s) || looks_like_a_number_or_time(s) ||
               !std::ranges::all_of(s,
                                    [](char c) { return static_cast<unsigned char>(c) >= 0x20; })) {
      value::append_json_string(text, s, false);
    } else {
      text += single_quoted(s);
    }
  }

  void write_block(const std::string& s, std::size_t indent) {
    const bool has_end = s.back() == '\n';
    const bool has_more_ends = s.size() > 1 && has_end && s[s.size() - 2] == '\n';
    text += has_more_ends ? "|+" : has_end ? "|" : "|-";
    std::size_t at = 0;
    const std::size_t stop = has_end ? s.size() - 1 : s.size();
    while (at <= stop) {
      const std::size_t end = std::min(s.find('\n', at), stop);
      text += '\n';
      if (end > at) text.append(indent + 2, ' ').append(s, at, end - at);
      if (end >= stop) break;
      at = end + 1;
    }
  }
};

}  // namespace

std::string to_yaml(const Value& v) {
  Writer writer;
  writer.write(v, 0);
  return writer.text;
}

}  // namespace tiphys::view
