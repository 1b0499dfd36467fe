// What a reader of a notification can do about it: a link to the workflow, and the commands that
// end its waiting.
//
// Pure.
#pragma once

#include <string_view>

#include "value/value.h"

namespace tiphys::notify {

/// The event with `workflow.url` (below `base`, as Argo's user interface has it: none for an empty
/// base) and, where it waits for a person, `actions`.
[[nodiscard]] value::Value with_actions(const value::Value& event, std::string_view base);

}  // namespace tiphys::notify
