// The process of one executor plugin: the sidecar container of its manifest, on this machine.
//
// It finds its token in /var/run/argo/token, as in a pod, and dies with the engine: also when that
// is killed. Its output is appended to `log` in its folder. Used by one thread, whose end is the
// process's end.
#pragma once

#include <sys/types.h>

#include <string>

#include "diag/error.h"
#include "executor/executor.h"
#include "executor/preparation.h"
#include "executor/view.h"
#include "value/value.h"

namespace tiphys::executor {

/// An ExecutorPlugin manifest.
struct PluginManifest {
  std::string name;
  std::string name_space;
  value::Value container;  // spec.sidecar.container

  [[nodiscard]] bool operator==(const PluginManifest&) const = default;
};

class PluginProcess {
 public:
  /// `folder` belongs to the plugin alone.
  PluginProcess(PluginManifest manifest, std::string folder);
  ~PluginProcess();
  PluginProcess(const PluginProcess&) = delete;
  PluginProcess& operator=(const PluginProcess&) = delete;

  [[nodiscard]] const PluginManifest& manifest() const { return manifest_; }
  [[nodiscard]] const std::string& token() const { return token_; }
  /// `http://127.0.0.1:PORT`, of the container's first port.
  [[nodiscard]] std::string address() const;
  /// False when it has not been started, or has ended.
  [[nodiscard]] bool is_running();
  /// How it ended last: `exit code 1`; or "".
  [[nodiscard]] const std::string& last_end() const { return last_end_; }
  /// Starts it. Errors: what is wrong with the container, kIo.
  [[nodiscard]] diag::Result<void> start(const PrepareSettings& settings);

 private:
  [[nodiscard]] diag::Result<void> keep_token();
  [[nodiscard]] diag::Result<void> launch(const wire::Launch& launch);

  const PluginManifest manifest_;
  const std::string folder_;
  std::string token_;
  std::string last_end_;
  View view_;
  pid_t pid_ = -1;
};

}  // namespace tiphys::executor
