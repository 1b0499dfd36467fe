// What a Pod's status says of its Task: waiting, running, or ended and how.
//
// The table is HOOKS.md 9.1 (Argo's controller). One thing is read earlier than there: the end of
// the main containers, which stands in the status about a second before the pod's phase does. Pure.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clock/instant.h"
#include "kube/pod_spec.h"
#include "value/value.h"

namespace tiphys::kube {

/// What nobody here reads of a pod, and what is most of it: left out when one is parsed.
inline constexpr std::array<std::string_view, 5> kUnread = {
    "managedFields", "containers", "initContainers", "volumes", "tolerations"};

/// How one container ended, by the kubelet.
struct ContainerEnd {
  std::string name;
  int exit_code = 0;
  std::string reason;   // `Completed`, `Error`, `OOMKilled` ...
  std::string message;  // its termination message
  clock::Instant started_at = {};
  clock::Instant finished_at = {};
};

/// `main: Error (exit code 3)`.
[[nodiscard]] std::string exit_text(const ContainerEnd& end);
/// The termination message of the user's program; empty when there is none.
[[nodiscard]] std::string own_message(const ContainerEnd& end);
/// What a container that has ended badly is blamed for: both of these.
[[nodiscard]] std::string blame(const ContainerEnd& end);

struct PodView {
  enum class State { kWaiting, kRunning, kEnded };
  State state = State::kWaiting;
  std::string waiting = {};  // of kWaiting: why, as a node's message; may be empty
  std::optional<clock::Instant> started_at = {};  // of the first main container
  bool is_ready = false;                          // all containers are
  std::string ip = {};
  bool is_being_deleted = false;
  bool has_begun = false;  // a main container
  bool has_log = false;    // it has begun on a node, which has what it prints
  // Of kEnded:
  std::vector<ContainerEnd> mains = {};  // those that have ended; empty when the pod failed before
  /// Not empty: the pod failed, whatever its main containers say.
  std::string problem = {};
  bool is_error = false;  // the problem makes the node Error, else Failed
};

/// `names` are those of the Task's template.
[[nodiscard]] PodView view_pod(const value::Value& pod, const PodContainers& names);

}  // namespace tiphys::kube
