// Templates by name: those that are stored, and behind them the ready ones that the program brings.
#pragma once

#include <optional>
#include <string_view>

#include "store/store.h"
#include "value/value.h"

namespace tiphys::runtime {

/// The WorkflowTemplate or ClusterWorkflowTemplate of this name; nullopt when there is none. A
/// stored ClusterWorkflowTemplate beats the ready one of its name (notify/library.h).
[[nodiscard]] std::optional<value::Value> find_template(store::Store& store, std::string_view kind,
                                                        std::string_view name_space,
                                                        std::string_view name);

}  // namespace tiphys::runtime
