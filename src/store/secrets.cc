#include "store/secrets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

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

/// A lock on PATH.lock while it lives.
class Lock {
 public:
  Lock(const std::string& path, int how)
      : fd_(open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (fd_ >= 0) flock(fd_, how);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (fd_ >= 0) close(fd_);
  }

 private:
  int fd_;
};

diag::Result<Value> read_all(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return Value(Map{});
  if (fd < 0) return std::unexpected(failed("read", path));
  std::string text;
  char buffer[65536];
  ssize_t n = 0;
  while ((n = read(fd, buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<std::size_t>(n));
  close(fd);
  if (n < 0) return std::unexpected(failed("read", path));
  auto parsed = value::parse_json(text);
  // The reader's message may quote the file: it stays here.
  if (!parsed)
    return diag::fail(diag::Code::kIo, fmt::format("the secrets file '{}' is damaged", path));
  return parsed;
}

diag::Result<void> write_all(const std::string& path, const Value& all) {
  const std::string text = value::to_json(all);
  const std::string temporary = path + ".new";
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return std::unexpected(failed("write", path));
  const bool written =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  close(fd);
  if (!written || rename(temporary.c_str(), path.c_str()) != 0) {
    diag::Error error = failed("write", path);
    unlink(temporary.c_str());
    return std::unexpected(std::move(error));
  }
  return {};
}

std::string id_of(const std::string& name_space, const std::string& name) {
  return name_space + "/" + name;
}

diag::Result<void> change(const std::string& path,
                          const std::function<diag::Result<void>(Map&)>& edit) {
  const Lock lock(path, LOCK_EX);
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
  const Lock lock(path_, LOCK_SH);
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
  const Lock lock(path_, LOCK_SH);
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
