// Field selectors on nodes: `displayName=approve,phase=Running` (argo's --node-field-selector).
//
// Pure.
#pragma once

#include <string_view>

#include "engine/machine.h"

namespace tiphys::engine {

/// Whether the node matches all terms (`key=value`, `key==value`, `key!=value`, comma-separated).
/// Keys: displayName, name, id, phase, templateName, templateRef.name, templateRef.template,
/// inputs.parameters.NAME.value. Empty: matches all.
[[nodiscard]] bool matches(const Machine& m, const Node& n, std::string_view selector);

}  // namespace tiphys::engine
