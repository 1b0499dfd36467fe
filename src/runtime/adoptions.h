// Workflows that this engine is about to take over, a few at a time, so that a server with
// thousands of them works from its first moment.
//
// Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tiphys::runtime {

class Adoptions {
 public:
  /// Who is to be taken from now on, by uid, each once; in place of those that waited. `urgent`
  /// ones go first, then those that did not wait before: somebody has just submitted them.
  void set(const std::vector<std::string>& wanted, const std::set<std::string>& urgent);
  /// The next one, which does not wait any more; nullopt when none waits.
  [[nodiscard]] std::optional<std::string> take();
  [[nodiscard]] bool waits(const std::string& uid) const { return waiting_.contains(uid); }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

 private:
  std::vector<std::string> turns_;  // the last is next
  std::set<std::string> waiting_;
};

}  // namespace tiphys::runtime
