// What Argo calls a node by what made it: `Pod`, `Steps` ...
//
// A number that reads and compares as its name: there are a million nodes, and each is asked what
// it is in every transition. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tiphys::spec {

class NodeType {
 public:
  /// Of one of the names below; any other one does not compile.
  template <std::size_t N>
  consteval NodeType(const char (&name)[N])  // NOLINT(google-explicit-constructor): reads as text
      : index_(index_of({name, N - 1})) {}

  [[nodiscard]] constexpr std::string_view name() const { return kNames[index_]; }
  friend constexpr bool operator==(NodeType a, NodeType b) = default;

 private:
  static constexpr std::array<std::string_view, 11> kNames = {
      "Pod",       "HTTP", "Plugin",    "Container", "Suspend", "Steps",
      "StepGroup", "DAG",  "TaskGroup", "Retry",     "Skipped"};

  static consteval std::uint8_t index_of(std::string_view name) {
    const auto* const at = std::ranges::find(kNames, name);
    if (at == kNames.end()) throw "no node has this type";
    return static_cast<std::uint8_t>(at - kNames.begin());
  }

  std::uint8_t index_;
};

/// Whether a node of this type is run by an executor.
[[nodiscard]] constexpr bool is_leaf(NodeType t) {
  return t == "Pod" || t == "HTTP" || t == "Plugin";
}

}  // namespace tiphys::spec
