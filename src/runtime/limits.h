// Bounds that are numbers in the environment, refused when they make no sense.
//
// Reads the environment only.
#pragma once

#include <cstdint>

#include "diag/error.h"

namespace tiphys::runtime {

/// The variable `name`, a whole number from `least` to `most`; `otherwise` when it is not set.
/// Errors: kIo.
[[nodiscard]] diag::Result<std::int64_t> number_from_environment(const char* name,
                                                                 std::int64_t least,
                                                                 std::int64_t most,
                                                                 std::int64_t otherwise);

}  // namespace tiphys::runtime
