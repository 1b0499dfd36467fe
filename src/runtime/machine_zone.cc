// The machine's time zone.
#include <cstdlib>
#include <filesystem>

#include "runtime/cron_scheduler.h"

namespace tiphys::runtime {

namespace {

// The part of a path behind `zoneinfo/`.
std::string zone_in(const std::string& path) {
  constexpr std::string_view kFolder = "zoneinfo/";
  const std::size_t at = path.find(kFolder);
  return at == std::string::npos ? "" : path.substr(at + kFolder.size());
}

}  // namespace

std::string machine_zone_name() {
  std::string name;
  if (const char* tz = std::getenv("TZ"); tz != nullptr) {
    name = *tz == ':' ? tz + 1 : tz;
    if (name.starts_with('/')) name = zone_in(name);
  } else {
    std::error_code error;
    name = zone_in(std::filesystem::read_symlink("/etc/localtime", error).string());
  }
  return name.empty() || !cron::load_zone(name) ? "UTC" : name;
}

const date::time_zone* machine_zone() { return cron::load_zone(machine_zone_name()).value(); }

}  // namespace tiphys::runtime
