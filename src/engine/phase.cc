#include "engine/phase.h"

#include <array>

namespace tiphys::engine {

namespace {
constexpr std::array<std::string_view, 7> kNames = {"Pending", "Running", "Succeeded", "Skipped",
                                                    "Failed",  "Error",   "Omitted"};
}  // namespace

std::string_view to_string(Phase phase) { return kNames[static_cast<std::size_t>(phase)]; }

std::optional<Phase> parse_phase(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) return static_cast<Phase>(i);
  }
  return std::nullopt;
}

}  // namespace tiphys::engine
