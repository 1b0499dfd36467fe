#include "executor/step_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include <fmt/format.h>

namespace tiphys::executor {

std::string log_timestamp(std::int64_t ns_since_1970) {
  const std::time_t seconds = ns_since_1970 / 1'000'000'000;
  std::tm t = {};
  ::gmtime_r(&seconds, &t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, ns_since_1970 % 1'000'000'000);
}

bool make_folders(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return true;
  if (errno == EEXIST) {
    struct stat st = {};
    if (::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) return true;
    errno = ENOTDIR;
    return false;
  }
  const std::size_t slash = path.find_last_of('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0) return false;
  if (!make_folders(path.substr(0, slash))) return false;
  return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
}

StepLog::~StepLog() {
  if (fd_ >= 0) ::close(fd_);
}

void StepLog::put(std::string_view lines) {
  if (path_.empty() || broken_) return;
  if (fd_ < 0) {
    const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    fd_ = ::open(path_.c_str(), flags, 0600);
    if (fd_ < 0 && errno == ENOENT) {
      if (make_folders(path_.substr(0, path_.find_last_of('/')))) {
        fd_ = ::open(path_.c_str(), flags, 0600);
      }
    }
    if (fd_ < 0) {
      broken_ = true;  // a step must not fail because its log cannot be written
      return;
    }
  }
  while (!lines.empty()) {
    const ssize_t n = ::write(fd_, lines.data(), lines.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    lines.remove_prefix(static_cast<std::size_t>(n));
  }
}

// `lines` begin with `stamp`, each.
void StepLog::put_within_bounds(std::string_view lines, std::string_view stamp) {
  const auto size = static_cast<std::int64_t>(lines.size());
  if (size <= left_) {
    left_ -= size;
    put(lines);
    return;
  }
  const std::size_t end = lines.substr(0, static_cast<std::size_t>(left_)).rfind('\n');
  if (end != std::string_view::npos) put(lines.substr(0, end + 1));
  put(fmt::format("{}tiphys: the log has reached TIPHYS_LOG_MAX: what follows is dropped\n",
                  stamp));
  is_full_ = true;
}

void StepLog::write(int stream, std::string_view bytes, std::int64_t now) {
  if (is_full_ || broken_) return;
  const std::string stamp = log_timestamp(now) + " ";
  std::string& open_line = open_lines_[stream];
  std::string lines;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      open_line.append(bytes);
      break;
    }
    lines.append(stamp).append(open_line).append(bytes.substr(0, end + 1));
    open_line.clear();
    bytes.remove_prefix(end + 1);
  }
  if (open_line.size() > kLineSizeMax) {
    lines.append(stamp).append(open_line).append("\n");
    open_line.clear();
  }
  if (!lines.empty()) put_within_bounds(lines, stamp);
}

void StepLog::finish(std::int64_t now) {
  for (std::string& open_line : open_lines_) {
    if (open_line.empty() || is_full_) continue;
    const std::string stamp = log_timestamp(now) + " ";
    put_within_bounds(stamp + open_line + "\n", stamp);
    open_line.clear();
  }
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace tiphys::executor
