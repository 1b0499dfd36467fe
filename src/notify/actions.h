// What a reader of a notification can do about it: a link to the workflow, and the commands and
// links that end its waiting.
//
// Pure.
#pragma once

#include <string_view>

#include "clock/instant.h"
#include "notify/action_link.h"
#include "value/value.h"

namespace tiphys::notify {

/// The event with `workflow.url` (below `base`, as Argo's user interface has it: none for an empty
/// base) and, where it waits for a person, `actions`: commands, and links where `links` has a base.
[[nodiscard]] value::Value with_actions(const value::Value& event, std::string_view base,
                                        const LinkMaker& links, clock::Instant now);

}  // namespace tiphys::notify
