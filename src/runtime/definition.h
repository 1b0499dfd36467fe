// The first row of a workflow's log: the engine's Definition as JSON.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "diag/error.h"
#include "engine/engine.h"

namespace tiphys::runtime {

[[nodiscard]] std::string to_json(const engine::Definition& definition);
/// Errors: kInternal when the text is none.
[[nodiscard]] diag::Result<engine::Definition> parse_definition(std::string_view json);

}  // namespace tiphys::runtime
