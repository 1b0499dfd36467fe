// What a pod is counted for: seconds of CPU, and seconds of 100 MiB of memory, as Argo's
// docs/resource-duration.md says.
//
// An estimate of what was asked for, not a measure of what was used. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "metrics/node_template.h"
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

/// In workflows of more nodes only pods and the workflow itself have their durations: to sum up
/// what is below each node costs its square.
inline constexpr std::size_t kSummedNodesMax = 2000;

/// A Workflow object with `resourcesDuration` of its pods that have ended, of the nodes above them,
/// as Argo adds these up, and of itself.
[[nodiscard]] value::Value with_resources_duration(value::Value workflow, const FindTemplate& find);

}  // namespace tiphys::metrics
