#include "executor/archive_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <vector>

#include "executor/path_words.h"
#include "executor/step_log.h"

extern char** environ;  // NOLINT: posix_spawn wants it

namespace tiphys::executor {
namespace {

// Runs a program in `folder` and waits for it. Errors: kIo when it is not there or fails.
diag::Result<void> run_program(std::vector<std::string> words, const std::string& folder) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return diag::fail(diag::Code::kIo, fmt::format("the program '{}' is not here", words[0]));
  }
  int status = -1;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return diag::fail(diag::Code::kIo, fmt::format("{} failed", words[0]));
}

}  // namespace

Archive archive_of(const value::Value& artifact) {
  const value::Value& archive = artifact["archive"];
  if (!archive["none"].is_null()) return Archive::kNone;
  return archive["zip"].is_null() ? Archive::kTar : Archive::kZip;
}

diag::Result<void> pack(const std::string& path, const std::string& packed, Archive archive,
                        int level) {
  const std::string name = path.substr(path.rfind('/') + 1);
  ::unlink(packed.c_str());  // zip would add to it
  if (archive == Archive::kZip) {
    return run_program({"zip", "-qry", packed, "--", name}, parent_path(path));
  }
  const std::string gzip = level > 0 ? fmt::format("gzip -{}", level) : "gzip";
  return run_program({"tar", "-cf", packed, "--use-compress-program=" + gzip, "--", name},
                     parent_path(path));
}

diag::Result<void> unpack(const std::string& packed, const std::string& place,
                          const std::string& scratch, Archive archive) {
  const std::string folder = scratch + "/unpacked";
  remove_tree(folder);
  if (!make_folders(folder)) return diag::fail(diag::Code::kIo, "mkdir " + folder);
  auto done = archive == Archive::kZip ? run_program({"unzip", "-qo", packed}, folder)
                                       : run_program({"tar", "-xf", packed}, folder);
  if (!done) return diag::fail(diag::Code::kInvalidManifest, "not an archive");
  std::error_code error;
  std::vector<std::filesystem::path> entries;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    entries.push_back(entry.path());
  }
  remove_tree(place);
  std::filesystem::rename(entries.size() == 1 ? entries[0] : std::filesystem::path(folder), place,
                          error);
  if (error) return diag::fail(diag::Code::kIo, "rename: " + error.message());
  return {};
}

bool is_packed_by_tar(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char bytes[262];
  const ssize_t n = ::read(fd, bytes, sizeof bytes);
  ::close(fd);
  const std::string_view head(bytes, n < 0 ? 0 : static_cast<std::size_t>(n));
  return head.starts_with("\x1f\x8b") || (head.size() == sizeof bytes && head.ends_with("ustar"));
}

}  // namespace tiphys::executor
