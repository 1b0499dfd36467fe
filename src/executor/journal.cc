#include "executor/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

namespace tiphys::executor {
namespace {

constexpr std::size_t kHeaderSize = 8;
constexpr std::int64_t kSizeToForget = 1 << 20;

std::uint32_t fnv1a(std::string_view bytes) {
  std::uint32_t h = 2166136261U;
  for (const char c : bytes) h = (h ^ static_cast<std::uint8_t>(c)) * 16777619U;
  return h;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string read_all(const std::string& path) {
  std::string text;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return text;
}

}  // namespace

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

void Journal::add(std::string& out, Kind kind, std::string_view payload) {
  std::string record(1, static_cast<char>(kind));
  record.append(payload);
  const auto size = static_cast<std::uint32_t>(record.size());
  const std::uint32_t sum = fnv1a(record);
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  out.append(record);
}

Journal::Entries Journal::parse(std::string_view text) {
  Entries entries;
  while (text.size() > kHeaderSize) {
    std::uint32_t size = 0;
    std::uint32_t sum = 0;
    std::memcpy(&size, text.data(), sizeof size);
    std::memcpy(&sum, text.data() + sizeof size, sizeof sum);
    if (size == 0 || text.size() - kHeaderSize < size) break;
    const std::string_view record = text.substr(kHeaderSize, size);
    if (fnv1a(record) != sum) break;
    wire::Reader reader(record.substr(1));
    switch (static_cast<Kind>(record[0])) {
      case Kind::kStarted:
        entries.emplace(std::string(reader.text()), std::nullopt);
        break;
      case Kind::kEnded: {
        wire::Exit exit = wire::get_exit(reader);
        std::string key = exit.key;
        entries[std::move(key)] = std::move(exit);
        break;
      }
      case Kind::kAcknowledged:
        entries.erase(std::string(reader.text()));
        break;
    }
    text.remove_prefix(kHeaderSize + size);
  }
  return entries;
}

diag::Result<Journal::Entries> Journal::open(const std::string& path) {
  Entries entries = parse(read_all(path));
  const std::string fresh = path + ".new";
  fd_ = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) {
    return diag::fail(diag::Code::kIo, fmt::format("open '{}': {}", fresh, std::strerror(errno)));
  }
  for (const auto& [key, exit] : entries) exit ? ended(*exit) : started(key);
  if (!flush()) return diag::fail(diag::Code::kIo, fmt::format("write '{}' failed", fresh));
  sync();
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    return diag::fail(diag::Code::kIo, fmt::format("rename '{}': {}", fresh, std::strerror(errno)));
  }
  return entries;
}

void Journal::started(std::string_view key) {
  std::string payload;
  wire::Writer(payload).text(key);
  add(batch_, Kind::kStarted, payload);
}

void Journal::ended(const wire::Exit& exit) {
  std::string payload;
  wire::Writer writer(payload);
  wire::put_payload(writer, exit);
  add(batch_, Kind::kEnded, payload);
}

void Journal::acknowledged(std::string_view key) {
  std::string payload;
  wire::Writer(payload).text(key);
  add(batch_, Kind::kAcknowledged, payload);
}

bool Journal::flush() {
  if (batch_.empty()) return true;
  if (!write_all(fd_, batch_)) {
    // Half a record would hide all that come after it from the next supervisor.
    (void)!::ftruncate(fd_, size_);
    return false;
  }
  size_ += static_cast<std::int64_t>(batch_.size());
  batch_.clear();
  dirty_ = true;
  return true;
}

void Journal::sync() {
  if (dirty_) ::fdatasync(fd_);
  dirty_ = false;
}

void Journal::forget_all() {
  if (size_ < kSizeToForget) return;
  batch_.clear();
  if (::ftruncate(fd_, 0) == 0) size_ = 0;
}

}  // namespace tiphys::executor
