// Which process owns a workflow: a lock on a file in its run folder, which the system drops when
// the process dies; and, where engines of several machines share a store, its lease.
//
// Thread-safe without a lease: no state but the file system. With one, as the store is.
#pragma once

#include <string>

#include "diag/error.h"
#include "runtime/config.h"
#include "store/store.h"

namespace tiphys::runtime {

/// The file in the run folder that is locked.
inline constexpr const char* kLockName = "owner.lock";

/// A lock that is held while the object lives.
class Ownership {
 public:
  /// Errors: kConflict when another process holds it, kIo.
  [[nodiscard]] static diag::Result<Ownership> take(const std::string& run_path);
  /// The same, and the lease if the store has leases; the store is borrowed.
  [[nodiscard]] static diag::Result<Ownership> take(const Config& config, store::Store& store,
                                                    const std::string& uid);
  Ownership(Ownership&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        store_(std::exchange(other.store_, nullptr)),
        uid_(std::move(other.uid_)),
        lost_host_(std::move(other.lost_host_)) {}
  Ownership& operator=(Ownership&& other) noexcept;
  ~Ownership();

  /// Not empty: it was taken over from an engine on this host, whose processes are out of reach.
  [[nodiscard]] const std::string& lost_host() const { return lost_host_; }

 private:
  explicit Ownership(int fd) : fd_(fd) {}
  void release();
  int fd_;
  store::Store* store_ = nullptr;  // with a lease
  std::string uid_ = {};
  std::string lost_host_ = {};
};

/// Who the engines of this state folder are among those that share a store. Errors: kIo.
[[nodiscard]] diag::Result<store::EngineIdentity> engine_identity(const Config& config);

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
