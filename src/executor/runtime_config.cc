#include "executor/runtime_config.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

namespace tiphys::executor {
namespace {

using value::List;
using value::Map;
using value::Value;

constexpr const char* kDefaultCapabilities[] = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
    "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",   "CAP_SETFCAP",
    "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};
// What `ALL` adds besides; those that this kernel lacks are passed over by the runtimes.
constexpr const char* kMoreCapabilities[] = {
    "CAP_AUDIT_CONTROL", "CAP_DAC_READ_SEARCH", "CAP_IPC_LOCK",      "CAP_IPC_OWNER",
    "CAP_LEASE",         "CAP_LINUX_IMMUTABLE", "CAP_NET_ADMIN",     "CAP_NET_BROADCAST",
    "CAP_SYSLOG",        "CAP_SYS_ADMIN",       "CAP_SYS_BOOT",      "CAP_SYS_MODULE",
    "CAP_SYS_NICE",      "CAP_SYS_PACCT",       "CAP_SYS_PTRACE",    "CAP_SYS_RAWIO",
    "CAP_SYS_RESOURCE",  "CAP_SYS_TIME",        "CAP_SYS_TTY_CONFIG"};
constexpr const char* kMasked[] = {"/proc/acpi",          "/proc/kcore",      "/proc/keys",
                                   "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug",
                                   "/proc/scsi",          "/sys/firmware"};
constexpr const char* kReadOnly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                     "/proc/sysrq-trigger"};

List texts(const auto& words) {
  List list;
  for (const auto& word : words) list.emplace_back(std::string(word));
  return list;
}

Value mount(const char* place, const char* type, List options) {
  return Map{
      {"destination", place}, {"type", type}, {"source", type}, {"options", std::move(options)}};
}

List mounts_of(const ContainerSpec& spec) {
  List mounts = {
      mount("/proc", "proc", {"nosuid", "noexec", "nodev"}),
      mount("/dev", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount("/dev/pts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}),
      mount("/dev/shm", "tmpfs", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
      mount("/dev/mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      mount("/sys", "sysfs", {"nosuid", "noexec", "nodev", "ro"})};
  for (const VolumeMount& volume : spec.volumes) {
    mounts.push_back(
        Map{{"destination", volume.path},
            {"type", "bind"},
            {"source", volume.source},
            {"options", List{"rbind", "rprivate", volume.is_read_only ? "ro" : "rw"}}});
  }
  return mounts;
}

Map process_of(const ContainerSpec& spec) {
  List groups;
  for (const std::uint32_t group : spec.user.groups) groups.emplace_back(std::int64_t{group});
  Map user{{"uid", std::int64_t{spec.user.uid}}, {"gid", std::int64_t{spec.user.gid}}};
  if (!groups.empty()) user.set("additionalGids", std::move(groups));
  const List capabilities = texts(spec.capabilities);
  return Map{
      {"terminal", false},
      {"user", std::move(user)},
      {"args", texts(spec.words)},
      {"env", texts(spec.env)},
      {"cwd", spec.working_folder},
      {"capabilities",
       Map{{"bounding", capabilities}, {"effective", capabilities}, {"permitted", capabilities}}},
      {"noNewPrivileges", spec.no_new_privileges}};
}

Map resources_of(const ResourceLimits& limits) {
  constexpr std::int64_t kPeriodUs = 100'000;
  Map resources;
  if (limits.memory_bytes) {
    resources.set("memory", Map{{"limit", *limits.memory_bytes}, {"swap", *limits.memory_bytes}});
  }
  if (limits.cpu_millis) {
    resources.set("cpu",
                  Map{{"quota", *limits.cpu_millis * kPeriodUs / 1000}, {"period", kPeriodUs}});
  }
  return resources;
}

// A Kubernetes quantity, times `scale`.
std::optional<std::int64_t> quantity(const Value& v, double scale) {
  if (v.is_int()) return static_cast<std::int64_t>(static_cast<double>(v.as_int()) * scale);
  if (v.is_float()) return static_cast<std::int64_t>(v.as_float() * scale);
  const std::string text(v.string_or(""));
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || !(number >= 0)) return std::nullopt;
  struct Unit {
    std::string_view name;
    double factor;
  };
  static constexpr Unit kUnits[] = {
      {"", 1},     {"m", 1e-3},  {"k", 1e3},      {"M", 1e6},         {"G", 1e9},
      {"T", 1e12}, {"Ki", 1024}, {"Mi", 1048576}, {"Gi", 1073741824}, {"Ti", 1099511627776}};
  for (const Unit& unit : kUnits) {
    if (unit.name == end)
      return static_cast<std::int64_t>(std::llround(number * unit.factor * scale));
  }
  return std::nullopt;
}

std::string capability_name(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper.starts_with("CAP_") || upper == "ALL" ? upper : "CAP_" + upper;
}

}  // namespace

Value runtime_config(const ContainerSpec& spec) {
  Map linux_part{{"namespaces", List{Map{{"type", "mount"}}}},
                 {"maskedPaths", texts(kMasked)},
                 {"readonlyPaths", texts(kReadOnly)}};
  if (spec.limits.any()) {
    linux_part.set("resources", resources_of(spec.limits));
    linux_part.set("cgroupsPath", spec.cgroup);
  }
  return Map{{"ociVersion", "1.0.2"},
             {"process", process_of(spec)},
             {"root", Map{{"path", spec.root}, {"readonly", spec.is_root_read_only}}},
             {"mounts", mounts_of(spec)},
             {"linux", std::move(linux_part)}};
}

std::vector<std::string> capabilities_of(const Value& changes) {
  std::vector<std::string> names(std::begin(kDefaultCapabilities), std::end(kDefaultCapabilities));
  for (const Value& word : changes["drop"].list()) {
    const std::string name = capability_name(word.string_or(""));
    std::erase_if(names, [&name](const std::string& n) { return name == "ALL" || n == name; });
  }
  const auto add = [&names](std::string name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  };
  for (const Value& word : changes["add"].list()) {
    std::string name = capability_name(word.string_or(""));
    if (name != "ALL") {
      add(std::move(name));
      continue;
    }
    for (const char* one : kDefaultCapabilities) add(one);
    for (const char* one : kMoreCapabilities) add(one);
  }
  std::ranges::sort(names);
  return names;
}

ResourceLimits limits_of(const Value& container) {
  const Value& limits = container["resources"]["limits"];
  return {.memory_bytes = quantity(limits["memory"], 1),
          .cpu_millis = quantity(limits["cpu"], 1000)};
}

}  // namespace tiphys::executor
