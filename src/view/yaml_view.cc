#include "view/yaml_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "value/json.h"
#include "view/table.h"
#include "view/yaml_scalar.h"

namespace tiphys::view {

namespace {

using value::Value;

constexpr std::size_t kColumnMax = 80;      // a line is folded at the first blank after it
constexpr std::size_t kSimpleKeyMax = 128;  // bytes; longer keys get a "? "

bool has_line_break(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto [c, size] = code_point_at(text, i);
    if (is_line_break(c)) return true;
    i += size;
  }
  return false;
}

using Entries = std::vector<const value::Map::Entry*>;

// A merge sort of our own: Go's order of keys has circles ("a1x" < "a2" < "a10" < "a1x"), on which
// the library's sorts may do anything.
void sort_by_key(Entries& entries) {
  Entries merged(entries.size());
  for (std::size_t run = 1; run < entries.size(); run *= 2) {
    for (std::size_t begin = 0; begin < entries.size(); begin += 2 * run) {
      const std::size_t middle = std::min(begin + run, entries.size());
      const std::size_t end = std::min(begin + 2 * run, entries.size());
      std::size_t left = begin;
      std::size_t right = middle;
      for (std::size_t out = begin; out < end; ++out) {
        const bool takes_right =
            left == middle ||
            (right < end && key_comes_before(entries[right]->first, entries[left]->first));
        merged[out] = takes_right ? entries[right++] : entries[left++];
      }
    }
    entries.swap(merged);
  }
}

class Writer {
 public:
  std::string text;

  /// Writes `v` where the line stands; its further lines begin at `indent`, those of a scalar at
  /// `scalar_indent`. Ends the line.
  void write(const Value& v, std::size_t indent, std::size_t scalar_indent) {
    if (v.is_map() && !v.map().empty()) {
      write_map(v, indent);
    } else if (v.is_list() && !v.list().empty()) {
      write_list(v, indent);
    } else {
      write_scalar(v, scalar_indent, false);
      if (!text.ends_with('\n')) text += '\n';
    }
  }

 private:
  void write_map(const Value& v, std::size_t indent) {
    Entries entries;
    for (const auto& entry : v.map()) entries.push_back(&entry);
    sort_by_key(entries);
    bool is_first = true;
    for (const auto* entry : entries) {
      if (!is_first) text.append(indent, ' ');
      is_first = false;
      write_entry(entry->first, entry->second, indent);
    }
  }

  void write_entry(const std::string& key, const Value& v, std::size_t indent) {
    if (key.size() <= kSimpleKeyMax && !has_line_break(key)) {
      write_scalar(key, indent + 2, true);
      text += ':';
      write_below(v, indent);
      return;
    }
    text += "? ";
    write(key, indent + 2, indent + 2);
    text.append(indent, ' ') += ": ";
    write(v, indent + 2, indent + 2);
  }

  void write_below(const Value& v, std::size_t indent) {
    if (v.is_map() && !v.map().empty()) {
      text += '\n';
      text.append(indent + 2, ' ');
      write_map(v, indent + 2);
    } else if (v.is_list() && !v.list().empty()) {
      text += '\n';
      text.append(indent, ' ');
      write_list(v, indent);
    } else {
      text += ' ';
      write(v, indent, indent + 2);
    }
  }

  void write_list(const Value& v, std::size_t indent) {
    bool is_first = true;
    for (const Value& element : v.list()) {
      if (!is_first) text.append(indent, ' ');
      is_first = false;
      text += "- ";
      write(element, indent + 2, indent + 2);
    }
  }

  void write_scalar(const Value& v, std::size_t indent, bool is_key) {
    if (v.is_float()) {
      text += yaml_float(v.as_float());
      return;
    }
    if (!v.is_string()) {
      text += value::to_json(v);
      return;
    }
    const std::string& s = v.as_string();
    const std::size_t column_max = is_key ? std::string::npos : kColumnMax;
    switch (style_of(s, is_key)) {
      case ScalarStyle::kPlain:
        return write_folded(s, indent, column_max);
      case ScalarStyle::kSingleQuoted:
        text += '\'';
        write_folded(s, indent, column_max, true);
        text += '\'';
        return;
      case ScalarStyle::kDoubleQuoted:
        return write_double_quoted(s, indent, column_max);
      case ScalarStyle::kLiteral:
        return write_literal(s, indent);
    }
  }

  [[nodiscard]] std::size_t column() const {
    return width_of(std::string_view(text).substr(text.rfind('\n') + 1));
  }

  void new_line(std::size_t indent) { text.append("\n").append(indent, ' '); }

  // Plain or single quoted: a line may end at a blank that stands alone.
  void write_folded(std::string_view s, std::size_t indent, std::size_t column_max,
                    bool is_quoted = false) {
    bool is_after_space = false;
    bool is_after_break = false;
    for (std::size_t i = 0; i < s.size();) {
      const auto [c, size] = code_point_at(s, i);
      const bool is_break = is_line_break(c);
      const bool is_inside = i > 0 && i + 1 < s.size();
      if (c == ' ' && !is_after_space && is_inside && s[i + 1] != ' ' && column() > column_max) {
        new_line(indent);
      } else {
        if (is_after_break && !is_break && c != ' ') text.append(indent, ' ');
        if (is_quoted && c == '\'') text += '\'';
        text.append(s, i, size);
      }
      is_after_space = c == ' ';
      is_after_break = is_break;
      i += size;
    }
  }

  void write_double_quoted(std::string_view s, std::size_t indent, std::size_t column_max) {
    text += '"';
    bool is_after_space = false;
    const bool has_mark = s.starts_with("\xEF\xBB\xBF");  // then Go escapes every character
    for (std::size_t i = 0; i < s.size();) {
      const auto [c, size] = code_point_at(s, i);
      const bool is_inside = i > 0 && i + 1 < s.size();
      if (!is_printable(c) || is_line_break(c) || c == '"' || c == '\\' || has_mark) {
        write_escaped(c);
      } else if (c == ' ' && !is_after_space && is_inside && column() > column_max) {
        new_line(indent);
        if (s[i + 1] == ' ') text += '\\';
      } else {
        text.append(s, i, size);
      }
      is_after_space = c == ' ' && !has_mark;
      i += size;
    }
    text += '"';
  }

  void write_escaped(std::uint32_t c) {
    static constexpr std::pair<std::uint32_t, char> kShort[] = {
        {0x00, '0'},  {0x07, 'a'}, {0x08, 'b'}, {0x09, 't'},   {0x0A, 'n'},
        {0x0B, 'v'},  {0x0C, 'f'}, {0x0D, 'r'}, {0x1B, 'e'},   {'"', '"'},
        {'\\', '\\'}, {0x85, 'N'}, {0xA0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};
    text += '\\';
    for (const auto& [point, letter] : kShort) {
      if (point != c) continue;
      text += letter;
      return;
    }
    text += c <= 0xFF     ? fmt::format("x{:02X}", c)
            : c <= 0xFFFF ? fmt::format("u{:04X}", c)
                          : fmt::format("U{:08X}", c);
  }

  void write_literal(std::string_view s, std::size_t indent) {
    text += '|';
    if (s.front() == ' ' || s.front() == '\n') text += '2';
    if (!s.ends_with('\n')) {
      text += '-';
    } else if (s.size() == 1 || s.ends_with("\n\n")) {
      text += '+';
    }
    text += '\n';
    bool is_line_start = true;
    for (std::size_t i = 0; i < s.size();) {
      const auto [c, size] = code_point_at(s, i);
      const bool is_break = is_line_break(c);
      if (is_line_start && !is_break) text.append(indent, ' ');
      text.append(s, i, size);
      is_line_start = is_break;
      i += size;
    }
  }
};

}  // namespace

std::string to_yaml(const Value& v) {
  Writer writer;
  writer.write(v, 0, 2);
  return writer.text;
}

}  // namespace tiphys::view
