#include "step/tar_files.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "step/files.h"

// Of libarchive, in an object that names every format there is, with XML and Unicode tables behind
// some of them: with one of our own the linker leaves all those out.
extern "C" void __archive_write_entry_filetype_unsupported(  // NOLINT(bugprone-reserved-identifier)
    archive* to, archive_entry* entry, const char* format) {
  archive_set_error(to, EINVAL, "%s: not a kind of file that %s has", archive_entry_pathname(entry),
                    format);
}

namespace tiphys::step {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = std::size_t{1} << 16U;

std::unexpected<diag::Error> archive_failed(const std::string& what, archive* of) {
  const char* const why = archive_error_string(of);
  return diag::fail(diag::Code::kIo, what + ": " + (why == nullptr ? "it is damaged" : why));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

struct FreeWrite {
  void operator()(archive* one) const { archive_write_free(one); }
};
struct FreeRead {
  void operator()(archive* one) const { archive_read_free(one); }
};
struct FreeEntry {
  void operator()(archive_entry* one) const { archive_entry_free(one); }
};

class Packer {
 public:
  explicit Packer(archive* to) : to_(to) {}

  // `path` under the name `as`; the first of all is followed if it is a link.
  diag::Result<void> add(const std::string& path, const std::string& as, bool is_followed) {
    struct stat info = {};
    const int done = is_followed ? ::stat(path.c_str(), &info) : ::lstat(path.c_str(), &info);
    if (done != 0) return failed("stat", path, errno);
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode) && !S_ISLNK(info.st_mode)) return {};
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_copy_stat(entry.get(), &info);
    archive_entry_set_nlink(entry.get(), 1);
    archive_entry_set_pathname(entry.get(), as.c_str());
    if (S_ISLNK(info.st_mode)) {
      std::error_code error;
      archive_entry_set_symlink(entry.get(), fs::read_symlink(path, error).c_str());
      if (error) return failed("readlink", path, error.value());
    }
    if (archive_write_header(to_, entry.get()) < ARCHIVE_WARN)
      return archive_failed("pack " + path, to_);
    if (S_ISREG(info.st_mode)) return add_bytes(path, info.st_size);
    return S_ISDIR(info.st_mode) ? add_below(path, as) : diag::Result<void>();
  }

 private:
  // Exactly as many as its header says, also of a file that grows.
  diag::Result<void> add_bytes(const std::string& path, std::int64_t left) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return failed("open", path, errno);
    while (left > 0) {
      const auto wanted = static_cast<std::size_t>(
          std::min<std::int64_t>(left, static_cast<std::int64_t>(buffer_.size())));
      const ssize_t n = ::read(file.get(), buffer_.data(), wanted);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("read", path, errno);
      if (n == 0) return diag::fail(diag::Code::kIo, path + " became shorter");
      if (archive_write_data(to_, buffer_.data(), static_cast<std::size_t>(n)) < 0) {
        return archive_failed("pack " + path, to_);
      }
      left -= n;
    }
    return {};
  }

  diag::Result<void> add_below(const std::string& path, const std::string& as) {
    TRY(const std::vector<std::string> names, names_in(path));
    for (const std::string& name : names) {
      TRY_VOID(add(path + "/" + name, as + "/" + name, false));
    }
    return {};
  }

  archive* to_;
  std::vector<char> buffer_ = std::vector<char>(kBlock);
};

bool looks_packed(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char bytes[262];
  const ssize_t n = ::read(file.get(), bytes, sizeof bytes);
  const std::string_view head(bytes, n < 0 ? 0 : static_cast<std::size_t>(n));
  return head.starts_with("\x1f\x8b") || (head.size() == sizeof bytes && head.ends_with("ustar"));
}

class Unpacker {
 public:
  Unpacker(archive* from, std::string folder) : from_(from), folder_(std::move(folder)) {}

  diag::Result<void> take(archive_entry* entry) {
    TRY(const std::string path, place_of(archive_entry_pathname(entry)));
    if (path.empty()) return {};  // the folder itself
    const auto mode = static_cast<mode_t>(archive_entry_perm(entry));
    if (archive_entry_filetype(entry) == AE_IFDIR) {
      if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return failed("mkdir", path, errno);
      ::chmod(path.c_str(), mode | 0777U);
      return {};
    }
    ::unlink(path.c_str());
    if (const char* const other = archive_entry_hardlink(entry); other != nullptr) {
      TRY(const std::string target, place_of(other));
      return ::link(target.c_str(), path.c_str()) == 0 ? diag::Result<void>()
                                                       : failed("link", path, errno);
    }
    if (archive_entry_filetype(entry) == AE_IFLNK) {
      const char* const target = archive_entry_symlink(entry);
      if (target != nullptr && ::symlink(target, path.c_str()) == 0) return {};
      return failed("symlink", path, errno);
    }
    if (archive_entry_filetype(entry) != AE_IFREG) return {};
    return take_bytes(path, mode);
  }

 private:
  // Where a name of the archive lies, the folders above it made; "" for the folder itself. Neither
  // `..` nor a link of the archive's own leads out of it. Errors: kIo.
  diag::Result<std::string> place_of(const char* name) {
    std::string path = folder_;
    std::string_view rest = name == nullptr ? "" : name;
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find('/'));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      if (word.empty() || word == ".") continue;
      if (word == "..") return diag::fail(diag::Code::kIo, "it holds a path with `..`");
      if (path.size() > folder_.size()) TRY_VOID(make_folder(path));
      path.append("/").append(word);
    }
    return path == folder_ ? "" : path;
  }

  static diag::Result<void> make_folder(const std::string& path) {
    struct stat info = {};
    if (::lstat(path.c_str(), &info) == 0) {
      if (S_ISDIR(info.st_mode)) return {};
      return diag::fail(diag::Code::kIo, path + " is no folder");
    }
    if (::mkdir(path.c_str(), 0777) != 0) return failed("mkdir", path, errno);
    ::chmod(path.c_str(), 0777);
    return {};
  }

  diag::Result<void> take_bytes(const std::string& path, mode_t mode) {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (file.get() < 0) return failed("open", path, errno);
    const int done = archive_read_data_into_fd(from_, file.get());
    if (done != ARCHIVE_OK) return archive_failed("unpack " + path, from_);
    ::fchmod(file.get(), mode | 0444U);
    return {};
  }

  archive* from_;
  std::string folder_;
};

}  // namespace

diag::Result<void> pack_tar(const std::string& path, const std::string& packed, int level) {
  const std::unique_ptr<archive, FreeWrite> to(archive_write_new());
  archive_write_set_format_gnutar(to.get());
  archive_write_add_filter_gzip(to.get());
  if (level > 0) {
    archive_write_set_filter_option(to.get(), "gzip", "compression-level",
                                    std::to_string(std::min(level, 9)).c_str());
  }
  if (archive_write_open_filename(to.get(), packed.c_str()) != ARCHIVE_OK) {
    return archive_failed("pack", to.get());
  }
  TRY_VOID(Packer(to.get()).add(path, path.substr(path.rfind('/') + 1), true));
  if (archive_write_close(to.get()) != ARCHIVE_OK) return archive_failed("pack " + path, to.get());
  return {};
}

diag::Result<bool> unpack_tar(const std::string& packed, const std::string& folder) {
  if (!looks_packed(packed)) return false;
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) return failed("mkdir", folder, errno);
  ::chmod(folder.c_str(), 0777);
  const std::unique_ptr<archive, FreeRead> from(archive_read_new());
  archive_read_support_format_tar(from.get());
  archive_read_support_filter_gzip(from.get());
  archive_read_set_options(from.get(), "hdrcharset=BINARY");
  if (archive_read_open_filename(from.get(), packed.c_str(), kBlock) != ARCHIVE_OK) {
    return archive_failed("not an archive", from.get());
  }
  Unpacker unpacker(from.get(), folder);
  archive_entry* entry = nullptr;
  for (;;) {
    const int next = archive_read_next_header(from.get(), &entry);
    if (next == ARCHIVE_EOF) return true;
    if (next < ARCHIVE_WARN) return archive_failed("not an archive", from.get());
    TRY_VOID(unpacker.take(entry));
  }
}

}  // namespace tiphys::step
