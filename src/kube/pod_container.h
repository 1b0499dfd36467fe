// The containers of a pod: those of the template under tiphys-step, and the one that brings it.
//
// Pure. Borrows the task, the inputs and the settings.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "diag/error.h"
#include "kube/pod_spec.h"
#include "value/value.h"

namespace tiphys::kube {

/// The largest inputs of a pod, as base64: a Pod may have 1.5 MiB in etcd.
inline constexpr std::size_t kInputsMax = std::size_t{1000} << 10U;

class ContainerFactory {
 public:
  ContainerFactory(const executor::Task& task, const std::vector<PodInput>& inputs,
                   const PodSettings& settings)
      : task_(task),
        inputs_(inputs),
        settings_(settings),
        names_(containers_of(task.template_body)) {}

  /// `init`: puts tiphys-step, the script and the inputs in place.
  [[nodiscard]] diag::Result<value::Value> bringer() const;
  /// One of the template's initContainers, as it is.
  [[nodiscard]] value::Value init_container(const value::Value& c) const;
  [[nodiscard]] diag::Result<value::Value> main() const;
  [[nodiscard]] diag::Result<value::Value> main_of_set(const value::Value& c) const;
  [[nodiscard]] diag::Result<value::Value> sidecar(const value::Value& c) const;

 private:
  /// The container under tiphys-step; `settings` are tiphys-step's variables.
  [[nodiscard]] diag::Result<value::Map> under_step(const value::Value& c, const std::string& name,
                                                    value::List settings) const;
  void add_outputs(value::List& variables) const;
  void mount_inputs(value::List& mounts) const;
  [[nodiscard]] const value::Value& main_body() const;
  [[nodiscard]] bool has_source() const;
  /// Whether a path of the main container lies on a volume of the template's.
  [[nodiscard]] bool is_on_volume(std::string_view path) const;
  [[nodiscard]] std::vector<step::FileEntry> brought_files() const;
  /// Where init puts what main sees at the path of the input.
  [[nodiscard]] std::string place_of(const PodInput& input) const;

  const executor::Task& task_;
  const std::vector<PodInput>& inputs_;
  const PodSettings& settings_;
  const PodContainers names_;
};

}  // namespace tiphys::kube
