// Looks whether the bytes of a repository are what was kept, and clears away what nobody has.
//
// May run while engines do. Reads every byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tiphys::executor {

struct ContentReport {
  std::size_t contents = 0;   // without those that nobody had
  std::int64_t bytes = 0;     // of them
  std::size_t files = 0;      // that have them
  std::size_t abandoned = 0;  // contents that nobody had: they are removed
  /// Files whose bytes are not what was kept, as BUCKET/KEY. They stay, and what is stored next
  /// does not share them.
  std::vector<std::string> damaged;
};

[[nodiscard]] ContentReport check_content(const std::string& root);

}  // namespace tiphys::executor
