#include "executor/git_artifact.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include <fmt/format.h>

#include "executor/path_words.h"
#include "executor/preparation.h"

extern char** environ;  // NOLINT: posix_spawn wants it

namespace tiphys::executor {
namespace {

using value::Value;

/// What all calls of git share.
struct Git {
  std::vector<std::string> environment;
  std::string log;  // where git writes what it has to say

  [[nodiscard]] diag::Result<void> run(std::vector<std::string> words) const;
};

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

diag::Result<void> Git::run(std::vector<std::string> words) const {
  words.insert(words.begin(), "git");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> own = environment;
  std::vector<char*> env;
  for (std::string& entry : own) env.push_back(entry.data());
  for (char** entry = environ; *entry != nullptr; ++entry) env.push_back(*entry);
  env.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, "git", &actions, nullptr, argv.data(), env.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return diag::fail(diag::Code::kIo, "git cannot be started");
  int status = -1;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  auto said = read_file(log);
  return diag::fail(diag::Code::kIo, said ? last_line(*said) : "git failed");
}

// The program that git asks for user and password: an empty answer instead of a question to nobody.
diag::Result<void> set_up_secrets(const Value& git, const TransferSettings& settings, Git& call) {
  const auto secret = [&](const char* field) -> diag::Result<std::string> {
    const Value& ref = git[field];
    if (!ref.is_map()) return std::string();
    if (!settings.lookup.secret) return diag::fail(diag::Code::kIo, "no secrets here");
    return settings.lookup.secret(settings.name_space, std::string(ref["name"].string_or("")),
                                  std::string(ref["key"].string_or("")));
  };
  TRY(const std::string user, secret("usernameSecret"));
  TRY(const std::string password, secret("passwordSecret"));
  TRY(const std::string key, secret("sshPrivateKeySecret"));
  call.environment.emplace_back("GIT_TERMINAL_PROMPT=0");
  if (git["insecureSkipTLS"].bool_or(false)) call.environment.emplace_back("GIT_SSL_NO_VERIFY=1");
  if (!user.empty() || !password.empty()) {
    const std::string program = settings.scratch + "/git-ask";
    TRY_VOID(write_file(program,
                        "#!/bin/sh\ncase \"$1\" in User*) printf '%s' \"$TIPHYS_GIT_USER\";; "
                        "*) printf '%s' \"$TIPHYS_GIT_PASSWORD\";; esac\n",
                        0700));
    call.environment.push_back("GIT_ASKPASS=" + program);
    call.environment.push_back("TIPHYS_GIT_USER=" + user);
    call.environment.push_back("TIPHYS_GIT_PASSWORD=" + password);
  }
  std::string ssh = "ssh -o BatchMode=yes";
  if (git["insecureIgnoreHostKey"].bool_or(false)) ssh += " -o StrictHostKeyChecking=no";
  if (!key.empty()) {
    const std::string file = settings.scratch + "/git-key";
    TRY_VOID(write_file(file, key, 0600));
    ssh += " -i " + file;
  }
  call.environment.push_back("GIT_SSH_COMMAND=" + ssh);
  return {};
}

}  // namespace

diag::Result<void> fetch_git(const Value& artifact, const std::string& place,
                             const TransferSettings& settings) {
  const Value& git = artifact["git"];
  Git call{.environment = {}, .log = settings.scratch + "/git-log"};
  TRY_VOID(set_up_secrets(git, settings, call));
  remove_tree(place);
  std::vector<std::string> clone = {"clone", "--quiet"};
  const std::int64_t depth = git["depth"].int_or(0);
  const std::string branch(git["branch"].string_or(""));
  if (depth > 0) clone.push_back(fmt::format("--depth={}", depth));
  if (git["singleBranch"].bool_or(false)) clone.emplace_back("--single-branch");
  if (!branch.empty()) clone.push_back("--branch=" + branch);
  clone.insert(clone.end(), {"--", std::string(git["repo"].string_or("")), place});
  TRY_VOID(call.run(std::move(clone)));
  for (const Value& ref : git["fetch"].list()) {
    TRY_VOID(call.run({"-C", place, "fetch", "--quiet", "origin", std::string(ref.string_or(""))}));
  }
  if (const std::string revision(git["revision"].string_or("")); !revision.empty()) {
    TRY_VOID(call.run({"-C", place, "checkout", "--quiet", revision, "--"}));
  }
  if (git["disableSubmodules"].bool_or(false)) return {};
  return call.run({"-C", place, "submodule", "update", "--quiet", "--init", "--recursive"});
}

}  // namespace tiphys::executor
