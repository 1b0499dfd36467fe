#include "spec/node_id.h"

#include <fmt/format.h>

namespace tiphys::spec {

std::string node_id(std::string_view workflow, std::string_view node) {
  if (workflow == node) return std::string(workflow);
  return fmt::format("{}-{}", workflow, fnv32a(node));
}

std::string pod_name(std::string_view workflow, std::string_view node,
                     std::string_view template_name) {
  if (workflow == node) return std::string(workflow);
  std::string prefix(workflow);
  if (!template_name.empty()) prefix += fmt::format("-{}", template_name);
  constexpr std::size_t kLongestPrefix = 242;  // 253 for a name, minus the hash and its dash
  if (prefix.size() > kLongestPrefix) prefix.resize(kLongestPrefix);
  return fmt::format("{}-{}", prefix, fnv32a(node));
}

}  // namespace tiphys::spec
