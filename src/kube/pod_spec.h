// Turns a Task into a Pod, as Argo's controller makes one of a template, with tiphys-step in the
// place of Argo's executor.
//
// Names, labels, annotations and which field stands over which are Argo's (measured on the real
// controller, and its fields reference). An init container brings tiphys-step, the script and the
// input artifacts; each other container runs its command under tiphys-step. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "executor/environment.h"
#include "executor/executor.h"
#include "step/report.h"
#include "step/transfer.h"
#include "value/value.h"

namespace tiphys::kube {

// Labels and annotations.
inline constexpr const char* kEngineLabel = "tiphys.dev/engine";  // whose pod it is
inline constexpr const char* kKeyAnnotation = "tiphys.dev/key";   // Task::key
inline constexpr const char* kFinalizer = "tiphys.dev/outcome";   // its end is not yet committed
inline constexpr const char* kWorkflowLabel = "workflows.argoproj.io/workflow";
inline constexpr const char* kCompletedLabel = "workflows.argoproj.io/completed";

inline constexpr const char* kBringer = "init";  // the container that brings tiphys-step

/// What goes between the pod and an object store; `trusted` of the transfer is not set yet.
struct PodTransfer {
  step::Transfer transfer;
  std::string certificates;  // PEM of those that are trusted, or ""
};

struct PodSettings {
  std::string engine;      // the owner label's value
  std::string step_image;  // has tiphys-step as its `/tiphys-step`
  const executor::Images& images;
  std::vector<PodTransfer> sends = {};  // output artifacts that the pod sends itself
};

/// The containers of a template by what they are for.
struct PodContainers {
  std::vector<std::string> mains;  // one, or those of a containerSet
  std::vector<std::string> inits;  // of the template, not ours
  std::vector<std::string> sidecars;
};
[[nodiscard]] PodContainers containers_of(const value::Value& template_body);

/// The mark of a pod's report in its log.
[[nodiscard]] std::string nonce_of(const executor::Task& task);

/// What the claim is called that `claim`, one of spec.volumeClaimTemplates, asks for.
[[nodiscard]] std::string claim_name(std::string_view workflow, const value::Value& claim);

/// The claim that `claim`, one of spec.volumeClaimTemplates, asks for.
[[nodiscard]] value::Value claim_of(const executor::Task& task, const value::Value& claim,
                                    const std::string& engine);

/// An input artifact that is to be brought into the pod.
struct PodInput {
  std::string name;
  std::string path;                         // as the main container sees it
  std::vector<step::FileEntry> files;       // under `path`
  std::vector<PodTransfer> transfers = {};  // to `path` or under it
};

/// The Pod. Errors (the node's message): kInvalidManifest for a podSpecPatch that is none,
/// kNotFound for an image whose command nobody knows, kConflict for inputs that are too large.
[[nodiscard]] diag::Result<value::Value> make_pod(const executor::Task& task,
                                                  const std::vector<PodInput>& inputs,
                                                  const PodSettings& settings);

}  // namespace tiphys::kube
