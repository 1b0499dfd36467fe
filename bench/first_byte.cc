// A receiver of webhooks that knows when they come: answers 200 to every request, and prints
// `NANOSECONDS PATH` for each, the CLOCK_REALTIME at which its first bytes could be read.
//
//   first_byte
// Prints its port first. Ends when its stdin does. Requests without a body in another segment only.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <string_view>

namespace {

constexpr char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

void watch(int epoll, int fd) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

// False when the sender has gone.
bool answer(int fd) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  char buffer[16384];
  const ssize_t size = ::read(fd, buffer, sizeof buffer);
  if (size <= 0) return false;
  const std::string_view text(buffer, static_cast<std::size_t>(size));
  const std::size_t path = text.find(' ') + 1;
  const std::string_view name = text.substr(path, text.find(' ', path) - path);
  std::printf("%lld%09ld %.*s\n", static_cast<long long>(now.tv_sec), now.tv_nsec,
              static_cast<int>(name.size()), name.data());
  return ::write(fd, kAnswer, sizeof kAnswer - 1) == sizeof kAnswer - 1;
}

}  // namespace

int main() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener, 512) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return 1;
  }
  std::printf("%d\n", ::ntohs(address.sin_port));
  std::fflush(stdout);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener);
  watch(epoll, STDIN_FILENO);
  for (;;) {
    epoll_event event = {};
    if (::epoll_wait(epoll, &event, 1, -1) != 1) continue;
    const int fd = event.data.fd;
    if (fd == STDIN_FILENO) return 0;
    if (fd != listener) {
      if (!answer(fd)) ::close(fd);
      continue;
    }
    const int sender = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    const int on = 1;
    ::setsockopt(sender, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(epoll, sender);
  }
}
