// Which of its own templates a workflow reaches, and how deep they lie.
//
// Pure. Internal to lint/.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "lint/validator.h"

namespace tiphys::lint {

/// For each name of a template that is called: how many templates are around it at least, with
/// itself; the entrypoint is 1. nullopt when a tag may name any template.
[[nodiscard]] std::optional<std::map<std::string, std::size_t, std::less<>>> depths_of_templates(
    const Base& base);

/// Warns of the first template that lies so deep that no run can start it.
void too_deep(const BasePointer& base, std::vector<diag::Diagnostic>& out);

}  // namespace tiphys::lint
