#include "executor/cgroups.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>

namespace tiphys::executor {
namespace {

constexpr const char* kRoot = "/sys/fs/cgroup";

std::uint64_t hash_of(std::string_view text) {  // FNV-1a
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

std::string parent_name(const std::string& home) {
  return fmt::format("tiphys-{:016x}", hash_of(home));
}

void remove_below(const std::filesystem::path& parent) {
  std::error_code error;
  if (!std::filesystem::is_directory(parent, error)) return;
  for (const auto& entry : std::filesystem::directory_iterator(parent, error)) {
    if (entry.is_directory(error)) ::rmdir(entry.path().c_str());
  }
  ::rmdir(parent.c_str());
}

}  // namespace

std::string cgroup_of_step(const std::string& home, const std::string& key) {
  return fmt::format("/{}/{:016x}", parent_name(home), hash_of(key));
}

void sweep_cgroups(const std::string& home) {
  const std::string name = parent_name(home);
  remove_below(std::filesystem::path(kRoot) / name);
  std::error_code error;
  for (const auto& hierarchy : std::filesystem::directory_iterator(kRoot, error)) {
    remove_below(hierarchy.path() / name);
  }
}

}  // namespace tiphys::executor
