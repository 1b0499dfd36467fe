#include "executor/supervisor.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "executor/cgroups.h"
#include "executor/step_table.h"
#include "executor/wire.h"

namespace tiphys::executor {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSyncInterval = 20 * kMillisecond;
constexpr std::int64_t kRunningDelay = 2 * kMillisecond;

struct Options {
  std::string home;
  std::int64_t idle_ns = 3000 * kMillisecond;
};

struct Client {
  int fd = -1;
  std::string in;
  std::string out;
  std::int64_t send_at = 0;  // steady; 0: at once
  bool waits_to_write = false;
};

class Supervisor {
 public:
  Supervisor(int listener, int signals, Options options);
  [[nodiscard]] diag::Result<void> open() { return table_.open(options_.home); }
  void run();

 private:
  struct Watched {
    enum class Kind { kNothing, kListener, kSignals, kClient, kOutput } kind = Kind::kNothing;
    std::string key;
    int stream = 0;
  };

  void watch(int fd, Watched watched, unsigned events = EPOLLIN);
  void unwatch(int fd);
  void handle(const epoll_event& event);
  void accept_clients();
  void read_signals();
  void read_client(int fd);
  void handle_frame(int fd, wire::Type type, std::string_view payload);
  void send(int fd, const std::string& frame, bool is_urgent);
  void write_client(Client& client);
  void write_clients();
  void close_client(int fd);
  [[nodiscard]] int wait_ms() const;
  void sync_sometimes();
  [[nodiscard]] bool is_over();

  Options options_;
  int epoll_ = -1;
  int listener_ = -1;
  int signals_ = -1;
  std::vector<Watched> watched_;  // by fd
  std::unordered_map<int, Client> clients_;
  StepTable table_;
  std::size_t processes_max_ = 16;
  std::int64_t idle_since_ = 0;
  std::int64_t sync_at_ = 0;  // when what is in the journal is synced; 0: it is
  std::int64_t rest_until_ = 0;
  bool has_children_to_reap_ = false;
  bool is_ending_ = false;
};

Supervisor::Supervisor(int listener, int signals, Options options)
    : options_(std::move(options)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      listener_(listener),
      signals_(signals),
      table_({.watch =
                  [this](int fd, std::string_view key, int stream) {
                    watch(fd, {Watched::Kind::kOutput, std::string(key), stream});
                  },
              .unwatch = [this](int fd) { unwatch(fd); },
              .send = [this](StepTable::ClientId id, const std::string& frame,
                             bool is_urgent) { send(id, frame, is_urgent); }}) {
  watch(listener_, {Watched::Kind::kListener, {}, 0});
  watch(signals_, {Watched::Kind::kSignals, {}, 0});
}

void Supervisor::watch(int fd, Watched watched, unsigned events) {
  if (watched_.size() <= static_cast<std::size_t>(fd)) {
    watched_.resize(static_cast<std::size_t>(fd) + 1);
  }
  watched_[static_cast<std::size_t>(fd)] = std::move(watched);
  epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void Supervisor::unwatch(int fd) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  watched_[static_cast<std::size_t>(fd)].kind = Watched::Kind::kNothing;
}

void Supervisor::accept_clients() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    clients_[fd].fd = fd;
    watch(fd, {Watched::Kind::kClient, {}, 0});
  }
}

void Supervisor::read_signals() {
  signalfd_siginfo info = {};
  while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGCHLD) has_children_to_reap_ = true;
    if (info.ssi_signo == SIGTERM) is_ending_ = true;
  }
}

void Supervisor::close_client(int fd) {
  unwatch(fd);
  ::close(fd);
  clients_.erase(fd);
  table_.forget_client(fd);
}

void Supervisor::read_client(int fd) {
  static char buffer[262144];
  Client& client = clients_[fd];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) {
      close_client(fd);
      return;
    }
    client.in.append(buffer, static_cast<std::size_t>(n));
    if (n < static_cast<ssize_t>(sizeof buffer)) break;
  }
  std::string_view rest = client.in;
  for (;;) {
    const std::int64_t size = wire::frame_size(rest);
    if (size < 0) {
      close_client(fd);
      return;
    }
    if (size == 0) break;
    handle_frame(fd, wire::frame_type(rest), wire::frame_payload(rest, size));
    rest.remove_prefix(static_cast<std::size_t>(size));
  }
  client.in.erase(0, client.in.size() - rest.size());
}

void Supervisor::handle_frame(int fd, wire::Type type, std::string_view payload) {
  wire::Reader reader(payload);
  switch (type) {
    case wire::Type::kHello: {
      const std::uint32_t version = reader.u32();
      if (version != wire::kVersion) std::fprintf(stderr, "engine of version %u\n", version);
      processes_max_ = std::max<std::size_t>(1, reader.u32());
      // An engine from before there was a bound does not send one.
      if (const std::int64_t log_max = reader.i64(); reader.ok()) table_.set_log_max(log_max);
      break;
    }
    case wire::Type::kStart:
      table_.start(fd, payload);
      break;
    case wire::Type::kCancel: {
      const std::string_view key = reader.text();
      table_.cancel(key, reader.i64());
      break;
    }
    case wire::Type::kAttach:
      table_.attach(fd, reader.text());
      break;
    case wire::Type::kAcknowledge:
      table_.acknowledge(reader.text());
      break;
    case wire::Type::kRunning:
    case wire::Type::kUnknown:
    case wire::Type::kExit:
      break;  // ours to say
  }
}

void Supervisor::write_client(Client& client) {
  while (!client.out.empty()) {
    const ssize_t n = ::send(client.fd, client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;  // full, or broken: then reading says so
    client.out.erase(0, static_cast<std::size_t>(n));
  }
  const bool waits = !client.out.empty();
  if (waits == client.waits_to_write) return;
  client.waits_to_write = waits;
  epoll_event event = {};
  event.events = EPOLLIN | (waits ? static_cast<unsigned>(EPOLLOUT) : 0U);
  event.data.fd = client.fd;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, client.fd, &event);
}

// That a step has begun is told a little later, so that a short one wakes its engine only once.
void Supervisor::send(int fd, const std::string& frame, bool is_urgent) {
  const auto it = clients_.find(fd);
  if (it == clients_.end()) return;
  Client& client = it->second;
  const bool was_empty = client.out.empty();
  client.out += frame;
  if (is_urgent) client.send_at = 0;
  if (!is_urgent && was_empty) client.send_at = steady_now() + kRunningDelay;
}

void Supervisor::write_clients() {
  const std::int64_t now = steady_now();
  for (auto& [fd, client] : clients_) {
    if (!client.out.empty() && client.send_at <= now) write_client(client);
  }
}

void Supervisor::handle(const epoll_event& event) {
  const auto fd = static_cast<std::size_t>(event.data.fd);
  switch (watched_[fd].kind) {
    case Watched::Kind::kNothing:
      break;  // closed earlier in this round
    case Watched::Kind::kListener:
      accept_clients();
      break;
    case Watched::Kind::kSignals:
      read_signals();
      break;
    case Watched::Kind::kClient:
      if ((event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0) read_client(event.data.fd);
      break;
    case Watched::Kind::kOutput: {
      const std::string key = watched_[fd].key;
      table_.read_output(key, watched_[fd].stream);
      break;
    }
  }
}

int Supervisor::wait_ms() const {
  std::int64_t until = table_.next_deadline();
  const auto sooner = [&until](std::int64_t at) {
    if (until == 0 || at < until) until = at;
  };
  if (const_cast<StepTable&>(table_).journal().is_dirty()) sooner(sync_at_);
  if (idle_since_ != 0) sooner(idle_since_ + options_.idle_ns);
  for (const auto& [fd, client] : clients_) {
    if (client.send_at > 0 && !client.out.empty()) sooner(client.send_at);
  }
  if (until == 0) return -1;
  const std::int64_t left = until - steady_now();
  return left <= 0 ? 0 : static_cast<int>(left / kMillisecond) + 1;
}

bool Supervisor::is_over() {
  if (is_ending_) return true;
  if (!clients_.empty() || !table_.is_idle()) {
    idle_since_ = 0;
    return false;
  }
  const std::int64_t now = steady_now();
  if (idle_since_ == 0) idle_since_ = now;
  return now - idle_since_ >= options_.idle_ns;
}

// A slow disk must not slow the steps down: at most a twentieth of the time is spent here, and none
// while a first, short step runs.
void Supervisor::sync_sometimes() {
  if (!table_.journal().is_dirty()) return;
  const std::int64_t now = steady_now();
  if (sync_at_ == 0) sync_at_ = std::max(rest_until_, now + kSyncInterval);
  if (now < sync_at_) return;
  table_.journal().sync();
  const std::int64_t done = steady_now();
  rest_until_ = done + 20 * (done - now);
  sync_at_ = 0;
}

void Supervisor::run() {
  epoll_event events[64];
  for (;;) {
    const int count = ::epoll_wait(epoll_, events, 64, wait_ms());
    for (int i = 0; i < count; ++i) handle(events[i]);
    if (std::exchange(has_children_to_reap_, false)) {
      table_.reap();
      table_.flush();
      write_clients();  // before we are busy starting others
    }
    table_.kill_overdue();
    table_.start_queued(processes_max_);
    table_.flush();
    write_clients();
    sync_sometimes();
    if (is_over()) break;
  }
  if (is_ending_) table_.kill_all();
  table_.journal().sync();
  sweep_cgroups(options_.home);
}

// An address for `name` in the folder that `home_fd` is open on: sun_path is too short for deep
// folders.
sockaddr_un socket_address(int home_fd, const char* name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", home_fd, name);
  return address;
}

int listen_in(const std::string& home) {
  const int home_fd = ::open(home.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (home_fd < 0 || fd < 0) return -1;
  ::unlink((home + "/" + kSupervisorSocket).c_str());
  const sockaddr_un address = socket_address(home_fd, kSupervisorSocket);
  ::umask(0177);
  const bool ok = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                  ::listen(fd, 64) == 0;
  ::umask(0022);
  ::close(home_fd);
  return ok ? fd : -1;
}

int fail(const char* what) {
  std::fprintf(stderr, "supervisor: %s: %s\n", what, std::strerror(errno));
  return 1;
}

// The background process. Says "ready" by closing `ready`.
int serve(const Options& options, int ready) {
  ::setsid();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  ::sigprocmask(SIG_SETMASK, &set, nullptr);
  for (const int ignored : {SIGPIPE, SIGHUP, SIGINT, SIGQUIT}) ::signal(ignored, SIG_IGN);
  const int signals = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);

  const int listener = listen_in(options.home);
  if (listener < 0) return fail("listen");
  Supervisor supervisor(listener, signals, options);
  if (auto opened = supervisor.open(); !opened) {
    std::fprintf(stderr, "supervisor: %s\n", opened.error().message.c_str());
    return 1;
  }
  const int null_fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; ++fd) ::dup2(null_fd, fd);
  if (::chdir("/") != 0) return 1;
  ::close(ready);
  supervisor.run();
  // First no new clients, then the lock goes with the process. One who came in between sees the end
  // of the stream and starts the next supervisor.
  ::unlink((options.home + "/" + kSupervisorSocket).c_str());
  return 0;
}

}  // namespace

int supervisor_main(int argc, char** argv) {
  Options options;
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--home") options.home = argv[i + 1];
    if (name == "--idle-ms") options.idle_ns = std::atoll(argv[i + 1]) * kMillisecond;
  }
  if (options.home.empty()) {
    std::fprintf(stderr, "usage: __supervisor --home DIR [--idle-ms N]\n");
    return 2;
  }
  ::close_range(3, ~0U, 0);
  const std::string lock_path = options.home + "/" + kSupervisorLock;
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return fail(lock_path.c_str());
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) return 0;  // another one is there or about to leave

  int ready[2];
  if (::pipe2(ready, O_CLOEXEC) != 0) return fail("pipe");
  const pid_t pid = ::fork();
  if (pid < 0) return fail("fork");
  if (pid == 0) {
    ::close(ready[0]);
    std::_Exit(serve(options, ready[1]));
  }
  ::close(ready[1]);
  char byte = 0;
  while (::read(ready[0], &byte, 1) < 0 && errno == EINTR) {
  }
  return 0;
}

}  // namespace tiphys::executor
