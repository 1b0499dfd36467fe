// CronWorkflows as the store keeps them.
//
// The store is borrowed; its thread only.
#pragma once

#include <string>

#include "clock/instant.h"
#include "store/store.h"
#include "value/value.h"

namespace tiphys::runtime {

/// A manifest may be new or may have to be there.
enum class Put { kCreate, kUpdate, kApply };

/// Stores a CronWorkflow; `name_space` is for one that names none. kUpdate begins its status anew,
/// as `argo cron update` does; kApply keeps it. Errors: kAlreadyExists, kNotFound, kIo.
[[nodiscard]] diag::Result<store::ObjectRow> put_cron(const value::Value& object, Put how,
                                                      store::Store& store,
                                                      const std::string& name_space,
                                                      clock::Instant now);

}  // namespace tiphys::runtime
