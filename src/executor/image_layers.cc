#include "executor/image_layers.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "executor/path_words.h"

namespace tiphys::executor {
namespace {

bool is_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

bool is_opaque(const std::string& folder) {
  char mark = 0;
  for (const char* name : {"trusted.overlay.opaque", "user.overlay.opaque"}) {
    if (::lgetxattr(folder.c_str(), name, &mark, 1) == 1 && mark == 'y') return true;
  }
  return false;
}

bool make_opaque(const std::string& folder) {
  const char* const name = ::geteuid() == 0 ? "trusted.overlay.opaque" : "user.overlay.opaque";
  return ::lsetxattr(folder.c_str(), name, "y", 1, 0) == 0;
}

enum class Answer { kHere, kBelow, kNowhere };

// Whether one layer has a path, says nothing about it, or hides it.
Answer ask(const std::string& layer, const std::string& path) {
  bool hides_below = false;
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string part = layer + path.substr(0, end);
    struct stat st = {};
    if (::lstat(part.c_str(), &st) != 0) return hides_below ? Answer::kNowhere : Answer::kBelow;
    if (is_whiteout(st)) return Answer::kNowhere;
    if (end == std::string::npos) return Answer::kHere;
    if (!S_ISDIR(st.st_mode)) return Answer::kNowhere;
    hides_below = hides_below || is_opaque(part);
  }
  return Answer::kHere;
}

std::unexpected<diag::Error> failed(const char* what, const std::string& path) {
  return diag::fail(diag::Code::kIo, fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

bool is_there(const std::filesystem::path& path, struct stat& st) {
  return ::lstat(path.c_str(), &st) == 0;
}

// What `from` has and `to` has not; whiteouts as well, as they hide what the next layer has.
diag::Result<void> fill(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(from, error)) {
    const std::filesystem::path place = to / entry.path().filename();
    struct stat st = {};
    struct stat own = {};
    if (!is_there(entry.path(), st)) continue;
    const bool is_new = !is_there(place, own);
    if (S_ISDIR(st.st_mode)) {
      if (is_new) std::filesystem::create_directory(place, entry.path(), error);
      if (is_new || (S_ISDIR(own.st_mode) && !is_opaque(place))) {
        TRY_VOID(fill(entry.path(), place));
        if (is_opaque(entry.path()) && !make_opaque(place)) return failed("setxattr", place);
      }
    } else if (is_new && is_whiteout(st)) {
      if (::mknod(place.c_str(), S_IFCHR, makedev(0, 0)) != 0) return failed("mknod", place);
    } else if (is_new && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))) {
      std::filesystem::copy(entry.path(), place, std::filesystem::copy_options::copy_symlinks,
                            error);
    }
    if (error) {
      return diag::fail(diag::Code::kIo,
                        fmt::format("copy {}: {}", entry.path().string(), error.message()));
    }
  }
  return {};
}

void remove_whiteouts(const std::filesystem::path& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    struct stat st = {};
    if (is_there(entry.path(), st) && is_whiteout(st)) ::unlink(entry.path().c_str());
  }
}

}  // namespace

std::string locate_in_layers(const std::string& upper, const std::vector<std::string>& lowers,
                             const std::string& path) {
  Answer answer = ask(upper, path);
  for (std::size_t i = 0; i < lowers.size() && answer == Answer::kBelow; ++i) {
    answer = ask(lowers[i], path);
    if (answer == Answer::kHere) return lowers[i] + path;
  }
  return upper + path;
}

diag::Result<void> make_folder_over(const std::string& upper,
                                    const std::vector<std::string>& lowers,
                                    const std::string& path) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    const std::string own = upper + part;
    struct stat st = {};
    const bool has_model = ::stat(locate_in_layers(upper, lowers, part).c_str(), &st) == 0;
    if (::mkdir(own.c_str(), 0755) != 0) {
      if (errno == EEXIST) continue;
      return failed("mkdir", own);
    }
    const mode_t mode = has_model ? st.st_mode & 07777U : 0755;
    if (has_model && ::geteuid() == 0 && ::chown(own.c_str(), st.st_uid, st.st_gid) != 0) {
      return failed("chown", own);
    }
    if (::chmod(own.c_str(), mode) != 0) return failed("chmod", own);
  }
  return {};
}

diag::Result<void> complete_folder(const std::string& upper, const std::vector<std::string>& lowers,
                                   const std::string& path) {
  struct stat st = {};
  const std::string own = upper + path;
  if (!is_there(own, st) || !S_ISDIR(st.st_mode)) return {};
  bool goes_on = ask(upper, path) == Answer::kHere && !is_opaque(own);
  for (std::size_t i = 0; i < lowers.size() && goes_on; ++i) {
    const Answer answer = ask(lowers[i], path);
    goes_on = answer != Answer::kNowhere && !is_opaque(lowers[i] + path);
    if (answer == Answer::kHere) TRY_VOID(fill(lowers[i] + path, own));
  }
  remove_whiteouts(own);
  return {};
}

}  // namespace tiphys::executor
