#include "step/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace tiphys::step {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0644U;
}

std::unexpected<diag::Error> too_large(const std::string& path) {
  return diag::fail(diag::Code::kIo,
                    path +
                        ": outputs of a pod over 64 MiB need an artifact repository in S3, to "
                        "which the pod sends them (packed as tar, or a single file)");
}

diag::Result<void> collect_file(const std::string& path, const std::string& as, std::size_t& left,
                                std::vector<FileEntry>& files) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (!error && size > left) return too_large(as);
  TRY(std::string text, read_whole(path));
  if (text.size() > left) return too_large(as);
  left -= text.size();
  files.push_back(
      {.kind = FileEntry::Kind::kFile, .path = as, .mode = mode_of(path), .text = std::move(text)});
  return {};
}

diag::Result<void> collect_folder(const std::string& path, const std::string& as, std::size_t& left,
                                  std::vector<FileEntry>& files) {
  files.push_back({.kind = FileEntry::Kind::kFolder, .path = as, .mode = mode_of(path)});
  TRY(const std::vector<std::string> names, names_in(path));
  std::error_code error;
  for (const std::string& name : names) {
    const std::string below = path + "/" + name;
    if (fs::is_symlink(fs::symlink_status(below, error))) {
      files.push_back({.kind = FileEntry::Kind::kLink,
                       .path = as + "/" + name,
                       .mode = 0777,
                       .text = fs::read_symlink(below, error).string()});
    } else {
      TRY_VOID(collect(below, as + "/" + name, left, files));
    }
  }
  return {};
}

diag::Result<void> place_one(const FileEntry& file) {
  std::error_code error;
  const fs::path path(file.path);
  // 0777: the command may run as any user and write beside what it was brought.
  for (fs::path above = path.parent_path(), made; !fs::exists(above, error);) {
    made = above;
    while (!fs::exists(made.parent_path(), error)) made = made.parent_path();
    if (::mkdir(made.c_str(), 0777) != 0 && errno != EEXIST) return failed("mkdir", made, errno);
    ::chmod(made.c_str(), 0777);
  }
  switch (file.kind) {
    case FileEntry::Kind::kFile:
      return write_whole(file.path, file.text, file.mode | 0444U);
    case FileEntry::Kind::kFolder:
      if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return failed("mkdir", path, errno);
      ::chmod(path.c_str(), file.mode | 0777U);
      return {};
    case FileEntry::Kind::kLink:
      if (::symlink(file.text.c_str(), path.c_str()) != 0 && errno != EEXIST) {
        return failed("symlink", path, errno);
      }
      return {};
  }
  return {};
}

}  // namespace

std::unexpected<diag::Error> failed(const std::string& what, const std::string& path, int error) {
  return diag::fail(diag::Code::kIo, what + " " + path + ": " + std::strerror(error));
}

diag::Result<std::vector<std::string>> names_in(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename());
  }
  if (error) return failed("open", folder, error.value());
  std::ranges::sort(names);
  return names;
}

diag::Result<void> collect(const std::string& path, const std::string& as, std::size_t& left,
                           std::vector<FileEntry>& files) {
  const std::string& name = as.empty() ? path : as;
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return failed("stat", path, errno);
  }
  if (S_ISDIR(info.st_mode)) return collect_folder(path, name, left, files);
  if (S_ISREG(info.st_mode)) return collect_file(path, name, left, files);
  return {};  // a socket or a pipe is nothing to be kept
}

diag::Result<void> place(const std::vector<FileEntry>& files) {
  for (const FileEntry& file : files) TRY_VOID(place_one(file));
  return {};
}

diag::Result<std::string> read_whole(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed("open", path, errno);
  std::string text;
  char buffer[1U << 16U];
  ssize_t n = 0;
  while ((n = ::read(fd, buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  const int error = n < 0 ? errno : 0;
  ::close(fd);
  if (error != 0) return failed("read", path, error);
  return text;
}

diag::Result<void> write_whole(const std::string& path, std::string_view text, unsigned mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return failed("open", path, errno);
  // whatever the umask; not where the file is another user's
  int error = ::fchmod(fd, mode) == 0 || errno == EPERM ? 0 : errno;
  while (error == 0 && !text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR) error = errno;
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
  ::close(fd);
  if (error != 0) return failed("write", path, error);
  return {};
}

}  // namespace tiphys::step
