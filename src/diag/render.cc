#include "diag/render.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace tiphys::diag {
namespace {

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kYellow = "\x1b[1;33m";
constexpr std::string_view kGreen = "\x1b[1;32m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string colored(std::string_view text, std::string_view color, const RenderStyle& style) {
  if (!style.color) return std::string(text);
  return fmt::format("{}{}{}", color, text, kPlain);
}

std::optional<std::string_view> line_of(std::string_view text, int line) {
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// The line and, below it, as many blanks as stand before the caret; tabs stay tabs.
std::string excerpt(std::string_view line, std::size_t caret, const RenderStyle& style) {
  caret = std::min(caret, line.size());
  std::size_t begin = 0;
  if (caret > style.width_max - 10) begin = caret - style.width_max / 2;
  while (begin < line.size() && is_continuation(line[begin])) ++begin;
  std::string_view shown = line.substr(begin);
  const bool is_cut = shown.size() > style.width_max;
  if (is_cut) {
    std::size_t size = style.width_max;
    while (size > 0 && is_continuation(shown[size])) --size;
    shown = shown.substr(0, size);
  }
  std::string blanks;
  for (const char c : line.substr(begin, caret - begin)) {
    if (!is_continuation(c)) blanks += c == '\t' ? '\t' : ' ';
  }
  const std::string_view lead = begin > 0 ? "..." : "";
  return fmt::format("  {}{}{}\n  {}{}{}\n", lead, shown, is_cut ? "..." : "",
                     std::string(lead.size(), ' '), blanks, colored("^", kGreen, style));
}

}  // namespace

std::string render(const Diagnostic& finding, const SourceText& source, const RenderStyle& style) {
  const Position& at = finding.error.at;
  std::string place;
  if (!at.file.empty()) place = at.file + ":";
  if (at.is_known()) place += fmt::format("{}:{}:", at.line, at.column);
  if (!place.empty()) place += ' ';
  const bool is_error = finding.severity == Severity::kError;
  std::string out =
      fmt::format("{}{} {}", colored(place, kBold, style),
                  colored(is_error ? "error:" : "warning:", is_error ? kRed : kYellow, style),
                  finding.error.message);
  if (!finding.suggestion.empty()) out += "; " + finding.suggestion;
  out += '\n';
  if (!style.show_source || !at.is_known() || !source) return out;
  const std::optional<std::string_view> text = source(at.file);
  if (!text) return out;
  if (const auto line = line_of(*text, at.line)) {
    out += excerpt(*line, static_cast<std::size_t>(std::max(at.column, 1) - 1), style);
  }
  return out;
}

std::string render_all(std::vector<Diagnostic> findings, const SourceText& source,
                       const RenderStyle& style) {
  std::stable_sort(findings.begin(), findings.end(), [](const Diagnostic& a, const Diagnostic& b) {
    const Position& x = a.error.at;
    const Position& y = b.error.at;
    return std::tie(x.file, x.line, x.column) < std::tie(y.file, y.line, y.column);
  });
  std::string out;
  for (const Diagnostic& finding : findings) out += render(finding, source, style);
  return out;
}

}  // namespace tiphys::diag
