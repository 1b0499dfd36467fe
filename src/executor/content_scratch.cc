#include "executor/content_scratch.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "executor/content_blobs.h"
#include "executor/step_log.h"

namespace tiphys::executor {
namespace {

std::string folder_of(const std::string& root) { return root + "/" + kContentFolder + "/new"; }

// The open folder with its lock, or -1 when another one has it, or has removed it.
int locked(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  struct stat st = {};
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0 && ::fstat(fd, &st) == 0 && st.st_nlink > 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

ContentScratch::ContentScratch(const std::string& root) : root_(root) {
  constexpr int kTries = 10;  // a folder that is not locked yet looks as if it were left behind
  const std::string folder = folder_of(root);
  for (int i = 0; i < kTries && fd_ < 0; ++i) {
    path_ = folder + "/XXXXXX";
    if (::mkdtemp(path_.data()) != nullptr) {
      fd_ = locked(path_);
    } else if (errno != ENOENT || !make_folders(folder)) {
      break;
    }
  }
  if (fd_ < 0) path_.clear();
}

ContentScratch::ContentScratch(std::string root, std::string path, int fd)
    : root_(std::move(root)), path_(std::move(path)), fd_(fd) {}

ContentScratch::ContentScratch(ContentScratch&& other) noexcept
    : root_(std::move(other.root_)),
      path_(std::exchange(other.path_, {})),
      fd_(std::exchange(other.fd_, -1)),
      names_(other.names_) {}

ContentScratch ContentScratch::take_over(const std::string& root, const std::string& path) {
  const int fd = locked(path);
  return {root, fd < 0 ? "" : path, fd};
}

ContentScratch::~ContentScratch() {
  if (fd_ < 0) return;
  release_tree(root_, path_);
  ::close(fd_);
}

std::string ContentScratch::new_name() { return path_ + "/" + std::to_string(++names_); }

std::vector<std::string> content_scratches(const std::string& root) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_of(root), error)) {
    paths.push_back(entry.path().string());
  }
  return paths;
}

}  // namespace tiphys::executor
