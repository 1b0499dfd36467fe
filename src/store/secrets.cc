#include "store/secrets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

#include "store/base64.h"
#include "value/json.h"

namespace tiphys::store {

namespace {

using value::Map;
using value::Value;

diag::Error failed(const char* what, const std::string& path) {
  return {diag::Code::kIo,
          fmt::format("cannot {} the secrets file '{}': {}", what, path, std::strerror(errno))};
}

/// The right to change the file, held by one process and thread at a time while it lives.
class Lock {
 public:
  explicit Lock(const std::string& path)
      : fd_(open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    while (fd_ >= 0 && flock(fd_, LOCK_EX) != 0) {
      if (errno == EINTR) continue;
      close(std::exchange(fd_, -1));
    }
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] bool is_held() const { return fd_ >= 0; }

 private:
  int fd_;
};

diag::Result<Value> read_all(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return Value(Map{});
  if (fd < 0) return std::unexpected(failed("read", path));
  std::string text;
  std::array<char, 65536> buffer{};
  ssize_t n = 0;
  while ((n = read(fd, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  const bool is_read = n == 0;
  if (!is_read) {
    diag::Error error = failed("read", path);
    close(fd);
    return std::unexpected(std::move(error));
  }
  close(fd);
  auto parsed = value::parse_json(text);
  // The reader's message may quote the file: it stays here.
  if (!parsed || !parsed->is_map()) {
    return diag::fail(diag::Code::kIo, fmt::format("the secrets file '{}' is damaged", path));
  }
  return parsed;
}

bool write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// A rename is on disk once its folder is.
bool sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_synced = fsync(fd) == 0;
  close(fd);
  return is_synced;
}

diag::Result<void> write_all(const std::string& path, const Value& all) {
  const std::string temporary = path + ".new";
  unlink(temporary.c_str());  // what a crash left may have another mode
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return std::unexpected(failed("write", path));
  const bool is_written = write_whole(fd, value::to_json(all)) && fsync(fd) == 0;
  if (!is_written || rename(temporary.c_str(), path.c_str()) != 0) {
    diag::Error error = failed("write", path);
    close(fd);
    unlink(temporary.c_str());
    return std::unexpected(std::move(error));
  }
  close(fd);
  if (!sync_folder_of(path)) return std::unexpected(failed("write", path));
  return {};
}

std::string id_of(const std::string& name_space, const std::string& name) {
  return name_space + "/" + name;
}

diag::Result<void> change(const std::string& path,
                          const std::function<diag::Result<void>(Map&)>& edit) {
  const Lock lock(path);
  if (!lock.is_held()) return std::unexpected(failed("lock", path));
  TRY(const Value all, read_all(path));
  Map edited = all.map();
  TRY_VOID(edit(edited));
  return write_all(path, edited);
}

}  // namespace

diag::Result<void> Secrets::put(const std::string& name_space, const std::string& name,
                                const Values& values) const {
  Map encoded;
  for (const auto& [key, bytes] : values) encoded.set(key, encode_base64(bytes));
  return change(path_, [&](Map& all) -> diag::Result<void> {
    all.set(id_of(name_space, name), encoded);
    return {};
  });
}

diag::Result<std::string> Secrets::find(const std::string& name_space, const std::string& name,
                                        const std::string& key) const {
  TRY(const Value all, read_all(path_));
  const Value* secret = all.map().find(id_of(name_space, name));
  if (secret == nullptr)
    return diag::fail(diag::Code::kNotFound, fmt::format("secrets \"{}\" not found", name));
  const Value* text = secret->map().find(key);
  if (text == nullptr || !text->is_string()) {
    return diag::fail(diag::Code::kNotFound,
                      fmt::format("key '{}' does not exist for secret '{}'", key, name));
  }
  auto bytes = decode_base64(text->as_string());
  if (bytes) return std::move(*bytes);
  return diag::fail(diag::Code::kIo, fmt::format("the secrets file '{}' is damaged", path_));
}

diag::Result<std::vector<SecretInfo>> Secrets::list(const std::string& name_space) const {
  TRY(const Value all, read_all(path_));
  std::vector<SecretInfo> infos;
  for (const auto& [id, secret] : all.map().sorted()) {
    const std::size_t slash = id.find('/');
    SecretInfo info{.name_space = id.substr(0, slash), .name = id.substr(slash + 1), .keys = {}};
    if (!name_space.empty() && info.name_space != name_space) continue;
    for (const auto& [key, unused] : secret.map()) info.keys.push_back(key);
    infos.push_back(std::move(info));
  }
  return infos;
}

diag::Result<void> Secrets::remove(const std::string& name_space, const std::string& name) const {
  return change(path_, [&](Map& all) -> diag::Result<void> {
    if (all.erase(id_of(name_space, name))) return {};
    return diag::fail(diag::Code::kNotFound, fmt::format("secrets \"{}\" not found", name));
  });
}

}  // namespace tiphys::store
