// Several engines on one store: who an engine is, and what taking a workflow over has found.
//
// Pure data.
#pragma once

#include <cstddef>
#include <string>

#include "clock/instant.h"

namespace tiphys::store {

/// An engine among those that share a store.
struct EngineIdentity {
  std::string place = {};  // of its state folder: processes that it began are known there only
  std::string host = {};   // for people
  bool takes_all = false;  // it runs whatever nobody else does, so work is spread over it
  clock::Duration lease = clock::Duration::seconds(10);  // what is its own stays so for that long
                                                         // when it is not heard of
};

/// A workflow that was taken over.
struct Lease {
  /// Not empty: the last owner was an engine of another place, on this host, and processes that it
  /// began are out of reach.
  std::string lost_host = {};
};

/// How the work is spread.
struct Spread {
  std::size_t engines = 1;  // that take all, and live
};

}  // namespace tiphys::store
