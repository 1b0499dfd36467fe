#include "step/settings.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "step/contract.h"

namespace tiphys::step {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::vector<std::string> numbered(const char* name) {
  std::vector<std::string> values;
  for (;;) {
    const std::string key = name + std::to_string(values.size());
    const char* const value = std::getenv(key.c_str());
    if (value == nullptr) return values;
    values.emplace_back(value);
  }
}

Settings settings_from_environment() {
  Settings settings;
  settings.container = variable(kContainer);
  settings.nonce = variable(kNonce);
  settings.wants_result = !variable(kWantsResult).empty();
  settings.outputs = numbered(kOutput);
  settings.after = numbered(kAfter);
  settings.until = numbered(kUntil);
  if (const std::string text = variable(kAttempts); !text.empty()) {
    settings.attempts = std::atoi(text.c_str());
  }
  settings.pause_ns = std::strtoll(variable(kPause).c_str(), nullptr, 10);
  return settings;
}

void clear_own_variables() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view line(*entry);
    if (line.starts_with(kVariables)) names.emplace_back(line.substr(0, line.find('=')));
  }
  for (const std::string& name : names) ::unsetenv(name.c_str());
}

}  // namespace tiphys::step
