// tiphys-step: what runs in the pods of the Kubernetes executor, one static binary.
//
//   tiphys-step init [transfers]     puts itself and the inputs where the other containers find
//                                    them, and fetches those that an object store has
//   tiphys-step run -- WORD...       runs a container's command, then reports how it ended
//
// It never talks to the Kubernetes API: all it has to tell is in its termination message or log.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "expr/base64.h"
#include "step/artifacts.h"
#include "step/command.h"
#include "step/contract.h"
#include "step/files.h"
#include "step/report.h"
#include "step/settings.h"

namespace tiphys::step {
namespace {

constexpr const char* kTerminationLog = "/dev/termination-log";
constexpr int kWaitMs = 50;

int fail(const std::string& message) {
  std::fprintf(stderr, "tiphys-step: %s\n", message.c_str());
  if (auto told = write_whole(kTerminationLog, message, 0644); !told) {
    std::fprintf(stderr, "tiphys-step: %s\n", told.error().message.c_str());
  }
  return kExitNotStarted;
}

diag::Result<void> bring_inputs() {
  std::string packed;
  for (const std::string& part : numbered(kInput)) packed += part;
  TRY(const std::string text, expr::base64_decode(packed));
  TRY(const std::vector<FileEntry> files, decode_files(text));
  return place(files);
}

// Those that are too large for the pod's specification.
diag::Result<void> fetch_inputs() {
  TRY(const std::vector<Transfer> transfers, transfers_of(kFetch));
  const Trusts trusts;
  for (const Transfer& transfer : transfers) {
    auto done = fetch_artifact(transfer, trusts);
    if (done) continue;
    return diag::fail(done.error().code,
                      "artifact " + transfer.artifact + " failed to load: " + done.error().message);
  }
  return {};
}

int init(bool has_transfers) {
  auto self = read_whole("/proc/self/exe");
  if (!self) return fail(self.error().message);
  if (auto done = write_whole(kProgram, *self, 0755); !done) return fail(done.error().message);
  if (::mkdir(kEnded, 0777) != 0 && errno != EEXIST) return fail(std::strerror(errno));
  ::chmod(kEnded, 0777);
  if (auto done = bring_inputs(); !done) return fail(done.error().message);
  if (!has_transfers) return 0;
  bring_certificates();
  if (auto done = fetch_inputs(); !done) return fail(done.error().message);
  return 0;
}

std::string ended_file(const std::string& container) {
  return std::string(kEnded) + "/" + container;
}

bool have_ended(const std::vector<std::string>& containers) {
  if (containers.empty()) return false;
  for (const std::string& name : containers) {
    if (::access(ended_file(name).c_str(), F_OK) != 0) return false;
  }
  return true;
}

enum class Turn { kNow, kNever };

// Waits for the containers that must succeed first.
Turn wait_for_turn(int signal_fd, const std::vector<std::string>& after) {
  for (const std::string& name : after) {
    for (;;) {
      auto code = read_whole(ended_file(name));
      if (code && *code == "0") break;
      if (code && !code->empty()) return Turn::kNever;
      if (is_ended_while_waiting(signal_fd, kWaitMs)) return Turn::kNever;
    }
  }
  return Turn::kNow;
}

// The command tells how far it is by a file; its last line is passed on when it has changed.
class Progress {
 public:
  explicit Progress(std::string nonce) : nonce_(std::move(nonce)) {}

  void look() {
    struct stat info = {};
    if (::stat(kProgressFile, &info) != 0) return;
    const std::int64_t at = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
    if (at == seen_at_) return;
    seen_at_ = at;
    auto text = read_whole(kProgressFile);
    if (!text) return;
    while (text->ends_with('\n')) text->pop_back();
    const std::size_t line = text->rfind('\n');
    if (line != std::string::npos) text->erase(0, line + 1);
    if (text->empty() || text->size() > 64) return;
    std::printf("%s\n", progress_line(*text, nonce_).c_str());
    std::fflush(stdout);
  }

 private:
  std::string nonce_;
  std::int64_t seen_at_ = 0;
};

void collect_outputs(const Settings& settings, const diag::Result<Sends>& sends, Report& report) {
  std::vector<std::string> paths = settings.outputs;
  std::string problem;
  if (!sends) {
    report.problem = sends.error().message;
  } else {
    for (const std::string& path : send_outputs(*sends, settings.outputs, report, problem)) {
      paths.push_back(path);
    }
  }
  std::size_t left = kFilesMax;
  for (const std::string& path : paths) {
    auto done = collect(path, "", left, report.files);
    if (done || !report.problem.empty()) continue;
    report.problem = problem.empty() ? done.error().message : problem;
  }
}

Report report_of(const Settings& settings, const diag::Result<Sends>& sends, CommandEnd end) {
  Report report{.exit_code = end.exit_code,
                .exec_error = end.exec_error,
                .started_at = end.started_at,
                .finished_at = end.finished_at};
  if (settings.wants_result) report.result = std::move(end.stdout_tail);
  if (auto message = read_whole(kTerminationLog)) report.message = std::move(*message);
  collect_outputs(settings, sends, report);
  return report;
}

int tell(const Report& report, const Settings& settings, bool line_is_open) {
  std::string text = encode(report);
  if (text.size() > kMessageMax || !is_utf8(text)) {
    if (line_is_open) std::printf("\n");
    const std::vector<std::string> lines = log_lines(text, settings.nonce);
    for (const std::string& line : lines) std::printf("%s\n", line.c_str());
    std::fflush(stdout);
    text = log_notice(lines.size());
  }
  if (auto told = write_whole(kTerminationLog, text, 0666); !told)
    return fail(told.error().message);
  return report.exit_code;
}

CommandEnd run_attempts(int signal_fd, const Settings& settings,
                        const std::vector<std::string>& words) {
  Progress progress(settings.nonce);
  int ticks = 0;
  const CommandWatch watch{.keeps_stdout = settings.wants_result,
                           .on_tick =
                               [&] {
                                 if (++ticks % 10 == 0) progress.look();
                               },
                           .must_end = [&] { return have_ended(settings.until); }};
  for (int attempt = 1;; ++attempt) {
    CommandEnd end = run_command(signal_fd, words, watch);
    if (end.exit_code == 0 || attempt >= settings.attempts) {
      progress.look();
      return end;
    }
    if (is_ended_while_waiting(signal_fd, static_cast<int>(settings.pause_ns / 1'000'000)))
      return end;
  }
}

int run(const std::vector<std::string>& words) {
  const int signal_fd = take_signals();
  const Settings settings = settings_from_environment();
  const diag::Result<Sends> sends = sends_from_environment();
  clear_own_variables();
  Report report;
  bool line_is_open = false;
  if (wait_for_turn(signal_fd, settings.after) == Turn::kNever) {
    report.exit_code = kExitNotStarted;
    report.problem = "a container that it depends on has not succeeded";
  } else {
    CommandEnd end = run_attempts(signal_fd, settings, words);
    line_is_open = end.stdout_tail.empty() || !end.stdout_tail.ends_with('\n');
    report = report_of(settings, sends, std::move(end));
  }
  const int code = tell(report, settings, line_is_open);
  if (settings.until.empty()) {
    if (auto told = write_whole(ended_file(settings.container), std::to_string(code), 0666);
        !told) {
      return fail(told.error().message);
    }
  }
  return code;
}

}  // namespace
}  // namespace tiphys::step

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 1 && words[0] == "init") return tiphys::step::init(false);
  // A word of its own, so that one that is too old for it says so.
  if (words == std::vector<std::string>{"init", "transfers"}) return tiphys::step::init(true);
  if (words.size() > 2 && words[0] == "run" && words[1] == "--") {
    return tiphys::step::run({words.begin() + 2, words.end()});
  }
  std::fprintf(stderr, "usage: tiphys-step init [transfers] | run -- WORD...\n");
  return 2;
}
