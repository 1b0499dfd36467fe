// Ids of nodes and names of pods, derived from names alone, so that every run and every client
// finds the same ones.
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::spec {

/// FNV-1a, 32 bits.
[[nodiscard]] constexpr std::uint32_t fnv32a(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

/// The id of a node: the workflow's name for the entry node, else `{workflow}-{hash of the full
/// node name}`.
[[nodiscard]] std::string node_id(std::string_view workflow, std::string_view node);

/// Name of the node's pod (Argo's naming v2): `{workflow}-{template}-{hash}`, its prefix cut to 242
/// bytes.
[[nodiscard]] std::string pod_name(std::string_view workflow, std::string_view node,
                                   std::string_view template_name);

}  // namespace tiphys::spec
