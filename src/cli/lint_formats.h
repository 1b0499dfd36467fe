// What lint found, in the forms that other programs read: JSON, SARIF 2.1.0 and the annotations of
// GitHub Actions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"

namespace tiphys::cli {

/// True for json, sarif and github.
[[nodiscard]] bool is_lint_format(std::string_view format);

/// The findings, in order of their places; `format` is one of is_lint_format().
[[nodiscard]] std::string format_findings(std::string_view format,
                                          std::vector<diag::Diagnostic> findings);

}  // namespace tiphys::cli
