// Lists of a manifest whose elements have names: templates, parameters, containers, volumes.
//
// Pure.
#pragma once

#include <string_view>

#include "value/value.h"

namespace tiphys::spec {

/// The first element whose `name` is `name`; null when there is none, or `list` is no list. Lives
/// as long as the list.
[[nodiscard]] inline const value::Value& named(const value::Value& list, std::string_view name) {
  static const value::Value kNone;
  for (const value::Value& element : list.list()) {
    if (element["name"].string_or("") == name) return element;
  }
  return kNone;
}

}  // namespace tiphys::spec
