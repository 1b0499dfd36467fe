// Secrets and config maps for executors, read when a step starts.
//
// Thread-safe: each look-up opens what it needs.
#pragma once

#include "executor/executor.h"
#include "runtime/config.h"

namespace tiphys::runtime {

/// Looks in the secret file and in the store of `config`.
[[nodiscard]] executor::Lookup make_lookup(const Config& config);

}  // namespace tiphys::runtime
