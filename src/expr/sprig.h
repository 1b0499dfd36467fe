// sprig's functions (Masterminds/sprig v3.3.0, generic map without env and expandenv), for
// `sprig.NAME(...)`.
//
// Pure: random ones draw from CallContext::random, dates from CallContext::now.
#pragma once

#include <span>

#include "expr/builtins.h"

namespace tiphys::expr {

/// The table, sorted by name. Calls are checked at run time, see fit_reflected().
[[nodiscard]] std::span<const Builtin> sprig_functions();

}  // namespace tiphys::expr
