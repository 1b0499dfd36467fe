#include "executor/isolated_spawn.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace tiphys::executor {
namespace {

constexpr int kReport = 3;      // the descriptor on which the first process tells what went wrong
constexpr int kAboveAll = 100;  // descriptors are moved there while 0 to 3 are filled

struct Report {
  wire::Failure failure = wire::Failure::kNone;
  int error = 0;
};

[[noreturn]] void give_up(wire::Failure failure, int error) {
  const Report report = {failure, error};
  if (::write(kReport, &report, sizeof report) < 0) ::_exit(126);
  ::_exit(127);
}

bool write_line(const char* file, const char* line) {
  const int fd = ::open(file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const auto size = static_cast<ssize_t>(std::strlen(line));
  const bool ok = ::write(fd, line, static_cast<std::size_t>(size)) == size;
  ::close(fd);
  return ok;
}

// A user without rights is root in there, and nobody else.
bool become_root(unsigned uid, unsigned gid) {
  char line[32];
  write_line("/proc/self/setgroups", "deny");  // an old kernel has no such file
  std::snprintf(line, sizeof line, "0 %u 1\n", uid);
  if (!write_line("/proc/self/uid_map", line)) return false;
  std::snprintf(line, sizeof line, "0 %u 1\n", gid);
  return write_line("/proc/self/gid_map", line);
}

// Else a step would see, and `ps` would show, one more supervisor.
void take_title() {
  constexpr std::string_view kTitle = "tiphys-step";
  constexpr int kFieldsBefore = 46;  // of the name, before the place of the words
  ::prctl(PR_SET_NAME, kTitle.data());
  char text[1024];
  const int fd = ::open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  const ssize_t size = fd < 0 ? -1 : ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (size <= 0) return;
  text[size] = '\0';
  const char* at = std::strrchr(text, ')');
  for (int i = 0; i < kFieldsBefore && at != nullptr; ++i) at = std::strchr(at + 1, ' ');
  if (at == nullptr) return;
  char* end = nullptr;
  const std::uintptr_t begin = std::strtoull(at, &end, 10);
  const std::size_t room = std::strtoull(end, nullptr, 10) - begin;
  if (begin == 0 || room <= kTitle.size()) return;
  auto* const words = reinterpret_cast<char*>(begin);  // NOLINT(performance-no-int-to-ptr)
  std::memset(words, 0, room);
  std::memcpy(words, kTitle.data(), kTitle.size());
}

// Everything of the supervisor's is closed but what the step gets and the report.
void take_descriptors(const SpawnPlan& plan, int report) {
  const int wanted[] = {plan.input, plan.output, plan.error_output, report};
  int moved[4];
  for (int i = 0; i < 4; ++i) moved[i] = ::fcntl(wanted[i], F_DUPFD, kAboveAll);
  for (int i = 0; i < 4; ++i) {
    if (::dup2(moved[i], i) < 0) ::_exit(126);
  }
  ::fcntl(kReport, F_SETFD, FD_CLOEXEC);
  ::close_range(kReport + 1, ~0U, 0);
}

bool take_identity(const wire::Isolation& own) {
  if (own.sets_user) {
    static_assert(sizeof(gid_t) == sizeof(std::uint32_t));
    const bool has_groups = ::setgroups(own.groups.size(), own.groups.data()) == 0;
    if (!has_groups && !own.groups.empty()) return false;
    if (::setresgid(own.gid, own.gid, own.gid) != 0) return false;
    if (::setresuid(own.uid, own.uid, own.uid) != 0) return false;
  }
  return !own.no_new_privileges || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

// Shares memory with the first process until execve.
[[noreturn]] [[gnu::noinline]] void run_program(const SpawnPlan& plan) {
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!take_identity(plan.isolation)) give_up(wire::Failure::kUser, errno);
  if (::chdir(plan.cwd) != 0) give_up(wire::Failure::kFolder, errno);
  give_up(wire::Failure::kExec, execute(plan));
}

// Ends with the program, as a shell would tell its status. Orphans come here; they are reaped.
[[noreturn]] void wait_for(pid_t program) {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, 0);
    if (pid < 0 && errno != EINTR) ::_exit(126);
    if (pid != program) continue;
    ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  }
}

[[noreturn]] void be_first(const SpawnPlan& plan, int report, unsigned uid, unsigned gid) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  take_title();
  take_descriptors(plan, report);
  if (uid != 0 && !become_root(uid, gid)) give_up(wire::Failure::kMount, errno);
  if (plan.files.rlim_max != 0) ::setrlimit(RLIMIT_NOFILE, &plan.files);
  const char* const name = plan.isolation.host_name.c_str();
  if (::sethostname(name, std::strlen(name)) != 0) give_up(wire::Failure::kMount, errno);
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    give_up(wire::Failure::kMount, errno);
  }
  for (const MountCall& m : plan.mounts) {
    if (!carry_out(m)) give_up(wire::Failure::kMount, errno);
  }
  const pid_t program = ::vfork();
  if (program == 0) run_program(plan);
  if (program < 0) give_up(wire::Failure::kResources, errno);
  ::close_range(0, kReport, 0);  // the supervisor sees the end of what the program held
  wait_for(program);
}

}  // namespace

Spawned spawn_isolated(const SpawnPlan& plan) {
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) return {-1, wire::Failure::kResources, errno};
  const unsigned uid = ::geteuid();
  const unsigned gid = ::getegid();
  unsigned long flags = SIGCHLD | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
  if (uid != 0) flags |= CLONE_NEWUSER;
  const long pid = ::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) be_first(plan, report[1], uid, gid);
  const int error = errno;
  ::close(report[1]);
  if (pid < 0) {
    ::close(report[0]);
    const bool is_refused = error == EPERM || error == EINVAL || error == ENOSPC;
    return {-1, is_refused ? wire::Failure::kMount : wire::Failure::kResources, error};
  }
  Report told;
  ssize_t size = 0;
  while ((size = ::read(report[0], &told, sizeof told)) < 0 && errno == EINTR) {
  }
  ::close(report[0]);
  const auto child = static_cast<pid_t>(pid);
  if (size == 0) return {child, wire::Failure::kNone, 0};
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {-1, told.failure, told.error};
}

}  // namespace tiphys::executor
