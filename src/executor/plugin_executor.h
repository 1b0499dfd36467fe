// Plugin templates: asks local executor plugins, by Argo's protocol, to run them.
//
// Plugins are started when a template needs them and end with the engine. They are asked in order
// until one takes the template; one that cannot be reached is asked again for half a minute, one
// that says `requeue` after that time. A template that was asked for before a crash is asked for
// again, as Argo's agent does. One thread decides and owns the processes, a few more wait for
// answers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "executor/environment.h"
#include "executor/executor.h"
#include "executor/plugin_process.h"

namespace tiphys::executor {

struct PluginOptions {
  std::string home;  // TIPHYS_HOME: the plugins' folders lie in HOME/plugins
  /// The plugins of a namespace, in the order in which they are asked; called from the executor's
  /// thread.
  std::function<std::vector<PluginManifest>(const std::string& name_space)> find;
  Images images = {};
  clock::Duration timeout = clock::Duration::seconds(30);   // of one call
  clock::Duration patience = clock::Duration::seconds(30);  // with a plugin that does not answer
  clock::Duration requeue_default = clock::Duration::seconds(10);  // Argo never asks again
};

/// Task::plugins holds those of the workflow itself, which are asked first. Destroying the executor
/// ends the plugins and tells nobody.
[[nodiscard]] std::unique_ptr<Executor> make_plugin_executor(PluginOptions options,
                                                             Listener listener, Lookup lookup);

/// The manifest that an ExecutorPlugin, or the ConfigMap that Argo makes of one, holds. Errors:
/// kInvalidManifest.
[[nodiscard]] diag::Result<PluginManifest> plugin_manifest(const value::Value& object,
                                                           const std::string& name_space);

}  // namespace tiphys::executor
