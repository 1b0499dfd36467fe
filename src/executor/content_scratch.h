// Folders in which a repository's files are made before they have their place, and to which those
// go that lose theirs.
//
// Whoever works in one holds a lock on it, which ends with the process: what is not locked was left
// behind by a process that died, and the next engine removes it (sweep_content()). Any thread.
#pragma once

#include <string>
#include <vector>

namespace tiphys::executor {

class ContentScratch {
 public:
  /// A new folder below `root`. Without one (a full disk, no rights) path() is "" and errno says
  /// why.
  explicit ContentScratch(const std::string& root);
  /// The folder that a process which died has left, if it is so; else path() is "".
  [[nodiscard]] static ContentScratch take_over(const std::string& root, const std::string& path);
  ContentScratch(ContentScratch&& other) noexcept;
  ContentScratch(const ContentScratch&) = delete;
  ContentScratch& operator=(const ContentScratch&) = delete;
  ContentScratch& operator=(ContentScratch&&) = delete;
  /// Removes it with all that is in it, and the bytes that nobody else has.
  ~ContentScratch();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// A path in it that was not given before.
  [[nodiscard]] std::string new_name();

 private:
  ContentScratch(std::string root, std::string path, int fd);

  std::string root_;
  std::string path_;
  int fd_ = -1;  // has the lock
  int names_ = 0;
};

/// The folders that are there now, also those that somebody works in.
[[nodiscard]] std::vector<std::string> content_scratches(const std::string& root);

}  // namespace tiphys::executor
