#include "store/connection.h"

#include <fmt/format.h>

namespace tiphys::store {

namespace {
constexpr int kBusyMs = 10'000;  // another process commits in far less
}  // namespace

diag::Error last_error(sqlite3* database) {
  const int code = sqlite3_errcode(database);
  const char* path = sqlite3_db_filename(database, "main");
  const std::string file = path == nullptr ? "" : path;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {diag::Code::kIo, fmt::format("the disk is full: nothing was written to '{}'", file)};
    case SQLITE_READONLY:
      return {diag::Code::kIo, fmt::format("the store '{}' is read-only", file)};
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return {diag::Code::kIo, fmt::format("'{}' is not a tiphys store, or is damaged: {}; move it away or restore a "
                                           "copy",
                                           file, sqlite3_errmsg(database))};
    case SQLITE_BUSY:
      return {diag::Code::kIo, fmt::format("the store '{}' is locked by another process", file)};
    case SQLITE_CONSTRAINT:
      return {diag::Code::kAlreadyExists, sqlite3_errmsg(database)};
    default:
      return {diag::Code::kIo, fmt::format("store '{}': {}", file, sqlite3_errmsg(database))};
  }
}

Query::~Query() {
  if (statement_ != nullptr) reset();
}

Query& Query::bind(std::string_view text) {
  sqlite3_bind_text(statement_, next_++, text.data() == nullptr ? "" : text.data(), static_cast<int>(text.size()),
                    SQLITE_STATIC);
  return *this;
}

Query& Query::bind(std::int64_t number) {
  sqlite3_bind_int64(statement_, next_++, number);
  return *this;
}

diag::Result<bool> Query::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(last_error(sqlite3_db_handle(statement_)));
}

diag::Result<void> Query::run() {
  auto row = step();
  if (!row) return std::unexpected(row.error());
  reset();
  return {};
}

void Query::reset() {
  sqlite3_reset(statement_);
  next_ = 1;
}

std::string Query::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return data == nullptr ? "" : std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::int64_t Query::number(int column) const { return sqlite3_column_int64(statement_, column); }

diag::Result<std::unique_ptr<Connection>> Connection::open(const std::string& path) {
  sqlite3* database = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Connection> connection(new Connection(database));
  if (code != SQLITE_OK) {
    return diag::fail(diag::Code::kIo, fmt::format("cannot open the store '{}': {}", path, sqlite3_errmsg(database)));
  }
  sqlite3_busy_timeout(database, kBusyMs);
  return connection;
}

Connection::~Connection() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

diag::Result<Query> Connection::query(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr &&
      sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return std::unexpected(last_error(database_));
  }
  return Query(statement);
}

diag::Result<void> Connection::execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(last_error(database_));
}

}  // namespace tiphys::store
