// Templates and ConfigMaps as the store keeps them.
//
// The store is borrowed; its thread only.
#pragma once

#include <string>

#include "clock/instant.h"
#include "store/store.h"
#include "value/value.h"

namespace tiphys::runtime {

struct NewRow {
  store::ObjectRow row;
  bool is_known = false;  // the store has one of its name
};

/// The row of an object of `kind`: with its namespace ("" for kinds of the cluster) and the time
/// when it was stored first. Writes nothing.
[[nodiscard]] NewRow object_row(store::Store& store, const std::string& kind,
                                const std::string& name_space, const value::Value& object,
                                clock::Instant now);

}  // namespace tiphys::runtime
