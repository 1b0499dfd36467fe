#include "executor/scratch_folders.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "executor/path_words.h"
#include "executor/step_log.h"

namespace tiphys::executor {
namespace {

// Whether a folder is as it was made, and holds nothing but, perhaps, `expected`.
bool holds_only(const std::string& path, std::string_view expected) {
  DIR* const folder = ::opendir(path.c_str());
  if (folder == nullptr) return false;
  struct stat st = {};
  bool is_clean = ::fstat(::dirfd(folder), &st) == 0 && (st.st_mode & 07777U) == 0700 &&
                  st.st_uid == ::geteuid();
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    is_clean = is_clean && (name == "." || name == ".." || name == expected);
  }
  ::closedir(folder);
  return is_clean;
}

std::string folder_of(const std::string& path) { return path.substr(0, path.find_last_of('/')); }

}  // namespace

diag::Result<void> ScratchFolders::make(const std::string& path) {
  const auto spare = spare_.find(folder_of(path));
  if (spare != spare_.end()) {
    const std::string folder = std::move(spare->second.back());
    spare->second.pop_back();
    if (spare->second.empty()) spare_.erase(spare);
    if (std::rename(folder.c_str(), path.c_str()) == 0) return {};
    remove_tree(folder);
  }
  if (make_folders(path + "/wd")) return {};
  return diag::fail(diag::Code::kIo, fmt::format("mkdir {}/wd: {}", path, std::strerror(errno)));
}

bool ScratchFolders::take_back(const std::string& path) {
  if (!holds_only(path, "wd") || !holds_only(path + "/wd", "")) return false;
  spare_[folder_of(path)].push_back(path);
  return true;
}

void ScratchFolders::clear() {
  for (const auto& [folder, spare] : spare_) {
    for (const std::string& path : spare) remove_tree(path);
  }
  spare_.clear();
}

}  // namespace tiphys::executor
