// What the engine has told this container of a pod, from its environment.
//
// Reads the environment; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tiphys::step {

struct Settings {
  std::string container;
  std::string nonce;
  bool wants_result = false;
  std::vector<std::string> outputs;
  std::vector<std::string> after;
  std::vector<std::string> until;
  int attempts = 1;
  std::int64_t pause_ns = 0;
};

[[nodiscard]] Settings settings_from_environment();

/// The values of NAME0, NAME1 ... as far as there are any.
[[nodiscard]] std::vector<std::string> numbered(const char* name);

/// Takes all of ours out of the environment, so that the command sees its own.
void clear_own_variables();

}  // namespace tiphys::step
