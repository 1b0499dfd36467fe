// The kinds of places where steps run, as the user names them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tiphys::executor {

enum class ExecutorKind : std::uint8_t {
  kAuto,        // containers when a runtime and the image are here, else processes
  kHost,        // processes of this machine
  kContainer,   // containers of an OCI runtime
  kSandbox,     // the image's files in namespaces of our own
  kKubernetes,  // pods of a cluster
};

/// `auto`, `host`, `container`, `sandbox` or `kubernetes`; nothing for another word.
[[nodiscard]] std::optional<ExecutorKind> parse_executor_kind(std::string_view word);

}  // namespace tiphys::executor
