#include "runtime/config.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "executor/host_paths.h"
#include "runtime/limits.h"

namespace tiphys::runtime {

namespace {

constexpr std::int64_t kHour = 3'600'000'000'000;

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

// --store (which sets the variable), the variable, or the first line of the file `store` in the
// home folder, so that a password need not be in the environment or among the words of a command.
std::string store_named(const std::string& home) {
  std::string where = variable("TIPHYS_STORE");
  if (where.empty()) {
    std::ifstream file(home + "/store");
    std::getline(file, where);
  }
  while (!where.empty() && std::isspace(static_cast<unsigned char>(where.back())) != 0) {
    where.pop_back();
  }
  return where;
}

diag::Result<std::string> host_paths_given() {
  std::string list = variable("TIPHYS_HOST_PATHS");
  if (executor::is_path_list(list)) return list;
  return diag::fail(
      diag::Code::kIo,
      fmt::format("TIPHYS_HOST_PATHS is '{}': want absolute folders, with colons between", list));
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
  config.store = store_named(config.home);
  TRY(const std::int64_t lease,
      number_from_environment("TIPHYS_LEASE_SECONDS", 1, 3600, config.lease.ns / 1'000'000'000));
  config.lease = clock::Duration::seconds(lease);
  config.steps_max = static_cast<int>(std::max(16U, 4 * std::thread::hardware_concurrency()));
  TRY(const std::int64_t steps,
      number_from_environment("TIPHYS_STEPS_MAX", 1, 100'000, config.steps_max));
  config.steps_max = static_cast<int>(steps);
  TRY(const std::int64_t grace,
      number_from_environment("TIPHYS_GRACE_MS", 0, 86'400'000, config.grace.ns / 1'000'000));
  config.grace = clock::Duration::milliseconds(grace);
  TRY(const std::int64_t seconds, number_from_environment("TIPHYS_STATS_SECONDS", 1, 86'400,
                                                          config.stats_every.ns / 1'000'000'000));
  config.stats_every = clock::Duration::seconds(seconds);
  TRY(const std::int64_t refuses, number_from_environment("TIPHYS_NOTIFY_PUBLIC_ONLY", 0, 1, 0));
  config.refuses_private = refuses == 1;
  TRY(const std::int64_t delivered,
      number_from_environment("TIPHYS_KEEP_DELIVERED_HOURS", 0, 1'000'000,
                              config.keep_delivered.ns / kHour));
  config.keep_delivered = {delivered * kHour};
  TRY(const std::int64_t dead,
      number_from_environment("TIPHYS_KEEP_DEAD_HOURS", 0, 1'000'000, config.keep_dead.ns / kHour));
  config.keep_dead = {dead * kHour};
  if (const std::string word = variable("TIPHYS_HTTP_HOOKS"); !word.empty()) {
    const auto mode = parse_http_hooks(word);
    if (!mode) {
      return diag::fail(diag::Code::kIo,
                        fmt::format("TIPHYS_HTTP_HOOKS is '{}': want retry, await or once", word));
    }
    config.http_hooks = *mode;
  }
  config.url = variable("TIPHYS_URL");
  config.action_url = variable("TIPHYS_ACTION_URL");
  TRY(const std::int64_t links, number_from_environment("TIPHYS_ACTION_LINK_HOURS", 1, 100'000,
                                                        config.action_links_valid.ns / kHour));
  config.action_links_valid = {links * kHour};
  TRY(config.log_max,
      number_from_environment("TIPHYS_LOG_MAX", 0, std::numeric_limits<std::int64_t>::max(),
                              config.log_max));
  if (const std::string word = variable("TIPHYS_EXECUTOR"); !word.empty()) {
    TRY(config.executor, executor_named(word));
  }
  config.image_layouts = variable("TIPHYS_IMAGES");
  TRY(config.host_paths, host_paths_given());
  if (const std::string image = variable("TIPHYS_STEP_IMAGE"); !image.empty()) {
    config.step_image = image;
  }
  return config;
}

diag::Result<executor::ExecutorKind> executor_named(const std::string& word) {
  if (const auto kind = executor::parse_executor_kind(word)) return *kind;
  return diag::fail(
      diag::Code::kInvalidManifest,
      fmt::format("no executor '{}': there are auto, host, container, sandbox and kubernetes",
                  word));
}

}  // namespace tiphys::runtime
