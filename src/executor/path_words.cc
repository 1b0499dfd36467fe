#include "executor/path_words.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace tiphys::executor {
namespace {

bool is_path_byte(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("/._-+@%,~").find(c) != std::string_view::npos ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

std::vector<std::string> mentioned_paths(std::string_view text) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '/') continue;
    std::size_t end = i;
    while (end < text.size() && is_path_byte(text[end])) ++end;
    const char before = i == 0 ? ' ' : text[i - 1];
    const bool begins = !is_path_byte(before) && before != '}' && before != '$';
    const bool is_url = text.substr(i).starts_with("//");
    if (begins && !is_url && end > i + 1) {
      std::string path = clean_path(text.substr(i, end - i));
      if (std::find(paths.begin(), paths.end(), path) == paths.end()) {
        paths.push_back(std::move(path));
      }
    }
    i = end - 1;
  }
  return paths;
}

std::string clean_path(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (name == "..") {
      clean.erase(std::min(clean.size(), clean.rfind('/')));
    } else if (!name.empty() && name != ".") {
      clean.append("/").append(name);
    }
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return clean.empty() ? "/" : clean;
}

std::string parent_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : std::string(path.substr(0, slash));
}

bool is_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

std::string_view path_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return path == "/" ? "" : path;
  return path.substr(folder.size());
}

void remove_tree(const std::string& path) {
  // the usual cases: a step's folder with nothing in it but its empty working directory, or none
  ::rmdir((path + "/wd").c_str());
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return;
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (!error) return;
  // Folders without rights, such as overlayfs's own, or a step's.
  const auto options = std::filesystem::directory_options::skip_permission_denied;
  ::chmod(path.c_str(), 0700);
  for (std::filesystem::recursive_directory_iterator it(path, options, error), end;
       !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_symlink(ignored) || !it->is_directory(ignored)) continue;
    ::chmod(it->path().c_str(), 0700);
  }
  std::filesystem::remove_all(path, error);
}

}  // namespace tiphys::executor
