#include "runtime/config.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

namespace tiphys::runtime {

namespace {

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

}  // namespace

diag::Result<Config> Config::from_environment() {
  Config config;
  config.home = variable("TIPHYS_HOME");
  if (config.home.empty()) {
    const std::string xdg = variable("XDG_STATE_HOME");
    const std::string user = variable("HOME");
    if (xdg.empty() && user.empty()) {
      return diag::fail(
          diag::Code::kIo,
          "no state folder: set TIPHYS_HOME (neither XDG_STATE_HOME nor HOME is set)");
    }
    config.home = (xdg.empty() ? user + "/.local/state" : xdg) + "/tiphys";
  }
  std::error_code error;
  config.home = std::filesystem::absolute(config.home, error).string();
  const bool is_new = std::filesystem::create_directories(config.home, error);
  if (error) {
    return diag::fail(diag::Code::kIo, fmt::format("cannot make the state folder '{}': {}",
                                                   config.home, error.message()));
  }
  if (is_new) chmod(config.home.c_str(), 0700);  // a folder of the user's stays as it is
  config.steps_max = static_cast<int>(std::max(16U, 4 * std::thread::hardware_concurrency()));
  if (const std::string text = variable("TIPHYS_STEPS_MAX"); !text.empty()) {
    char* end = nullptr;
    const long n = std::strtol(text.c_str(), &end, 10);
    if (*end != '\0' || n < 1 || n > 100'000) {
      return diag::fail(
          diag::Code::kIo,
          fmt::format("TIPHYS_STEPS_MAX is '{}', want a number from 1 to 100000", text));
    }
    config.steps_max = static_cast<int>(n);
  }
  return config;
}

}  // namespace tiphys::runtime
