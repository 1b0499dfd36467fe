#include "executor/plugin_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "executor/path_words.h"
#include "executor/spawn.h"
#include "executor/step_log.h"
#include "executor/step_table.h"

namespace tiphys::executor {
namespace {

constexpr const char* kTokenVolume = "var-run-argo";
constexpr const char* kTokenFolder = "/var/run/argo";
constexpr std::int64_t kGraceNs = 2'000'000'000;

/// A descriptor that is closed at the end of its scope.
struct Descriptor {
  int fd;
  explicit Descriptor(int f) : fd(f) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// The container with the folder of its token.
value::Value with_token(const value::Value& container) {
  value::Map changed = container.map();
  value::List mounts = container["volumeMounts"].list();
  mounts.push_back(value::Map{{"name", kTokenVolume}, {"mountPath", kTokenFolder}});
  changed.set("volumeMounts", std::move(mounts));
  return changed;
}

}  // namespace

PluginProcess::PluginProcess(PluginManifest manifest, std::string folder)
    : manifest_(std::move(manifest)), folder_(std::move(folder)) {}

PluginProcess::~PluginProcess() {
  if (!is_running()) return;
  ::kill(-pid_, SIGTERM);
  const std::int64_t end = steady_now() + kGraceNs;
  while (is_running() && steady_now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (is_running()) ::kill(-pid_, SIGKILL);
  while (is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

std::string PluginProcess::address() const {
  const value::List& ports = manifest_.container["ports"].list();
  const std::int64_t port = ports.empty() ? 0 : ports[0]["containerPort"].int_or(0);
  return fmt::format("http://127.0.0.1:{}", port);
}

bool PluginProcess::is_running() {
  if (pid_ < 0) return false;
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return true;
  last_end_ = WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                                  : fmt::format("exit code {}", WEXITSTATUS(status));
  ::kill(-pid_, SIGKILL);  // what it has started
  pid_ = -1;
  return false;
}

diag::Result<void> PluginProcess::keep_token() {
  if (!token_.empty()) return {};
  unsigned char bytes[24];
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
    return diag::fail(diag::Code::kIo, "no random bytes for a token");
  }
  for (const unsigned char b : bytes) token_ += fmt::format("{:02x}", b);
  if (!make_folders(folder_ + "/token")) return diag::fail(diag::Code::kIo, "mkdir " + folder_);
  const std::string file = folder_ + "/token/token";
  ::unlink(file.c_str());
  return write_file(file, token_, 0600);
}

diag::Result<void> PluginProcess::launch(const wire::Launch& launch) {
  wire::Launch words = launch;
  SpawnPlan plan;
  plan.programs = pointers(words.programs);
  plan.argv = pointers(words.argv);
  plan.env = pointers(words.env);
  for (const wire::Mount& m : words.mounts) {
    plan.mounts.push_back({m.kind, m.source.c_str(), m.target.c_str(), m.options.c_str()});
  }
  plan.cwd = words.cwd.c_str();
  plan.root = words.root.c_str();
  const Descriptor none(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const Descriptor log(
      ::open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  plan.input = none.fd;
  plan.output = plan.error_output = log.fd;
  const Spawned spawned = spawn(plan);
  pid_ = spawned.pid;
  if (pid_ >= 0) return {};
  return diag::fail(
      spawned.failure == wire::Failure::kMount ? diag::Code::kConflict : diag::Code::kIo,
      fmt::format("cannot start '{}': {}", launch.argv[0], std::strerror(spawned.error)));
}

diag::Result<void> PluginProcess::start(const PrepareSettings& settings) {
  TRY_VOID(keep_token());
  Task task;
  task.key = "plugin." + manifest_.name;
  task.name_space = manifest_.name_space;
  task.container = manifest_.name;
  task.log_path = folder_ + "/log";
  task.work_path = folder_ + "/work";
  task.template_body = value::Map{{"container", with_token(manifest_.container)}};
  task.volumes = value::List{
      value::Map{{"name", kTokenVolume}, {"hostPath", value::Map{{"path", folder_ + "/token"}}}}};
  PrepareSettings own = settings;
  own.host_paths = folder_;
  for (const bool may_mount : {settings.may_mount, false}) {
    remove_tree(task.work_path);
    own.may_mount = may_mount;
    TRY(Prepared prepared, prepare(task, own));
    auto done = launch(prepared.launch);
    // Without the right to mount, paths are rewritten in the plugin's words.
    if (done || done.error().code != diag::Code::kConflict || !may_mount) return done;
  }
  return {};
}

}  // namespace tiphys::executor
