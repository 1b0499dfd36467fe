#include "store/new_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <string_view>

namespace tiphys::store {

namespace {

struct Bytes {
  std::size_t offset;
  std::string_view bytes;
};

using std::string_view_literals::operator""sv;

// Of an empty store: its size, and what of it is not zero (blank_store/main.cc).
constexpr Bytes kBlankStore[] = {
#include "blank_store.inc"
};

bool write_blank_store(const std::string& path) {
  std::string store(kBlankStore[0].offset, '\0');
  for (const auto& [offset, bytes] : kBlankStore) bytes.copy(store.data() + offset, bytes.size());
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  std::string_view left = store;
  while (!left.empty()) {
    const ssize_t n = ::write(fd, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  const bool is_synced = left.empty() && ::fsync(fd) == 0;
  ::close(fd);
  return is_synced;
}

void sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) (void)::fsync(fd);
  if (fd >= 0) ::close(fd);
}

}  // namespace

void make_new_store(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return;
  static std::atomic<int> count = 0;
  const std::string made = fmt::format("{}-new-{}-{}", path, ::getpid(), ++count);
  // An existing file is never replaced: another process may have been first.
  if (write_blank_store(made) && ::link(made.c_str(), path.c_str()) == 0) {
    sync_folder(path.substr(0, path.rfind('/') + 1));
  }
  ::unlink(made.c_str());
}

}  // namespace tiphys::store
