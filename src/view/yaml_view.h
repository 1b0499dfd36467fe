// A Value as YAML, as argo and kubectl print it (sigs.k8s.io/yaml): keys in natural order, lists at
// the level of their key, lines folded after column 80, strings quoted where YAML 1.1 would misread
// them.
//
// A writer of our own: what decides on order and quotes there stands above libyaml's part. Pure.
#pragma once

#include <string>

#include "value/value.h"

namespace tiphys::view {

/// Ends with a newline. The strings must be UTF-8.
[[nodiscard]] std::string to_yaml(const value::Value& v);

}  // namespace tiphys::view
