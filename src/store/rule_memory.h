// What a notification rule remembers from one workflow to the next, as it is kept.
//
// Pure data.
#pragma once

#include <string>

#include "clock/instant.h"

namespace tiphys::store {

/// One row for each (rule, key); rows replace those with the same.
struct RuleMemoryRow {
  std::string rule;  // NAMESPACE/NAME of the Notification, or what an annotation stands for
  std::string key;
  std::string json;            // made and read by the caller; in a commit an empty one removes it
  clock::Instant due_at = {};  // set: something is to be done with it then
  clock::Instant changed_at = {};
};

}  // namespace tiphys::store
