#include "runtime/ownership.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/config.h"
#include "runtime/submit.h"

namespace tiphys::runtime {

namespace {

constexpr const char* kLockName = "/owner.lock";

// A path too long for sockaddr_un is reached through the folder's descriptor.
bool set_path(sockaddr_un& address, const std::string& path) {
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return true;
}

}  // namespace

diag::Result<Ownership> Ownership::take(const std::string& run_path) {
  std::error_code error;
  std::filesystem::create_directories(run_path, error);
  const std::string path = run_path + kLockName;
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return diag::fail(diag::Code::kIo,
                      fmt::format("cannot open '{}': {}", path, std::strerror(errno)));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return diag::fail(diag::Code::kConflict, "another tiphys process runs this workflow");
  }
  return Ownership(fd);
}

Ownership& Ownership::operator=(Ownership&& other) noexcept {
  if (fd_ >= 0) close(fd_);
  fd_ = std::exchange(other.fd_, -1);
  return *this;
}

Ownership::~Ownership() {
  if (fd_ >= 0) close(fd_);
}

diag::Result<Doorbell> Doorbell::hang(const std::string& home) {
  const std::string path = fmt::format("{}/engine-{}.sock", home, getpid());
  sockaddr_un address{};
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return diag::fail(diag::Code::kIo,
                      fmt::format("cannot make a socket: {}", std::strerror(errno)));
  if (!set_path(address, path))
    return Doorbell(fd, "");  // commands are then found by polling the store
  unlink(path.c_str());
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const std::string why = std::strerror(errno);
    close(fd);
    return diag::fail(diag::Code::kIo, fmt::format("cannot listen at '{}': {}", path, why));
  }
  return Doorbell(fd, path);
}

Doorbell::~Doorbell() {
  if (fd_ < 0) return;
  close(fd_);
  if (!path_.empty()) unlink(path_.c_str());
}

void Doorbell::clear() const {
  char byte = 0;
  while (recv(fd_, &byte, 1, MSG_DONTWAIT) >= 0) {
  }
}

void poke_engines(const std::string& home) {
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(home, error)) {
    const std::string name = entry.path().filename().string();
    sockaddr_un address{};
    if (!name.starts_with("engine-") || !name.ends_with(".sock") ||
        !set_path(address, entry.path().string())) {
      continue;
    }
    const auto sent =
        sendto(fd, "!", 1, 0, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (sent < 0 && errno == ECONNREFUSED) unlink(address.sun_path);  // its process was killed
  }
  close(fd);
}

bool is_owned(const std::string& home, const std::string& uid) {
  const std::string path = home + "/runs/" + uid + kLockName;
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  const bool owned = flock(fd, LOCK_EX | LOCK_NB) != 0;
  close(fd);
  return owned;
}

}  // namespace tiphys::runtime
