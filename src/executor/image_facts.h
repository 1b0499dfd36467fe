// What is known of images whose files never change, so that each step does not look again: a search
// of the PATH through a few layers is 150 calls of the kernel.
//
// Layers are kept under their digests (image_store.h). Used by one thread.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace tiphys::executor {

class ImageFacts {
 public:
  /// The text of a file of the image; `read` gives it the first time.
  [[nodiscard]] const std::string& text(const std::vector<std::string>& layers,
                                        const std::string& path,
                                        const std::function<std::string()>& read);
  /// Whether one of the programs is known to be there and executable; else `look` is asked: 0, or
  /// an errno, which is not remembered.
  [[nodiscard]] int exec_error(const std::vector<std::string>& layers,
                               const std::vector<std::string>& programs,
                               const std::function<int()>& look);

 private:
  std::unordered_map<std::string, std::string> texts_;  // never iterated, as the next
  std::unordered_set<std::string> startable_;
};

}  // namespace tiphys::executor
