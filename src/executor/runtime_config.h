// The `config.json` by which an OCI runtime (runc, crun) starts a step.
//
// The form is that of the OCI runtime specification 1.0.2. Namespaces other than the mounts' are
// not asked for: the runtime itself runs in the step's own ones (isolated_spawn.h), and the network
// is the machine's. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "executor/image_user.h"
#include "value/value.h"

namespace tiphys::executor {

/// A folder or file of the host in the container.
struct VolumeMount {
  std::string path;    // as the step sees it
  std::string source;  // as it is
  bool is_read_only = false;
  std::string trusted = {};  // of `source`, as in a Placement
};

/// What `resources.limits` come to; not set where there is no limit.
struct ResourceLimits {
  std::optional<std::int64_t> memory_bytes = {};
  std::optional<std::int64_t> cpu_millis = {};  // 1000 is one core

  [[nodiscard]] bool any() const { return memory_bytes || cpu_millis; }
};

/// One container, decided in every respect.
struct ContainerSpec {
  std::string root;  // the mounted image
  bool is_root_read_only = false;
  std::vector<std::string> words;
  std::vector<std::string> env;  // `NAME=value` each
  std::string working_folder = "/";
  ImageUser user = {};
  std::vector<VolumeMount> volumes = {};  // outer ones first
  std::vector<std::string> capabilities = {};
  bool no_new_privileges = false;
  ResourceLimits limits = {};
  std::string cgroup = {};  // its path below each hierarchy; of use with limits
};

[[nodiscard]] value::Value runtime_config(const ContainerSpec& spec);

/// Kubernetes' default capabilities, with a securityContext's `capabilities` (`add`, `drop`, `ALL`)
/// applied. Names begin with CAP_.
[[nodiscard]] std::vector<std::string> capabilities_of(const value::Value& changes);

/// `resources.limits` of a container. Quantities as Kubernetes writes them (`500m`, `64Mi`); one
/// that cannot be read is no limit.
[[nodiscard]] ResourceLimits limits_of(const value::Value& container);

}  // namespace tiphys::executor
