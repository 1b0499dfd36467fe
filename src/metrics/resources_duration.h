// What a pod is counted for: seconds of CPU, and seconds of 100 MiB of memory, as Argo's
// docs/resource-duration.md says.
//
// An estimate of what was asked for, not a measure of what was used. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "value/value.h"

namespace tiphys::metrics {

/// A quantity of Kubernetes (`500m`, `1.5`, `64Mi`, `1e3`, `2G`) in thousandths; nullopt if it is
/// none.
[[nodiscard]] std::optional<double> milli_quantity(std::string_view text);

struct ResourcesDuration {
  std::int64_t cpu = 0;     // seconds
  std::int64_t memory = 0;  // seconds

  void operator+=(const ResourcesDuration& other) {
    cpu += other.cpu;
    memory += other.memory;
  }
};

/// That of a pod of the template `body` which ran for so many whole seconds: all its containers,
/// each by its requests, else its limits, else 100m and 100Mi.
[[nodiscard]] ResourcesDuration resources_duration(const value::Value& body, std::int64_t seconds);

}  // namespace tiphys::metrics
