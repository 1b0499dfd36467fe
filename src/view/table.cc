#include "view/table.h"

#include <algorithm>

namespace tiphys::view {

namespace {

using Rows = std::vector<std::vector<std::string>>;

// Tabs and newlines inside of a cell divide it, as they do in Go, where a table is a text first.
Rows divided(const Rows& rows) {
  Rows out;
  for (const auto& row : rows) {
    out.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0 || out.back().empty()) out.back().emplace_back();
      for (const char c : row[i]) {
        if (c == '\t') {
          out.back().emplace_back();
        } else if (c == '\n') {
          out.push_back({""});
        } else {
          out.back().back() += c;
        }
      }
    }
  }
  return out;
}

bool has_column(const std::vector<std::string>& row, std::size_t column) {
  return column + 1 < row.size();
}

}  // namespace

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  const std::size_t have = width_of(text);
  if (have < width) out.append(width - have, ' ');
  return out;
}

std::string format_table(const Rows& given, std::size_t padding) {
  Rows rows = divided(given);
  std::size_t columns = 0;
  for (const auto& row : rows) columns = std::max(columns, row.size());
  for (std::size_t column = 0; column < columns; ++column) {
    for (std::size_t begin = 0; begin < rows.size();) {
      std::size_t end = begin;
      std::size_t width = 0;
      for (; end < rows.size() && has_column(rows[end], column); ++end) {
        width = std::max(width, width_of(rows[end][column]) + padding);
      }
      for (std::size_t i = begin; i < end; ++i) {
        rows[i][column] = padded(rows[i][column], width);
      }
      begin = end + 1;
    }
  }
  std::string text;
  for (const auto& row : rows) {
    for (const std::string& cell : row) text += cell;
    text += '\n';
  }
  return text;
}

}  // namespace tiphys::view
