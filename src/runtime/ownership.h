// Which process owns a workflow: a lock on a file in its run folder, which the system drops when
// the process dies.
//
// Thread-safe: no state but the file system.
#pragma once

#include <string>

#include "diag/error.h"

namespace tiphys::runtime {

/// A lock that is held while the object lives.
class Ownership {
 public:
  /// Errors: kConflict when another process holds it, kIo.
  [[nodiscard]] static diag::Result<Ownership> take(const std::string& run_path);
  Ownership(Ownership&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Ownership& operator=(Ownership&& other) noexcept;
  ~Ownership();

 private:
  explicit Ownership(int fd) : fd_(fd) {}
  int fd_;
};

/// A socket on which other processes can wake the engine (they have put a command into the store).
class Doorbell {
 public:
  /// Listens at `home`/engine-PID.sock. Errors: kIo.
  [[nodiscard]] static diag::Result<Doorbell> hang(const std::string& home);
  Doorbell(Doorbell&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  Doorbell& operator=(Doorbell&&) = delete;
  ~Doorbell();

  [[nodiscard]] int descriptor() const { return fd_; }
  /// Takes the rings that have come.
  void clear() const;

 private:
  Doorbell(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
};

}  // namespace tiphys::runtime
