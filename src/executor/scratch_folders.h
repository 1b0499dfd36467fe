// Working folders that pass from one step to the next.
//
// Why: on ext4, making and removing a folder costs more than everything else that is done for a
// short step. Most steps leave theirs as empty as they found it; such a one serves the next step of
// the same workflow. No two steps ever have one at the same time, and none gets one with something
// in it. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "diag/error.h"

namespace tiphys::executor {

class ScratchFolders {
 public:
  /// An empty folder below `work`, the folder of a workflow, for one step. Errors: kIo.
  [[nodiscard]] diag::Result<std::string> take(const std::string& work);
  /// The step is over: keeps the folder if nothing is in it, else removes it.
  void give_back(const std::string& work, const std::string& folder);
  /// The workflow is over: removes `work` with all that is in it.
  void remove(const std::string& work);

 private:
  std::map<std::string, std::vector<std::string>> spare_;  // by workflow
  std::uint64_t made_ = 0;
};

}  // namespace tiphys::executor
