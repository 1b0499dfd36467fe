// The work folders of steps: made, removed, and handed on from one step to the next.
//
// Why handed on: on ext4, making and removing a folder costs more than everything else that is done
// for a short step. Most steps leave their folder as empty as they found it; such a one is renamed
// for the next step of the same workflow, never shared by two. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "diag/error.h"

namespace tiphys::executor {

class ScratchFolders {
 public:
  ScratchFolders() = default;
  ScratchFolders(const ScratchFolders&) = delete;
  ScratchFolders& operator=(const ScratchFolders&) = delete;
  ~ScratchFolders() { clear(); }

  /// Makes `path` and the step's working folder `path`/wd in it; `path` may exist. Errors: kIo.
  [[nodiscard]] diag::Result<void> make(const std::string& path);
  /// The step is over: takes its folder for another one if nothing is in it; else gives false and
  /// leaves it as it is.
  [[nodiscard]] bool take_back(const std::string& path);
  /// Removes those that are kept.
  void clear();
  [[nodiscard]] bool empty() const { return spare_.empty(); }

 private:
  std::map<std::string, std::vector<std::string>> spare_;  // by the folder that they lie in
};

}  // namespace tiphys::executor
