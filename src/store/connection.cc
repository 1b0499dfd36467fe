#include "store/connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tiphys::store {

namespace {
constexpr int kBusyMs = 10'000;  // another process commits in far less
}  // namespace

diag::Error last_error(sqlite3* database) {
  const int extended = sqlite3_extended_errcode(database);
  const char* path = sqlite3_db_filename(database, "main");
  const std::string file = path == nullptr ? "" : path;
  const char* message = sqlite3_errmsg(database);
  if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY) {
    return {diag::Code::kAlreadyExists, message};
  }
  switch (extended & 0xff) {
    case SQLITE_FULL:
      return {diag::Code::kIo, fmt::format("the disk is full: nothing was written to '{}'", file)};
    case SQLITE_READONLY:
      return {diag::Code::kIo, fmt::format("the store '{}' is read-only", file)};
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return {diag::Code::kDamaged,
              fmt::format("'{}' is not a tiphys store, or is damaged: {}; move it away or restore "
                          "a copy",
                          file, message)};
    case SQLITE_BUSY:
      return {diag::Code::kIo, fmt::format("the store '{}' is locked by another process", file)};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: {
      const int number = sqlite3_system_errno(database);
      if (number == ENOSPC || number == EDQUOT) {
        return {diag::Code::kIo,
                fmt::format("the disk is full: nothing was written to '{}'", file)};
      }
      return {diag::Code::kIo,
              fmt::format("store '{}': {}{}{}", file, message, number == 0 ? "" : ": ",
                          number == 0 ? "" : std::strerror(number))};
    }
    default:
      return {diag::Code::kIo, fmt::format("store '{}': {}", file, message)};
  }
}

Query::~Query() {
  if (statement_ != nullptr) reset();
}

Query& Query::bind(std::string_view text) {
  const int code =
      sqlite3_bind_text64(statement_, next_++, text.data() == nullptr ? "" : text.data(),
                          text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (bind_code_ == SQLITE_OK) bind_code_ = code;
  return *this;
}

Query& Query::bind(std::int64_t number) {
  const int code = sqlite3_bind_int64(statement_, next_++, number);
  if (bind_code_ == SQLITE_OK) bind_code_ = code;
  return *this;
}

diag::Result<bool> Query::step() {
  if (bind_code_ != SQLITE_OK) {
    return diag::fail(diag::Code::kIo,
                      fmt::format("the store cannot keep this: {}", sqlite3_errstr(bind_code_)));
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(last_error(sqlite3_db_handle(statement_)));
}

diag::Result<void> Query::run() {
  TRY_VOID(step());
  reset();
  return {};
}

void Query::reset() {
  sqlite3_reset(statement_);
  next_ = 1;
  bind_code_ = SQLITE_OK;
}

std::string Query::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (data == nullptr) return "";
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::int64_t Query::number(int column) const { return sqlite3_column_int64(statement_, column); }

diag::Result<std::unique_ptr<Connection>> Connection::open(const std::string& path) {
  auto failed = [&](const char* why) {
    return diag::fail(diag::Code::kIo, fmt::format("cannot open the store '{}': {}", path, why));
  };
  // The file is made here to be its owner's alone; SQLite gives its -wal and -shm the same mode. An
  // existing one is not touched: closing it would drop the locks that this process holds on it.
  const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made >= 0) ::close(made);
  if (made < 0 && errno != EEXIST) return failed(std::strerror(errno));
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Connection> connection(new Connection(database));
  if (code != SQLITE_OK) {
    const int number = database == nullptr ? 0 : sqlite3_system_errno(database);
    return failed(number != 0 ? std::strerror(number) : sqlite3_errmsg(database));
  }
  // SQLite opens a file that it may not write for reading only, and says so when it writes.
  if (sqlite3_db_readonly(database, "main") == 1) {
    return diag::fail(diag::Code::kIo, fmt::format("the store '{}' is read-only", path));
  }
  sqlite3_busy_timeout(database, kBusyMs);
  return connection;
}

Connection::~Connection() {
  wal_room_.reset();
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

diag::Result<Query> Connection::query(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr && sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                                 &statement, nullptr) != SQLITE_OK) {
    return std::unexpected(last_error(database_));
  }
  return Query(statement);
}

diag::Result<void> Connection::execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(last_error(database_));
}

diag::Result<void> Connection::run(const char* sql) {
  TRY(Query q, query(sql));
  return q.run();
}

diag::Result<void> Connection::use_wal() {
  // SQLite does not wait by itself when two processes switch a new file at once.
  constexpr int kPauseMs = 5;
  for (int waited_ms = 0;; waited_ms += kPauseMs) {
    auto done = execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    const bool is_busy = (sqlite3_errcode(database_) & 0xff) == SQLITE_BUSY;
    if (done) wal_room_.emplace(database_);
    if (done || !is_busy || waited_ms >= kBusyMs) return done;
    sqlite3_sleep(kPauseMs);
  }
}

}  // namespace tiphys::store
