#include "store/new_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>

#include "store/connection.h"
#include "store/schema.h"

namespace tiphys::store {

namespace {

diag::Result<void> write_schema(const std::string& path) {
  TRY(const auto connection, Connection::open(path));
  TRY_VOID(connection->execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN"));
  for (const char* migration : migrations()) TRY_VOID(connection->execute(migration));
  TRY_VOID(connection->execute(
      fmt::format("PRAGMA user_version = {}; COMMIT", migrations().size()).c_str()));
  return connection->execute("PRAGMA journal_mode = WAL");
}

bool sync(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool is_synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return is_synced;
}

}  // namespace

void make_new_store(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return;
  static std::atomic<int> count = 0;
  const std::string made = fmt::format("{}-new-{}-{}", path, ::getpid(), ++count);
  // An existing file is never replaced: another process may have been first.
  if (write_schema(made) && sync(made, O_RDWR) && ::link(made.c_str(), path.c_str()) == 0) {
    (void)sync(path.substr(0, path.rfind('/') + 1), O_RDONLY | O_DIRECTORY);
  }
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((made + suffix).c_str());
}

}  // namespace tiphys::store
