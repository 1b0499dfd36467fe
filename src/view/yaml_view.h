// A Value as YAML, as sigs.k8s.io/yaml prints it: keys sorted, two blanks, strings quoted where
// YAML 1.1 would misread them.
//
// Pure.
#pragma once

#include <string>

#include "value/value.h"

namespace tiphys::view {

/// Ends with a newline.
[[nodiscard]] std::string to_yaml(const value::Value& v);

}  // namespace tiphys::view
