#include "runtime/link_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tiphys::runtime {

namespace {

constexpr std::size_t kBytes = 32;

std::unexpected<diag::Error> trouble(const std::string& path) {
  return diag::fail(diag::Code::kIo, fmt::format("'{}': {}", path, std::strerror(errno)));
}

// Whole or not at all, under a name that nobody else has.
diag::Result<void> write_new(const std::string& path) {
  char bytes[kBytes];
  if (::getrandom(bytes, kBytes, 0) != static_cast<ssize_t>(kBytes)) return trouble(path);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return trouble(path);
  const bool is_written = ::write(fd, bytes, kBytes) == static_cast<ssize_t>(kBytes);
  const bool is_synced = ::fsync(fd) == 0;
  ::close(fd);
  if (is_written && is_synced) return {};
  return trouble(path);
}

}  // namespace

diag::Result<std::string> link_key(const std::string& home) {
  const std::string path = home + "/links.key";
  for (int round = 0; round < 2; ++round) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
      std::string key(kBytes, '\0');
      const auto n = ::read(fd, key.data(), kBytes);
      ::close(fd);
      if (n == static_cast<ssize_t>(kBytes)) return key;
      return diag::fail(diag::Code::kIo,
                        fmt::format("'{}' is no key: remove it, and a new one is made", path));
    }
    if (errno != ENOENT) return trouble(path);
    // Another process may do the same now: the first that links it has made the key.
    const std::string own = fmt::format("{}.{}", path, ::getpid());
    TRY_VOID(write_new(own));
    const bool is_ours = ::link(own.c_str(), path.c_str()) == 0 || errno == EEXIST;
    const int why = errno;
    ::unlink(own.c_str());
    errno = why;
    if (!is_ours) return trouble(path);
  }
  return trouble(path);
}

}  // namespace tiphys::runtime
