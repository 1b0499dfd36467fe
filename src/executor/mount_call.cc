#include "executor/mount_call.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tiphys::executor {
namespace {

constexpr unsigned long kPlain = MS_NOSUID | MS_NOEXEC | MS_NODEV;

struct Device {
  const char* name;
  unsigned minor;
  unsigned major;
  const char* host;
};
constexpr Device kDevices[] = {{"null", 3, 1, "/dev/null"},       {"zero", 5, 1, "/dev/zero"},
                               {"full", 7, 1, "/dev/full"},       {"random", 8, 1, "/dev/random"},
                               {"urandom", 9, 1, "/dev/urandom"}, {"tty", 0, 5, "/dev/tty"}};
constexpr const char* kLinks[][2] = {{"/proc/self/fd", "fd"},
                                     {"/proc/self/fd/0", "stdin"},
                                     {"/proc/self/fd/1", "stdout"},
                                     {"/proc/self/fd/2", "stderr"},
                                     {"pts/ptmx", "ptmx"}};

// Whoever may not make a device node takes the host's.
bool make_device(int folder, const Device& device) {
  constexpr mode_t kMode = 0666;
  if (::mknodat(folder, device.name, S_IFCHR | kMode, makedev(device.major, device.minor)) == 0) {
    return ::fchmodat(folder, device.name, kMode, 0) == 0;
  }
  const int file = ::openat(folder, device.name, O_CREAT | O_WRONLY | O_CLOEXEC, kMode);
  if (file < 0) return false;
  ::close(file);
  return ::mount(device.host, device.name, nullptr, MS_BIND, nullptr) == 0;
}

bool mount_devices(const char* target) {
  if (::mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=65536k") != 0) {
    return false;
  }
  const int folder = ::open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool ok = folder >= 0 && ::fchdir(folder) == 0;
  for (const Device& device : kDevices) ok = ok && make_device(folder, device);
  for (const auto& link : kLinks) ok = ok && ::symlinkat(link[0], folder, link[1]) == 0;
  ok = ok && ::mkdirat(folder, "pts", 0755) == 0 && ::mkdirat(folder, "shm", 01777) == 0;
  ok = ok && ::fchmodat(folder, "shm", 01777, 0) == 0;  // no umask
  ok = ok && ::mount("devpts", "pts", "devpts", MS_NOSUID | MS_NOEXEC,
                     "newinstance,ptmxmode=0666,mode=0620") == 0;
  ok = ok && ::mount("tmpfs", "shm", "tmpfs", kPlain, "mode=1777,size=65536k") == 0;
  const int error = errno;
  if (folder >= 0) ::close(folder);
  errno = error;
  return ok;
}

int open_below(int folder, const char* path) {
  open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder, path, &how, sizeof how));
}

// What is mounted is what was opened, whatever a step puts in its place meanwhile.
bool bind(const MountCall& m) {
  const std::size_t trusted = std::strlen(m.options);
  if (trusted == 0) return ::mount(m.source, m.target, nullptr, MS_BIND | MS_REC, nullptr) == 0;
  if (std::strncmp(m.source, m.options, trusted) != 0) {
    errno = EINVAL;
    return false;
  }
  const int top = ::open(m.options, O_PATH | O_CLOEXEC);
  const char* below = m.source + trusted;
  while (*below == '/') ++below;
  const int found = top < 0 || *below == '\0' ? top : open_below(top, below);
  const int tree = found < 0 ? -1
                             : static_cast<int>(::syscall(SYS_open_tree, found, "",
                                                          AT_EMPTY_PATH | OPEN_TREE_CLONE |
                                                              OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  const bool ok = tree >= 0 && ::syscall(SYS_move_mount, tree, "", AT_FDCWD, m.target,
                                         MOVE_MOUNT_F_EMPTY_PATH) == 0;
  const int error = errno;
  if (tree >= 0) ::close(tree);
  if (found >= 0 && found != top) ::close(found);
  if (top >= 0) ::close(top);
  errno = error;
  return ok;
}

bool make_read_only(const char* target) {
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  return ::syscall(SYS_mount_setattr, AT_FDCWD, target, AT_RECURSIVE, &attributes,
                   sizeof attributes) == 0;
}

bool pivot(const char* target) {
  // The new root is put onto the old one, which is then taken away from below.
  return ::chdir(target) == 0 && ::syscall(SYS_pivot_root, ".", ".") == 0 &&
         ::umount2(".", MNT_DETACH) == 0 && ::chdir("/") == 0;
}

}  // namespace

bool carry_out(const MountCall& m) {
  using Kind = wire::Mount::Kind;
  switch (m.kind) {
    case Kind::kOverlay:
      return ::mount("overlay", m.target, "overlay", 0, m.options) == 0;
    case Kind::kOverlayReadOnly:
      return ::mount("overlay", m.target, "overlay", MS_RDONLY, m.options) == 0;
    case Kind::kBind:
      return bind(m);
    case Kind::kBindReadOnly:
      return bind(m) && make_read_only(m.target);
    case Kind::kProc:
      return ::mount("proc", m.target, "proc", kPlain, nullptr) == 0;
    case Kind::kSys:
      return ::mount("sysfs", m.target, "sysfs", kPlain | MS_RDONLY, nullptr) == 0;
    case Kind::kDevices:
      return mount_devices(m.target);
    case Kind::kNoCgroups:
      return ::mount("cgroup2", m.target, "cgroup2", kPlain | MS_RDONLY, nullptr) == 0;
    case Kind::kTemporary:
      return ::mount("tmpfs", m.target, "tmpfs", MS_NOSUID | MS_NODEV, m.options) == 0;
    case Kind::kPivot:
      return pivot(m.target);
  }
  errno = EINVAL;
  return false;
}

}  // namespace tiphys::executor
