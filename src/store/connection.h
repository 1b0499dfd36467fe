// A thin layer over sqlite3: statements that are prepared once, and errors as Results.
//
// It exists so that no call into SQLite goes unchecked. Used by one thread.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "diag/error.h"
#include "store/wal_room.h"

namespace tiphys::store {

/// A statement in use; it is reset when this goes.
class Query {
 public:
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
  Query(Query&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)),
        next_(other.next_),
        bind_code_(other.bind_code_) {}
  Query& operator=(Query&&) = delete;
  ~Query();

  /// Binds the next parameter; a failure is reported by step(). Texts must live until the last
  /// step().
  Query& bind(std::string_view text);
  Query& bind(std::int64_t number);
  /// Runs to the next row: true if there is one. Errors: kIo, kDamaged.
  [[nodiscard]] diag::Result<bool> step();
  /// Runs a statement that gives no rows.
  [[nodiscard]] diag::Result<void> run();
  /// Makes it ready for other values.
  void reset();
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t number(int column) const;

 private:
  sqlite3_stmt* statement_;
  int next_ = 1;
  int bind_code_ = SQLITE_OK;
};

class Connection {
 public:
  /// Opens or makes the file. Errors (kIo): the folder is missing, read-only, no permission.
  [[nodiscard]] static diag::Result<std::unique_ptr<Connection>> open(const std::string& path);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// A statement for `sql`, which must be a literal; prepared at its first use.
  [[nodiscard]] diag::Result<Query> query(const char* sql);
  /// Runs several statements without parameters.
  [[nodiscard]] diag::Result<void> execute(const char* sql);
  /// Switches the file to WAL and each commit to a sync. Errors: kIo.
  [[nodiscard]] diag::Result<void> use_wal();
  /// Runs `body` in a transaction: committed if it succeeds, rolled back if it does not.
  template <typename Body>
  [[nodiscard]] diag::Result<void> transaction(const Body& body) {
    TRY_VOID(run("BEGIN IMMEDIATE"));
    diag::Result<void> done = body();
    if (done && wal_room_) wal_room_->make();
    if (done) done = run("COMMIT");
    if (!done && sqlite3_get_autocommit(database_) == 0)
      sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    return done;
  }
  [[nodiscard]] sqlite3* handle() const { return database_; }

 private:
  explicit Connection(sqlite3* database) : database_(database) {}
  /// Runs a statement that is kept prepared.
  [[nodiscard]] diag::Result<void> run(const char* sql);

  sqlite3* database_;
  std::map<const char*, sqlite3_stmt*> statements_;
  std::optional<WalRoom> wal_room_;  // in WAL mode
};

/// What went wrong last, as one line that says what to do where that is known. kAlreadyExists when
/// a key is taken, else kIo.
[[nodiscard]] diag::Error last_error(sqlite3* database);

}  // namespace tiphys::store
