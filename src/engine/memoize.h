// memoize: whether a template's outputs are in a cache already, and keeping them there.
//
// The caches are outside (ConfigMaps, as in Argo, which workflows share), so a template that may
// start first asks, and starts when the answer is in. Pure.
#pragma once

#include <vector>

#include "engine/machine.h"

namespace tiphys::engine {

/// Asks the cache if the template is memoized and has not asked yet: then `start` is taken, and
/// goes on with the answer. Returns whether it did.
bool ask_cache(Machine& m, Start& start, const spec::Template& body);

/// Makes the node of a template whose outputs were found; it is Succeeded at once.
void begin_cache_hit(Machine& m, const Start& start, const spec::Template& body);

/// The answer to a LookUpCache; false when nobody waits for it.
bool on_cache_answer(Machine& m, const CacheAnswered& event);

/// A memoized node has Succeeded: its outputs go to the cache.
void save_to_cache(Machine& m, const Node& n);

[[nodiscard]] bool is_cache_hit(const Node& n);

/// After a replay: what was asked and not answered.
void ask_again(const Machine& m, std::vector<Effect>& effects);

}  // namespace tiphys::engine
