#include "executor/content_check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include "executor/content_blobs.h"
#include "executor/content_digest.h"

namespace tiphys::executor {
namespace {

namespace fs = std::filesystem;

// The files under keys that are one of `inodes`.
std::vector<std::string> keys_of(const std::string& root, const std::set<ino_t>& inodes) {
  std::vector<std::string> keys;
  std::error_code error;
  for (fs::recursive_directory_iterator it(root, error), end; !error && it != end;
       it.increment(error)) {
    if (it.depth() == 0 && it->path().filename() == kContentFolder) {
      it.disable_recursion_pending();
      continue;
    }
    struct stat st = {};
    if (::lstat(it->path().c_str(), &st) != 0 || !S_ISREG(st.st_mode)) continue;
    if (inodes.contains(st.st_ino)) keys.push_back(it->path().string().substr(root.size() + 1));
  }
  std::ranges::sort(keys);
  return keys;
}

}  // namespace

ContentReport check_content(const std::string& root) {
  ContentReport report;
  std::set<ino_t> damaged;
  std::error_code error;
  for (fs::recursive_directory_iterator it(blobs_path(root), error), end; !error && it != end;
       it.increment(error)) {
    const auto name = blob_name(it->path().filename().native());
    struct stat st = {};
    const char* const path = it->path().c_str();
    if (!name || ::lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) continue;
    if (st.st_nlink == 1) {
      if (::unlink(path) == 0) ++report.abandoned;
      continue;
    }
    ++report.contents;
    report.bytes += st.st_size;
    report.files += st.st_nlink - 1;
    const auto digest = digest_of_file(it->path().string());
    if (digest == name->digest || (!digest && errno == ENOENT)) continue;  // gone meanwhile
    distrust_blob(it->path().string(), *name);
    damaged.insert(st.st_ino);
  }
  if (!damaged.empty()) report.damaged = keys_of(root, damaged);
  return report;
}

}  // namespace tiphys::executor
