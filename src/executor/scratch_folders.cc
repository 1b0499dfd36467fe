#include "executor/scratch_folders.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "executor/path_words.h"
#include "executor/step_log.h"

namespace tiphys::executor {
namespace {

// Whether a folder is as it was made: its mode is ours, and it is empty.
bool is_untouched(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat st = {};
  // One call shows "." and "..", and whether something follows: readdir() would make two.
  char entries[512];
  constexpr ssize_t kEmpty = 48;
  const bool is_clean = ::fstat(fd, &st) == 0 && (st.st_mode & 07777U) == 0700 &&
                        ::syscall(SYS_getdents64, fd, entries, sizeof entries) == kEmpty;
  ::close(fd);
  return is_clean;
}

}  // namespace

diag::Result<std::string> ScratchFolders::take(const std::string& work) {
  std::vector<std::string>& spare = spare_[work];
  if (!spare.empty()) {
    std::string folder = std::move(spare.back());
    spare.pop_back();
    return folder;
  }
  // The number of the process keeps it apart from those of an engine that has died.
  std::string folder = fmt::format("{}/wd.{}.{}", work, ::getpid(), ++made_);
  if (make_folders(folder)) return folder;
  return diag::fail(diag::Code::kIo, fmt::format("mkdir {}: {}", folder, std::strerror(errno)));
}

void ScratchFolders::give_back(const std::string& work, const std::string& folder) {
  if (is_untouched(folder)) {
    spare_[work].push_back(folder);
  } else {
    remove_tree(folder);
  }
}

void ScratchFolders::remove(const std::string& work) {
  spare_.erase(work);
  remove_tree(work);
}

}  // namespace tiphys::executor
