// Progress that steps tell: files into which they write `done/all` (ARGO_PROGRESS_FILE).
//
// Used by the executor's thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "executor/executor.h"

namespace tiphys::executor {

/// The file of a task with the host's programs; beside its folder, since not every task has one.
[[nodiscard]] std::string progress_path(const Task& task);

/// Where a step in an image has its file, as in Argo's pods, and the folder of the host that it
/// sees there: one of its own, so that it cannot put a link in its place.
inline constexpr const char* kProgressFolder = "/var/run/argo";
[[nodiscard]] std::string progress_folder(const Task& task);

class ProgressFiles {
 public:
  using Tell = std::function<void(const std::string& key, std::string progress)>;

  /// The task has begun.
  void watch(const Task& task);
  /// Tells what is new in all files. Argo's executor looks every 3 s.
  void look(const Tell& tell);
  /// The task has ended: the same for its file, which is removed.
  void end(const std::string& key, const Tell& tell);
  [[nodiscard]] bool empty() const { return files_.empty(); }

 private:
  struct File {
    std::string path;
    std::string seen;
  };
  /// Whether there is a file.
  static bool look_at(const std::string& key, File& file, const Tell& tell);
  std::map<std::string, File> files_;  // by key
};

}  // namespace tiphys::executor
