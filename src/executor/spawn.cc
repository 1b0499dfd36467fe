#include "executor/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace tiphys::executor {
namespace {

// Written by the child, read by the parent: they share memory until execve.
struct Report {
  volatile wire::Failure failure = wire::Failure::kNone;
  volatile int error = 0;
};

[[noreturn]] void give_up(Report& report, wire::Failure failure, int error) {
  report.error = error;
  report.failure = failure;
  ::_exit(127);
}

// "ID ID 1\n" into a file of /proc/self; the child cannot use printf.
bool map_own_id(const char* file, unsigned id) {
  char digits[12];
  std::size_t n = 0;
  do {
    digits[n++] = static_cast<char>('0' + id % 10);
    id /= 10;
  } while (id != 0);
  char line[32];
  std::size_t size = 0;
  for (int copy = 0; copy < 2; ++copy) {
    for (std::size_t i = n; i > 0; --i) line[size++] = digits[i - 1];
    line[size++] = ' ';
  }
  line[size++] = '1';
  line[size++] = '\n';
  const int fd = ::open(file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool ok = ::write(fd, line, size) == static_cast<ssize_t>(size);
  ::close(fd);
  return ok;
}

// A mount namespace; a user without the right to it gets one inside a user namespace that keeps its
// id.
bool enter_namespace() {
  if (::unshare(CLONE_NEWNS) == 0) return true;
  const unsigned uid = ::geteuid();
  const unsigned gid = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  const int fd = ::open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    if (::write(fd, "deny", 4) != 4) return false;
    ::close(fd);
  }
  return map_own_id("/proc/self/uid_map", uid) && map_own_id("/proc/self/gid_map", gid);
}

bool do_mounts(const SpawnPlan& plan) {
  if (!enter_namespace()) return false;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  for (const MountCall& m : plan.mounts) {
    if (!carry_out(m)) return false;
  }
  return plan.root[0] == '\0' || ::chroot(plan.root) == 0;
}

[[noreturn]] [[gnu::noinline]] void run_child(const SpawnPlan& plan, Report& report) {
  ::setpgid(0, 0);  // the session is the supervisor's, which has no terminal
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The supervisor ignores and blocks signals; a program expects the usual.
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (plan.files.rlim_max != 0) ::setrlimit(RLIMIT_NOFILE, &plan.files);
  if (::dup2(plan.input, 0) < 0 || ::dup2(plan.output, 1) < 0 || ::dup2(plan.error_output, 2) < 0) {
    give_up(report, wire::Failure::kResources, errno);
  }
  if (!plan.mounts.empty() && !do_mounts(plan)) give_up(report, wire::Failure::kMount, errno);
  if (::chdir(plan.cwd) != 0) give_up(report, wire::Failure::kFolder, errno);

  give_up(report, wire::Failure::kExec, execute(plan));
}

}  // namespace

int execute(const SpawnPlan& plan) {
  // As a shell does: a file that must not be run is the error only when no other folder has the
  // program.
  int error = ENOENT;
  for (char* const program : plan.programs) {
    if (program == nullptr) break;
    // cheaper than an execve that fails
    if (plan.programs.size() > 2 && ::access(program, F_OK) != 0 && errno != EACCES) continue;
    ::execve(program, plan.argv.data(), plan.env.data());
    if (errno == ENOENT || errno == ENOTDIR) continue;
    error = errno;
    if (errno != EACCES) break;
  }
  return error;
}

Spawned spawn(const SpawnPlan& plan) {
  Report report;
  const pid_t pid = ::vfork();
  if (pid == 0) run_child(plan, report);
  if (pid < 0) return {-1, wire::Failure::kResources, errno};
  if (report.failure == wire::Failure::kNone) return {pid, wire::Failure::kNone, 0};
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {-1, report.failure, report.error};
}

}  // namespace tiphys::executor
