#include "executor/content_blobs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "executor/path_words.h"
#include "executor/step_log.h"

namespace tiphys::executor {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMark = "user.tiphys";  // short: it lies in ext4's inode, without a block

// The value of kMark, as it is in memory: no other machine reads it.
struct Mark {
  Digest digest = {};
  std::uint64_t mode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
};

mode_t mode_of(const struct stat& st) { return st.st_mode & 07777U; }

Mark mark_of(const Digest& digest, const struct stat& st) {
  return {.digest = digest,
          .mode = mode_of(st),
          .size = st.st_size,
          .modified_ns = st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec};
}

std::optional<Mark> read_mark(const std::string& path) {
  Mark mark;
  if (::lgetxattr(path.c_str(), kMark, &mark, sizeof mark) != sizeof mark) return std::nullopt;
  return mark;
}

bool is_same(const Mark& a, const Mark& b) {
  return a.digest == b.digest && a.mode == b.mode && a.size == b.size &&
         a.modified_ns == b.modified_ns;
}

// Whether the blob still holds what was kept under its name.
bool holds(const std::string& blob, const Digest& digest, const struct stat& wanted) {
  struct stat st = {};
  if (::lstat(blob.c_str(), &st) != 0 || !S_ISREG(st.st_mode)) return false;
  if (st.st_size != wanted.st_size || mode_of(st) != mode_of(wanted)) return false;
  const auto mark = read_mark(blob);
  if (mark && is_same(*mark, mark_of(digest, st))) return true;
  return digest_of_file(blob) == digest;
}

// Lets the blob's name lead to `file`; those that have the old one keep it.
void replace_blob(const std::string& blob, const std::string& file, const std::string& spare) {
  if (::link(file.c_str(), spare.c_str()) == 0 && std::rename(spare.c_str(), blob.c_str()) != 0) {
    ::unlink(spare.c_str());
  }
}

// Takes files away, with the blobs of those that are the last ones.
class Release {
 public:
  explicit Release(const std::string& root) : root_(root) {}
  Release(const Release&) = delete;
  Release& operator=(const Release&) = delete;
  ~Release() {
    if (lock_ >= 0) ::close(lock_);
  }

  void tree(const std::string& path) {
    struct stat st = {};
    if (::lstat(path.c_str(), &st) != 0) return;
    if (!S_ISDIR(st.st_mode)) return file(path, st);
    if ((st.st_mode & 0700U) != 0700U) ::chmod(path.c_str(), mode_of(st) | 0700U);
    std::vector<std::string> below;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      below.push_back(entry.path().string());
    }
    for (const std::string& each : below) tree(each);
    ::rmdir(path.c_str());
  }

 private:
  // Two who take the last two links at once would both leave the blob to the other.
  [[nodiscard]] bool lock() {
    if (lock_ >= 0) return true;
    lock_ = ::open(blobs_path(root_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (lock_ >= 0 && ::flock(lock_, LOCK_EX) != 0 && errno == EINTR) {
    }
    return lock_ >= 0;
  }

  // The blob goes first: if the process dies in between, what is left is a file that is in the way
  // to its end already, not a blob that nobody looks for.
  void file(const std::string& path, struct stat st) {
    if (S_ISREG(st.st_mode) && st.st_nlink > 1 && lock() && ::lstat(path.c_str(), &st) == 0 &&
        st.st_nlink == 2) {
      struct stat kept = {};
      const std::string blob = blob_of(path, st);
      if (!blob.empty() && ::lstat(blob.c_str(), &kept) == 0 && kept.st_ino == st.st_ino &&
          kept.st_dev == st.st_dev) {
        ::unlink(blob.c_str());
      }
    }
    ::unlink(path.c_str());
  }

  [[nodiscard]] std::string blob_of(const std::string& path, const struct stat& st) const {
    if (const auto mark = read_mark(path))
      return blob_path(root_, {mark->digest, static_cast<mode_t>(mark->mode)});
    const auto digest = digest_of_file(path);
    return digest ? blob_path(root_, {*digest, mode_of(st)}) : "";
  }

  const std::string& root_;
  int lock_ = -1;
};

}  // namespace

std::string blobs_path(const std::string& root) {
  return fmt::format("{}/{}/sha256", root, kContentFolder);
}

std::string blob_path(const std::string& root, const BlobName& name) {
  const std::string digest = hex(name.digest);
  return fmt::format("{}/{}/{}-{:04o}", blobs_path(root), digest.substr(0, 2), digest, name.mode);
}

std::optional<BlobName> blob_name(std::string_view file_name) {
  const std::size_t dash = file_name.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto digest = digest_of_hex(file_name.substr(0, dash));
  mode_t mode = 0;
  const std::string_view octal = file_name.substr(dash + 1);
  const char* const end = octal.data() + octal.size();
  if (!digest || std::from_chars(octal.data(), end, mode, 8).ptr != end) return std::nullopt;
  return BlobName{*digest, mode};
}

void link_to_blob(const std::string& root, const std::string& file, const Digest& digest,
                  const std::string& spare) {
  struct stat st = {};
  if (::lstat(file.c_str(), &st) != 0) return;
  const Mark mark = mark_of(digest, st);
  (void)::lsetxattr(file.c_str(), kMark, &mark, sizeof mark, 0);
  const std::string blob = blob_path(root, {digest, mode_of(st)});
  constexpr int kTries = 3;  // another process may make it, or take it away, in between
  for (int i = 0; i < kTries; ++i) {
    if (::link(file.c_str(), blob.c_str()) == 0) return;
    if (errno == ENOENT) {
      if (!make_folders(parent_path(blob))) return;
      continue;
    }
    if (errno != EEXIST) return;
    if (!holds(blob, digest, st)) return replace_blob(blob, file, spare);
    if (::link(blob.c_str(), spare.c_str()) == 0) {
      if (std::rename(spare.c_str(), file.c_str()) != 0) ::unlink(spare.c_str());
      return;
    }
    if (errno == EMLINK) return replace_blob(blob, file, spare);
    if (errno != ENOENT) return;
  }
}

void distrust_blob(const std::string& blob, const BlobName& name) {
  const Mark mark = {.digest = name.digest, .mode = name.mode, .size = -1, .modified_ns = 0};
  (void)::lsetxattr(blob.c_str(), kMark, &mark, sizeof mark, 0);
}

void release_tree(const std::string& root, const std::string& path) { Release(root).tree(path); }

}  // namespace tiphys::executor
