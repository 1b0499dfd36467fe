// Findings as text for people: `file.yaml:14:9: error: message`, the line that it speaks of, a
// caret and the suggestion.
//
// The form is that of compilers, so that editors can jump to the place. Pure: the caller hands over
// the text of the files.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"

namespace tiphys::diag {

/// The text of a file that was read before; nullopt when it is not at hand.
using SourceText = std::function<std::optional<std::string_view>(const std::string& file)>;

struct RenderStyle {
  bool color = false;           // with the escape sequences of terminals
  bool show_source = true;      // the offending line and a caret below it
  std::size_t width_max = 120;  // longer lines are cut around the caret
};

/// One finding, with a line break at the end.
[[nodiscard]] std::string render(const Diagnostic& finding, const SourceText& source,
                                 const RenderStyle& style = {});
/// All of them, in order of file, line and column (findings without a place come first).
[[nodiscard]] std::string render_all(std::vector<Diagnostic> findings, const SourceText& source,
                                     const RenderStyle& style = {});

}  // namespace tiphys::diag
