#include "executor/content_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "executor/content_blobs.h"
#include "executor/content_digest.h"
#include "executor/content_scratch.h"
#include "executor/path_words.h"
#include "executor/preparation.h"

namespace tiphys::executor {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceSize = std::size_t{8} << 20U;
constexpr std::size_t kBufferSize = std::size_t{1} << 18U;

std::unexpected<diag::Error> cannot(const std::string& what, int error) {
  return diag::fail(diag::Code::kIo, fmt::format("{}: {}", what, std::strerror(error)));
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { (void)close(); }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

// Makes in a scratch folder what is going to be moved to its place. Functions return an errno or 0.
class Making {
 public:
  Making(const std::string& root, ContentScratch& scratch) : root_(root), scratch_(scratch) {}

  [[nodiscard]] int tree(const std::string& from, const std::string& to) {
    struct stat st = {};
    if (::lstat(from.c_str(), &st) != 0) return errno;
    if (S_ISREG(st.st_mode)) return file(from, st.st_mode & 07777U, to);
    if (S_ISDIR(st.st_mode)) return folder(from, st.st_mode & 07777U, to);
    if (!S_ISLNK(st.st_mode)) return ENOTSUP;
    std::error_code error;
    fs::copy_symlink(from, to, error);
    return error.value();
  }

  [[nodiscard]] int text(std::string_view bytes, const std::string& to) {
    const std::string made = scratch_.new_name();
    File out(made, O_RDWR | O_CREAT | O_EXCL);
    if (out.fd() < 0) return errno;
    if (const int error = append(out, bytes); error != 0) return error;
    return complete(out, made, 0644, to);
  }

 private:
  [[nodiscard]] int folder(const std::string& from, mode_t mode, const std::string& to) {
    if (::mkdir(to.c_str(), 0700) != 0) return errno;
    std::error_code error;
    for (fs::directory_iterator it(from, error), end; !error && it != end; it.increment(error)) {
      const int failed = tree(it->path().string(), to + "/" + it->path().filename().string());
      if (failed != 0) return failed;
    }
    if (error) return error.value();
    return ::chmod(to.c_str(), mode) == 0 ? 0 : errno;
  }

  [[nodiscard]] int file(const std::string& from, mode_t mode, const std::string& to) {
    const File in(from, O_RDONLY | O_NOFOLLOW);
    if (in.fd() < 0) return errno;
    const std::string made = scratch_.new_name();
    File out(made, O_RDWR | O_CREAT | O_EXCL);
    if (out.fd() < 0) return errno;
    // File systems that can share blocks need no copy.
    const bool is_shared = ::ioctl(out.fd(), FICLONE, in.fd()) == 0;
    const int failed = is_shared ? hash(out) : copy(in, out);
    return failed != 0 ? failed : complete(out, made, mode, to);
  }

  // The kernel copies, at half the cost of passing bytes through here, and what is hashed is the
  // copy, piece by piece while it is in memory.
  [[nodiscard]] int copy(const File& in, const File& out) {
    for (;;) {
      const ssize_t n = ::copy_file_range(in.fd(), nullptr, out.fd(), nullptr, kPieceSize, 0);
      if (n <= 0) break;
      if (const int error = hash(out); error != 0) return error;
    }
    buffer_.resize(kBufferSize);
    for (;;) {
      const ssize_t n = ::read(in.fd(), buffer_.data(), buffer_.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      if (n == 0) return 0;
      const int error = append(out, {buffer_.data(), static_cast<std::size_t>(n)});
      if (error != 0) return error;
    }
  }

  // Takes in what has come to the file since the last time.
  [[nodiscard]] int hash(const File& out) {
    buffer_.resize(kBufferSize);
    for (;;) {
      const ssize_t n = ::pread(out.fd(), buffer_.data(), buffer_.size(), hashed_);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      if (n == 0) return 0;
      hasher_.add({buffer_.data(), static_cast<std::size_t>(n)});
      hashed_ += n;
    }
  }

  [[nodiscard]] int append(const File& out, std::string_view bytes) {
    hasher_.add(bytes);
    hashed_ += static_cast<std::int64_t>(bytes.size());
    while (!bytes.empty()) {
      const ssize_t n = ::write(out.fd(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return 0;
  }

  [[nodiscard]] int complete(File& out, const std::string& made, mode_t mode,
                             const std::string& to) {
    if (::fchmod(out.fd(), mode) != 0 || !out.close()) return errno;
    const Digest digest = std::exchange(hasher_, Hasher()).digest();
    // Nothing is saved by keeping nothing once, and files have no more than 65,000 links.
    const bool is_empty = std::exchange(hashed_, 0) == 0;
    if (!is_empty) link_to_blob(root_, made, digest, scratch_.new_name());
    return std::rename(made.c_str(), to.c_str()) == 0 ? 0 : errno;
  }

  const std::string& root_;
  ContentScratch& scratch_;
  std::vector<char> buffer_;
  Hasher hasher_;
  std::int64_t hashed_ = 0;
};

bool are_on_one_device(const std::string& a, const std::string& b) {
  struct stat of_a = {};
  struct stat of_b = {};
  return ::stat(a.c_str(), &of_a) == 0 && ::stat(b.c_str(), &of_b) == 0 &&
         of_a.st_dev == of_b.st_dev;
}

// Puts `made` in its place, and what was there into the scratch folder. An errno or 0.
int exchange(const std::string& root, const std::string& made, const std::string& place,
             ContentScratch& scratch) {
  constexpr int kTries = 5;  // somebody else may put or remove it in between
  for (int i = 0; i < kTries; ++i) {
    if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) == 0) {
      return 0;
    }
    if (errno == EXDEV) return errno;
    if (errno != ENOENT && std::rename(place.c_str(), scratch.new_name().c_str()) != 0) {
      release_tree(root, place);  // not every file system can exchange
    }
    if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) == 0) {
      return 0;
    }
    if (errno != EEXIST) break;
  }
  return std::rename(made.c_str(), place.c_str()) == 0 ? 0 : errno;
}

int move_to(const std::string& root, const std::string& made, const std::string& place,
            ContentScratch& scratch) {
  struct stat st = {};
  if (::lstat(made.c_str(), &st) != 0) return errno;
  // The owner of a folder moves it only if he may write to it.
  const bool is_read_only = S_ISDIR(st.st_mode) && (st.st_mode & S_IWUSR) == 0;
  if (is_read_only) ::chmod(made.c_str(), (st.st_mode & 07777U) | S_IWUSR);
  const int error = exchange(root, made, place, scratch);
  if (is_read_only && error == 0) ::chmod(place.c_str(), st.st_mode & 07777U);
  return error;
}

// Makes something in a scratch folder by `make`, and moves it to `place`; where that is another
// file system, or there is no such folder, `make_there` makes it there. `what` is for errors.
template <typename Make, typename MakeThere>
diag::Result<void> put(const std::string& root, const std::string& place, const std::string& what,
                       const Make& make, const MakeThere& make_there) {
  const std::string parent = parent_path(place);
  std::error_code error;
  fs::create_directories(parent, error);
  if (error) return cannot(what, error.value());
  ContentScratch scratch(root);
  if (!scratch.path().empty() && are_on_one_device(scratch.path(), parent)) {
    Making making(root, scratch);
    const std::string made = scratch.new_name();
    int failed = make(making, made);
    if (failed == 0) failed = move_to(root, made, place, scratch);
    if (failed == 0) return {};
    if (failed != EXDEV) return cannot(what, failed);
  }
  release_tree(root, place);
  return make_there();
}

}  // namespace

diag::Result<void> put_content(const std::string& root, const std::string& from,
                               const std::string& place) {
  return put(
      root, place, fmt::format("copy {} to {}", from, place),
      [&](Making& making, const std::string& to) { return making.tree(from, to); },
      [&] { return copy_content(from, place); });
}

diag::Result<void> put_content_text(const std::string& root, std::string_view text,
                                    const std::string& place) {
  return put(
      root, place, "write " + place,
      [&](Making& making, const std::string& to) { return making.text(text, to); },
      [&] { return write_file(place, text); });
}

diag::Result<void> remove_content(const std::string& root, const std::string& place) {
  struct stat st = {};
  if (::lstat(place.c_str(), &st) != 0) return {};
  ContentScratch scratch(root);
  if (!scratch.path().empty() && std::rename(place.c_str(), scratch.new_name().c_str()) == 0) {
    return {};
  }
  release_tree(root, place);
  std::error_code error;
  fs::remove_all(place, error);
  if (error) return diag::fail(diag::Code::kIo, error.message());
  return {};
}

diag::Result<void> copy_content(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::create_directories(parent_path(to), error);
  const auto options = fs::copy_options::recursive | fs::copy_options::copy_symlinks |
                       fs::copy_options::overwrite_existing;
  if (!error) fs::copy(from, to, options, error);
  if (!error) return {};
  return diag::fail(diag::Code::kIo, fmt::format("copy {} to {}: {}", from, to, error.message()));
}

void sweep_content(const std::string& root) {
  for (const std::string& path : content_scratches(root)) {
    const ContentScratch left = ContentScratch::take_over(root, path);
  }
}

}  // namespace tiphys::executor
