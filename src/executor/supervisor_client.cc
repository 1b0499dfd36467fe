#include "executor/supervisor_client.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "executor/supervisor.h"

extern char** environ;  // NOLINT: posix_spawn wants it

namespace tiphys::executor {
namespace {

constexpr int kAttemptsMax = 500;
constexpr int kBetweenAttemptsMs = 20;

// The launcher ends when the supervisor listens, or when another one does.
diag::Result<pid_t> spawn(const std::string& home, std::vector<std::string> words) {
  if (words.empty()) words = {"/proc/self/exe", "__supervisor"};
  words.insert(words.end(), {"--home", home});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, argv[0], nullptr, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (error == 0) return pid;
  return diag::fail(diag::Code::kIo,
                    fmt::format("start the supervisor '{}': {}", argv[0], std::strerror(error)));
}

}  // namespace

pid_t launch_supervisor(const std::string& home, std::vector<std::string> command) {
  if (::access((home + "/" + kSupervisorSocket).c_str(), F_OK) == 0) return -1;
  return spawn(home, std::move(command)).value_or(-1);
}

SupervisorClient::SupervisorClient(std::string home, std::vector<std::string> command,
                                   pid_t launched)
    : home_(std::move(home)), command_(std::move(command)), launched_(launched) {}

SupervisorClient::~SupervisorClient() { close_socket(); }

void SupervisorClient::close_socket() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  in_.clear();
  out_.clear();
}

bool SupervisorClient::try_connect() {
  const int home_fd = ::open(home_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (home_fd < 0) return false;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // sun_path is too short for deep folders
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", home_fd,
                kSupervisorSocket);
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool ok =
      fd_ >= 0 && ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(home_fd);
  if (!ok) {
    close_socket();
    return false;
  }
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  return true;
}

diag::Result<void> SupervisorClient::start_supervisor() {
  pid_t pid = std::exchange(launched_, -1);
  if (pid < 0) {
    TRY(pid, spawn(home_, command_));
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return diag::fail(diag::Code::kIo, "the supervisor could not be started; see its message above");
}

diag::Result<void> SupervisorClient::connect(int processes_max, std::int64_t log_max) {
  close_socket();
  for (int attempt = 0; !try_connect(); ++attempt) {
    if (attempt == kAttemptsMax) {
      return diag::fail(diag::Code::kIo, fmt::format("no supervisor answers in '{}'", home_));
    }
    // Another one may be starting or leaving: it holds the lock, and ours ends at once.
    TRY_VOID(start_supervisor());
    if (try_connect()) break;
    ::poll(nullptr, 0, kBetweenAttemptsMs);
  }
  wire::Writer w(out_);
  w.begin(wire::Type::kHello);
  w.u32(wire::kVersion);
  w.u32(static_cast<std::uint32_t>(processes_max));
  w.i64(log_max);
  w.end();
  return {};
}

bool SupervisorClient::flush() {
  while (!out_.empty()) {
    const ssize_t n = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return true;
    if (n <= 0) {
      close_socket();
      return false;
    }
    out_.erase(0, static_cast<std::size_t>(n));
  }
  return true;
}

bool SupervisorClient::receive(const OnFrame& on_frame) {
  char buffer[65536];
  bool is_alive = true;
  for (;;) {
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) {
      is_alive = false;  // what came before its end still counts
      break;
    }
    in_.append(buffer, static_cast<std::size_t>(n));
    if (n < static_cast<ssize_t>(sizeof buffer)) break;
  }
  std::string_view rest = in_;
  for (;;) {
    const std::int64_t size = wire::frame_size(rest);
    if (size < 0) is_alive = false;
    if (size <= 0) break;
    on_frame(wire::frame_type(rest), wire::frame_payload(rest, size));
    rest.remove_prefix(static_cast<std::size_t>(size));
  }
  in_.erase(0, in_.size() - rest.size());
  if (!is_alive) close_socket();
  return is_alive;
}

}  // namespace tiphys::executor
