// Names and ids that nobody has yet. Thread-safe; reads the system's random numbers.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::runtime {

/// `prefix` and five letters, as Kubernetes makes names from generateName.
[[nodiscard]] std::string generated_name(std::string_view prefix);
/// A random UUID.
[[nodiscard]] std::string new_uid();

}  // namespace tiphys::runtime
