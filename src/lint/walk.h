// Goes through an object by its types: every struct in it is shown with its type and place.
//
// Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "value/value.h"

namespace tiphys::lint {

/// Shown `v`, of the struct `type`, at the JSON pointer `at`.
using VisitStruct =
    std::function<void(const value::Value& v, std::string_view type, const std::string& at)>;

/// Calls `visit` for `v`, which is of the struct `type`, and for every struct inside it, from the
/// outside in. Lists and maps are entered; fields that the type does not have are not.
void walk_structs(const value::Value& v, std::string_view type, const std::string& at,
                  const VisitStruct& visit);

}  // namespace tiphys::lint
