#include "executor/program_output.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

extern char** environ;  // NOLINT: posix_spawn wants it

namespace tiphys::executor {
namespace {

struct Pipe {
  int ends[2] = {-1, -1};

  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) ends[0] = ends[1] = -1;
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (int i = 0; i < 2; ++i) close_end(i);
  }
  void close_end(int i) {
    if (ends[i] >= 0) ::close(ends[i]);
    ends[i] = -1;
  }
};

// Reads both to their ends.
void drain(Pipe& out, std::string& text, Pipe& error_out, std::string& said) {
  char buffer[65536];
  while (out.ends[0] >= 0 || error_out.ends[0] >= 0) {
    pollfd fds[2] = {{out.ends[0], POLLIN, 0}, {error_out.ends[0], POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) return;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].revents == 0) continue;
      const ssize_t n = ::read(fds[i].fd, buffer, sizeof buffer);
      if (n > 0) (i == 0 ? text : said).append(buffer, static_cast<std::size_t>(n));
      if (n == 0 || (n < 0 && errno != EINTR)) (i == 0 ? out : error_out).close_end(0);
    }
  }
}

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

diag::Result<std::string> program_output(std::vector<std::string> words) {
  Pipe out;
  Pipe error_out;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  ::posix_spawn_file_actions_adddup2(&actions, error_out.ends[1], 2);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return diag::fail(error == ENOENT ? diag::Code::kNotFound : diag::Code::kIo,
                      fmt::format("{}: {}", words[0], std::strerror(error)));
  }
  out.close_end(1);
  error_out.close_end(1);
  std::string text;
  std::string said;
  drain(out, text, error_out, said);
  int status = -1;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  std::string why = last_line(std::move(said));
  if (why.empty()) why = fmt::format("{} failed", words[0]);
  return diag::fail(diag::Code::kIo, std::move(why));
}

std::string find_program(const std::string& name) {
  const char* const path = std::getenv("PATH");
  const std::string folders = fmt::format("{}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin",
                                          path == nullptr ? "/usr/local/bin" : path);
  for (std::string_view rest = folders; !rest.empty();) {
    const std::size_t colon = rest.find(':');
    std::string file = fmt::format("{}/{}", rest.substr(0, colon), name);
    if (::access(file.c_str(), X_OK) == 0) return file;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return {};
}

}  // namespace tiphys::executor
