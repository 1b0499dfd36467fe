#include "view/fit.h"

#include <algorithm>
#include <numeric>

#include "view/table.h"

namespace tiphys::view {

namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr int kPadding = 2;
constexpr int kMessage = 20;  // of a long message, this much is worth a column of names
constexpr int kStepLeast = 16;

/// How wide the table gets, of a long message only its beginning.
int needed(const Rows& rows) {
  std::vector<int> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_message = i + 2 == row.size();
      const int width = seen_width(row[i]);
      widths[i] = std::max(widths[i], is_message ? std::min(width, kMessage) : width);
    }
  }
  return std::accumulate(widths.begin(), widths.end(), 0,
                         [](int sum, int width) { return sum + width + (width > 0 ? 2 : 0); }) -
         kPadding;
}

// Blanks at the end of a line would make a terminal go on to the next one.
std::string without_line_ends(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out.resize(out.find_last_not_of(' ') + 1);
    out += c;
  }
  return out;
}

void drop(Rows& rows, std::size_t column) {
  for (auto& row : rows) {
    if (row.size() > column + 2) row.erase(row.begin() + static_cast<std::ptrdiff_t>(column));
  }
}

}  // namespace

int seen_width(const std::string& text) {
  int width = 0;
  bool in_escape = false;
  for (const char c : text) {
    if (c == '\x1b') in_escape = true;
    const bool is_start = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    if (!in_escape && is_start) ++width;
    if (in_escape && c == 'm') in_escape = false;
  }
  return width;
}

std::string cut_lines(const std::string& text, int width) {
  if (width <= 0) return text;
  std::string out;
  int column = 0;
  bool in_escape = false;
  for (const char c : text) {
    if (c == '\n') column = 0;
    if (c == '\x1b') in_escape = true;
    const bool is_start = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    if (!in_escape && c != '\n' && is_start) ++column;
    if (in_escape || column <= width || c == '\n') out += c;
    if (in_escape && c == 'm') in_escape = false;
  }
  return out;
}

std::string fit_table(Rows rows, int width) {
  for (const std::size_t column : {2U, 1U}) {
    if (width > 0 && needed(rows) > width) drop(rows, column);
  }
  const int excess = width > 0 ? needed(rows) - width : 0;
  if (excess > 0) {
    int widest = 0;
    for (const auto& row : rows) widest = std::max(widest, seen_width(row[0]));
    const int most = std::max(widest - excess, kStepLeast);
    for (auto& row : rows) {
      if (seen_width(row[0]) > most) row[0] = cut_lines(row[0], most - 1) + "…";
    }
  }
  std::string text = format_table(rows, kPadding);
  return width > 0 ? without_line_ends(text) : text;
}

}  // namespace tiphys::view
