#include "executor/progress_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace tiphys::executor {

std::string progress_path(const Task& task) { return task.work_path + ".progress"; }

std::string progress_folder(const Task& task) { return task.work_path + "/progress"; }

void ProgressFiles::watch(const Task& task) {
  const std::string folder = progress_folder(task);
  const bool is_in_image = ::access(folder.c_str(), F_OK) == 0;
  files_[task.key] = {is_in_image ? folder + "/progress" : progress_path(task), ""};
}

// The last line counts; a step may still be writing it, and what is no progress is passed over.
bool ProgressFiles::look_at(const std::string& key, File& file, const Tell& tell) {
  const int fd = ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return errno != ENOENT;
  char bytes[256];
  const off_t size = ::lseek(fd, 0, SEEK_END);
  const off_t from = size > static_cast<off_t>(sizeof bytes) ? size - sizeof bytes : 0;
  const ssize_t n = ::pread(fd, bytes, sizeof bytes, from);
  ::close(fd);
  std::string_view text(bytes, n > 0 ? static_cast<std::size_t>(n) : 0);
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t end = text.find_last_not_of(kBlank);
  if (end == std::string_view::npos) return true;
  text = text.substr(0, end + 1);
  const std::size_t line = text.find_last_of('\n');
  if (line != std::string_view::npos) text.remove_prefix(line + 1);
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  if (text == file.seen) return true;
  file.seen = text;
  if (tell) tell(key, file.seen);
  return true;
}

void ProgressFiles::look(const Tell& tell) {
  for (auto& [key, file] : files_) look_at(key, file, tell);
}

void ProgressFiles::end(const std::string& key, const Tell& tell) {
  const auto it = files_.find(key);
  if (it == files_.end()) return;
  if (look_at(key, it->second, tell)) ::unlink(it->second.path.c_str());
  files_.erase(it);
}

}  // namespace tiphys::executor
