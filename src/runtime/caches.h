// The caches of memoized templates: ConfigMaps in the store, in the form in which Argo keeps them.
//
// An entry is JSON: nodeID, outputs, creationTimestamp, lastHitTimestamp. A ConfigMap that lacks
// the label `workflows.argoproj.io/configmap-type: Cache` belongs to somebody else and is left
// alone. Used by the loop's thread.
#pragma once

#include <string>

#include "clock/instant.h"
#include "diag/error.h"
#include "engine/effect.h"
#include "store/store.h"

namespace tiphys::runtime {

/// The entry for a key, or null; marks it as hit. Errors, in Argo's words: kInvalidManifest
/// `invalid cache key: K`, and for a ConfigMap that is no cache.
[[nodiscard]] diag::Result<value::Value> look_up_cache(store::Store& store,
                                                       const std::string& name_space,
                                                       const engine::LookUpCache& what,
                                                       clock::Instant now);

/// Adds or replaces an entry. Errors: as above, kIo.
[[nodiscard]] diag::Result<void> save_to_cache(store::Store& store, const std::string& name_space,
                                               const engine::SaveToCache& what, clock::Instant now);

}  // namespace tiphys::runtime
