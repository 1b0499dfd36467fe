#include "cli/golden_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "cli/inputs.h"
#include "value/json.h"

extern char** environ;  // NOLINT: posix_spawn wants it

namespace tiphys::cli {

namespace {

using Clock = std::chrono::steady_clock;
using value::Value;

constexpr auto kBetweenLooks = std::chrono::milliseconds(5);
constexpr auto kUntilKilled = std::chrono::seconds(5);

// A folder that goes with its object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tiphys-golden-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<std::string> environment_of(const std::string& home, const GoldenOptions& o) {
  std::vector<std::string> lines = {"TIPHYS_HOME=" + home, "NO_COLOR=1"};
  const char* path = std::getenv("PATH");
  const std::string tools = o.folder + "/tools";
  std::string programs = path == nullptr ? "/usr/bin:/bin" : path;
  if (std::filesystem::is_directory(tools)) programs = tools + ":" + programs;
  lines.push_back("PATH=" + programs);
  // A state of its own is a store of its own: only this variable names another, for one golden.
  if (const char* store = std::getenv("TIPHYS_CONFORMANCE_STORE")) {
    lines.push_back(std::string("TIPHYS_STORE=") + store);
  }
  for (char** line = environ; *line != nullptr; ++line) {
    const std::string_view text(*line);
    const bool is_ours =
        std::ranges::any_of(std::vector{"TIPHYS_HOME=", "TIPHYS_STORE=", "NO_COLOR=", "PATH="},
                            [&](const char* s) { return text.starts_with(s); });
    if (!is_ours) lines.emplace_back(text);
  }
  return lines;
}

// This program again, in its own process group, its streams in files.
class Child {
 public:
  Child(std::vector<std::string> words, std::vector<std::string> environment,
        const std::string& out, const std::string& err) {
    words.insert(words.begin(), "tiphys");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (std::string& line : environment) envp.push_back(line.data());
    envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), kWrite, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), kWrite, 0600);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    if (::posix_spawn(&pid_, "/proc/self/exe", &actions, &attributes, argv.data(), envp.data()) !=
        0) {
      pid_ = -1;
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (has_ended()) return;
    // Twice the interrupt terminates the workflow, so that its steps end, too.
    for (int i = 0; i < 2; ++i) {
      ::kill(pid_, SIGINT);
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    const auto deadline = Clock::now() + kUntilKilled;
    while (!has_ended() && Clock::now() < deadline) std::this_thread::sleep_for(kBetweenLooks);
    if (has_ended()) return;
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }

  [[nodiscard]] bool has_ended() {
    if (pid_ < 0 || is_reaped_) return true;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    is_reaped_ = true;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  }
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  pid_t pid_ = -1;
  bool is_reaped_ = false;
  int exit_code_ = 127;
};

std::string text_in(const std::string& file) { return read_file(file).value_or(""); }

// The Workflow object among what was printed; null when there is none.
Value object_in(const std::string& text) {
  const std::size_t at = text.starts_with('{') ? 0 : text.find("\n{");
  if (at == std::string::npos) return {};
  auto parsed = value::parse_json(std::string_view(text).substr(at));
  const bool is_object = parsed && (*parsed)["status"].is_map() && (*parsed)["metadata"].is_map();
  return is_object ? std::move(*parsed) : Value();
}

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

struct Ended {
  bool is_in_time = true;
  int exit_code = 0;
  Value workflow;
  std::string last_words;
};

Ended run_case(const conformance::Record& record, const GoldenOptions& o, const std::string& file) {
  const ScratchFolder scratch;
  const std::string out = scratch.path() + "/stdout";
  const std::string err = scratch.path() + "/stderr";
  const auto environment = environment_of(scratch.path() + "/home", o);
  std::vector<std::string> words = {"run"};
  if (!o.objects.empty()) words.push_back(o.objects);
  words.insert(words.end(), {file, "-o", "json"});
  const auto began = Clock::now();
  Ended ended;
  {
    Child child(words, environment, out, err);
    int resumed = 0;
    while (!child.has_ended()) {
      const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
      if (seconds > o.timeout) {
        ended.is_in_time = false;
        break;
      }
      if (resumed < record.resumes && seconds > o.resume_after * (resumed + 1)) {
        ++resumed;
        Child resume({"resume", record.workflow}, environment, scratch.path() + "/resume",
                     scratch.path() + "/resume");
        while (!resume.has_ended()) std::this_thread::sleep_for(kBetweenLooks);
      }
      std::this_thread::sleep_for(kBetweenLooks);
    }
    ended.exit_code = child.exit_code();
  }
  ended.workflow = object_in(text_in(out));
  ended.last_words = last_line(text_in(err));
  return ended;
}

void judge_rejected(const Ended& ended, GoldenResult& result) {
  const std::string_view phase = ended.workflow["status"]["phase"].string_or("");
  const bool is_refused =
      ended.exit_code != 0 && (phase.empty() || phase == "Error" || phase == "Failed");
  if (!is_refused) result.remark = "the manifest must be refused";
}

}  // namespace

GoldenResult run_golden(const conformance::Record& record, const GoldenOptions& o) {
  GoldenResult result;
  result.name = record.name;
  result.group = record.group;
  const auto began = Clock::now();
  const auto golden_text = read_file(fmt::format("{}/{}.json", o.folder, record.name));
  const auto golden = golden_text ? value::parse_json(*golden_text)
                                  : diag::Result<Value>(std::unexpected(golden_text.error()));
  const std::string file = fmt::format("{}/{}.yaml", o.folder, record.name);
  if (!golden || !golden->is_map()) {
    result.remark = golden ? "no golden: want a map" : golden.error().message;
    return result;
  }
  result.nodes = (*golden)["nodes"].list().size();
  if (!std::filesystem::exists(file)) {
    result.remark = fmt::format("there is no {}.yaml", record.name);
    return result;
  }
  const Ended ended = run_case(record, o, file);
  result.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  if (!ended.is_in_time) {
    result.remark = fmt::format("not finished in {:g} s", o.timeout);
  } else if (record.is_rejected || !(*golden)["rejected"].is_null()) {
    judge_rejected(ended, result);
  } else if (ended.workflow.is_null()) {
    result.remark =
        fmt::format("no Workflow object; exit code {}; {}", ended.exit_code, ended.last_words);
  } else {
    result.comparison =
        conformance::compare(*golden, ended.workflow, record, {.compares_keys = o.compares_keys});
  }
  const bool is_alike = result.remark.empty() && result.comparison.differences.empty();
  if (is_alike) result.verdict = GoldenResult::Verdict::kPassed;
  return result;
}

}  // namespace tiphys::cli
