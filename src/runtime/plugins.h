// The executor plugins in the store: ExecutorPlugins, and the ConfigMaps that Argo makes of them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "executor/plugin_process.h"
#include "runtime/config.h"

namespace tiphys::runtime {

/// Finds the plugins of a namespace, by name; may be called from any thread. What cannot be read is
/// logged and left out.
[[nodiscard]] std::function<std::vector<executor::PluginManifest>(const std::string& name_space)>
stored_plugins(const Config& config);

}  // namespace tiphys::runtime
