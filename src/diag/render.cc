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

/// Lines of files. It remembers where those of the last file begin: findings come file by file,
/// and looking from the top for each one would take for ever.
class LineFinder {
 public:
  explicit LineFinder(const SourceText& source) : source_(source) {}

  /// nullopt: neither the file nor the line is at hand.
  std::optional<std::string_view> find(const std::string& file, int line) {
    if (!source_) return std::nullopt;
    if (!is_known_ || file != file_) take(file);
    const auto index = static_cast<std::size_t>(line) - 1;
    if (index >= starts_.size()) return std::nullopt;
    std::string_view text = text_.substr(starts_[index]);
    text = text.substr(0, text.find('\n'));
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
  }

 private:
  void take(const std::string& file) {
    is_known_ = true;
    file_ = file;
    starts_.clear();
    const std::optional<std::string_view> text = source_(file);
    if (!text) return;
    text_ = *text;
    starts_.push_back(0);
    for (std::size_t i = text_.find('\n'); i != std::string_view::npos;
         i = text_.find('\n', i + 1)) {
      starts_.push_back(i + 1);
    }
  }

  const SourceText& source_;
  bool is_known_ = false;
  std::string file_;
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

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

std::string rendered(const Diagnostic& finding, LineFinder& lines, const RenderStyle& style) {
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
  if (!style.show_source || !at.is_known()) return out;
  if (const auto line = lines.find(at.file, at.line)) {
    out += excerpt(*line, static_cast<std::size_t>(std::max(at.column, 1) - 1), style);
  }
  return out;
}

}  // namespace

std::string render(const Diagnostic& finding, const SourceText& source, const RenderStyle& style) {
  LineFinder lines(source);
  return rendered(finding, lines, style);
}

std::string render_all(std::vector<Diagnostic> findings, const SourceText& source,
                       const RenderStyle& style) {
  std::stable_sort(findings.begin(), findings.end(), [](const Diagnostic& a, const Diagnostic& b) {
    const Position& x = a.error.at;
    const Position& y = b.error.at;
    return std::tie(x.file, x.line, x.column) < std::tie(y.file, y.line, y.column);
  });
  std::string out;
  LineFinder lines(source);
  for (const Diagnostic& finding : findings) out += rendered(finding, lines, style);
  return out;
}

}  // namespace tiphys::diag
