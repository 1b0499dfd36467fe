// A PostgreSQL server of a test's own, in a temporary folder, on a Unix socket only.
//
// The server program refuses to run as root; then it runs as the user `postgres` of the package.
#pragma once

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tiphys::test {

class PostgresServer {
 public:
  /// Where the newest server's programs are, or "" when none is installed.
  static std::string programs() {
    std::string best;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", error)) {
      const std::string bin = entry.path().string() + "/bin";
      if (std::filesystem::exists(bin + "/postgres", error) && bin > best) best = bin;
    }
    return best;
  }

  PostgresServer() {
    std::string path = (std::filesystem::temp_directory_path() / "tiphys-pg-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) return;
    folder_ = path;
    if (const passwd* user = getuid() == 0 ? getpwnam("postgres") : nullptr) {
      (void)!chown(path.c_str(), user->pw_uid, user->pw_gid);
    }
    const std::string bin = programs();
    wait_for(spawn({bin + "/initdb", "-D", folder_ + "/data", "-A", "trust", "-U", "tiphys",
                    "--no-sync", "-E", "UTF8", "--locale=C", "-T", "english"}));
    start();
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer() {
    stop();
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }

  void start() {
    // fsync off: these tests do not cut the power.
    server_ = spawn({programs() + "/postgres", "-D", folder_ + "/data", "-k", folder_, "-c",
                     "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=50"});
  }
  /// Ends it as a crash does: connections are cut, nothing is waited for.
  void stop() {
    if (server_ > 0) kill(server_, SIGQUIT);
    wait_for(server_);
    server_ = -1;
  }
  [[nodiscard]] std::string url(const std::string& database = "postgres") const {
    return "postgresql://tiphys@/" + database + "?host=" + folder_;
  }

 private:
  pid_t spawn(std::vector<std::string> words) const {
    if (getuid() == 0) {
      words.insert(words.begin(), {"setpriv", "--reuid=postgres", "--regid=postgres",
                                   "--clear-groups", "--pdeathsig=QUIT", "--"});
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string log = folder_ + "/log";
    const pid_t child = fork();
    if (child != 0) return child;
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(out, 1);
    dup2(out, 2);
    (void)!chdir(folder_.c_str());
    execvp(arguments.front(), arguments.data());
    _exit(127);
  }
  static void wait_for(pid_t child) {
    if (child > 0) waitpid(child, nullptr, 0);
  }

  std::string folder_;
  pid_t server_ = -1;
};

}  // namespace tiphys::test
