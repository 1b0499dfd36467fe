#include "executor/host_paths.h"

#include <sys/stat.h>

#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "executor/path_words.h"

namespace tiphys::executor {
namespace {

// "" when a link on the way leads to nothing: nobody can say where that will lie.
std::string without_links(const std::string& path) {
  std::string folder = path;
  for (struct stat st = {}; ::lstat(folder.c_str(), &st) != 0 && folder != "/";) {
    folder = parent_path(folder);
  }
  char* const real = ::realpath(folder.c_str(), nullptr);
  if (real == nullptr) return {};
  const std::string text = real;
  std::free(real);
  return clean_path(text + std::string(path_below(path, folder)));
}

// Calls `use` with each folder of the list until it returns true.
template <typename Use>
bool any_of(std::string_view list, Use&& use) {
  while (!list.empty()) {
    const std::size_t colon = list.find(':');
    const std::string_view folder = list.substr(0, colon);
    if (!folder.empty() && use(folder)) return true;
    if (colon == std::string_view::npos) return false;
    list.remove_prefix(colon + 1);
  }
  return false;
}

}  // namespace

bool is_path_list(std::string_view list) {
  return !any_of(list, [](std::string_view folder) { return !folder.starts_with('/'); });
}

std::string allowing_folder(const std::string& path, std::string_view list) {
  std::string found;
  any_of(list, [&](std::string_view folder) {
    std::string allowed = without_links(clean_path(folder));
    const bool holds_it = !allowed.empty() && is_below(path, allowed);
    if (holds_it) found = std::move(allowed);
    return holds_it;
  });
  return found;
}

diag::Result<std::string> allowed_host_path(const std::string& path, std::string_view list) {
  const std::string wanted = clean_path("/" + path);
  std::string real = without_links(wanted);
  if (!real.empty() && !allowing_folder(real, list).empty()) return real;
  const std::string place =
      real == wanted ? "" : fmt::format(" (it is {})", real.empty() ? "a dangling link" : real);
  return diag::fail(diag::Code::kInvalidManifest,
                    fmt::format("hostPath '{}'{} is not allowed on this machine: name a folder "
                                "that holds it in TIPHYS_HOST_PATHS or --host-paths",
                                wanted, place));
}

diag::Result<std::string> path_inside(const std::string& folder, const std::string& below) {
  const std::string real = without_links(clean_path(folder + below));
  const std::string top = without_links(folder);
  if (!real.empty() && is_below(real, top)) return folder + std::string(path_below(real, top));
  return diag::fail(diag::Code::kInvalidManifest,
                    fmt::format("subPath '{}' leads out of its volume", below.substr(1)));
}

}  // namespace tiphys::executor
