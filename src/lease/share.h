// How much of what nobody runs an engine takes, where several share a store.
//
// Pure.
#pragma once

#include <cstddef>
#include <set>
#include <string>

namespace tiphys::lease {

/// Leaves in `wanted` what an engine that runs `running` workflows takes, so that `engines` have
/// about the same of the `unfinished` ones; what is `urgent` stays. Gives whether some were left to
/// others, and are to be looked at again.
[[nodiscard]] bool leave_to_others(std::set<std::string>& wanted,
                                   const std::set<std::string>& urgent, std::size_t unfinished,
                                   std::size_t engines, std::size_t running);

}  // namespace tiphys::lease
