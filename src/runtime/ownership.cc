#include "runtime/ownership.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "runtime/config.h"
#include "runtime/submit.h"

namespace tiphys::runtime {

namespace {

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
  const std::string path = fmt::format("{}/{}", run_path, kLockName);
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

diag::Result<Ownership> Ownership::take(const Config& config, store::Store& store,
                                        const std::string& uid) {
  TRY(Ownership out, take(config.run_path(uid)));
  if (!store.has_leases()) return out;
  TRY(store::Lease lease, store.take_lease(uid));
  out.store_ = &store;
  out.uid_ = uid;
  out.lost_host_ = std::move(lease.lost_host);
  return out;
}

Ownership& Ownership::operator=(Ownership&& other) noexcept {
  release();
  fd_ = std::exchange(other.fd_, -1);
  store_ = std::exchange(other.store_, nullptr);
  uid_ = std::move(other.uid_);
  lost_host_ = std::move(other.lost_host_);
  return *this;
}

void Ownership::release() {
  if (store_ != nullptr) store_->release_lease(uid_);
  if (fd_ >= 0) close(fd_);
  store_ = nullptr;
  fd_ = -1;
}

Ownership::~Ownership() { release(); }

diag::Result<store::EngineIdentity> engine_identity(const Config& config) {
  char host[256] = "localhost";
  (void)gethostname(host, sizeof host - 1);
  const std::string path = config.home + "/place";
  const auto trouble = [&path] {
    return diag::fail(diag::Code::kIo,
                      fmt::format("cannot keep '{}': {}", path, std::strerror(errno)));
  };
  // Linked when it is whole: two engines may begin at once.
  const std::string own = fmt::format("{}.{}", path, getpid());
  std::string id;
  for (int tries = 0; id.empty() && tries < 2; ++tries) {
    std::ifstream file(path);
    if (std::getline(file, id) && !id.empty()) break;
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return trouble();
    std::string fresh;
    for (const unsigned char b : bytes) fresh += fmt::format("{:02x}", b);
    std::ofstream(own) << fresh << '\n';
    const int linked = link(own.c_str(), path.c_str());
    const int why = errno;
    unlink(own.c_str());
    errno = why;
    if (linked != 0 && why != EEXIST) return trouble();
  }
  // A copy of the folder on another machine is another place.
  return store::EngineIdentity{
      .place = fmt::format("{}@{}", id, host), .host = host, .lease = config.lease};
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

bool is_owned(const Config& config, store::Store& store, const std::string& uid) {
  const std::string path = fmt::format("{}/{}", config.run_path(uid), kLockName);
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  const bool owned = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
  if (fd >= 0) close(fd);
  if (owned || !store.has_leases()) return owned;
  const auto elsewhere = store.leased_elsewhere();
  return elsewhere && std::ranges::find(*elsewhere, uid) != elsewhere->end();
}

}  // namespace tiphys::runtime
