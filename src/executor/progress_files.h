// Progress that steps tell: files into which they write `done/all` (ARGO_PROGRESS_FILE).
//
// Used by the executor's thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "executor/executor.h"

namespace tiphys::executor {

/// The file of a task; beside its folder, since not every task has one.
[[nodiscard]] std::string progress_path(const Task& task);

class ProgressFiles {
 public:
  using Tell = std::function<void(const std::string& key, std::string progress)>;

  /// The task has begun.
  void watch(const Task& task) { files_[task.key] = {progress_path(task), ""}; }
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
