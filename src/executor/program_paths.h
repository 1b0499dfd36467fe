// Where programs were found lately, so that a thousand steps do not search the PATH a thousand
// times.
//
// As a shell's hash table, but it forgets after a second: a program that is put into an earlier
// folder of the PATH is found soon. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace tiphys::executor {

class ProgramPaths {
 public:
  /// `candidates` in the order of the PATH, the one that exists brought to the front. `now`: ns on
  /// the clock that nobody sets.
  [[nodiscard]] std::vector<std::string> found_first(std::vector<std::string> candidates,
                                                     std::int64_t now);

 private:
  std::unordered_map<std::string, std::size_t> found_;  // never iterated
  std::int64_t forget_at_ = 0;
};

}  // namespace tiphys::executor
