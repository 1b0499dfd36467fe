// A session that outlives its connections: what is read is read again after a lost connection, and
// what is written is written once, also when the answer to a commit got lost.
//
// Why this needs more than trying again: the server may go on with a transaction whose client has
// gone. So each connection that writes is a numbered writer, and each transaction takes the next
// ticket of it (schema 1 in postgres_schema.cc). After a lost connection the writer is sealed, for
// which the server waits until a transaction of it that is under way has ended; the ticket then
// tells whether it was committed, and nothing of that writer can be any more. I/O; one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/postgres_connection.h"

namespace tiphys::store {

class PgSession {
 public:
  /// Connects and brings the tables to the newest version. Errors (kIo): no server, no right, a
  /// newer version.
  [[nodiscard]] static diag::Result<std::unique_ptr<PgSession>> open(const std::string& url);
  PgSession(const PgSession&) = delete;
  PgSession& operator=(const PgSession&) = delete;
  ~PgSession();

  /// Reads. Errors: kIo, after 10 s without a server.
  [[nodiscard]] diag::Result<PgRows> read(const char* sql, PgParams params);

  /// What became of a transaction. `rows` is empty when it was found out that it had been
  /// committed.
  struct Written {
    std::vector<PgRows> rows;
    bool is_found_out = false;
  };
  /// Commits the calls as one transaction in one round trip. Errors: kAlreadyExists, kConflict
  /// (another engine has taken over), kIo: nothing was written, or it is not known; the same calls
  /// may be given again, and are not written twice.
  [[nodiscard]] diag::Result<Written> write(std::vector<PgCall> calls);

  /// A transaction whose calls depend on each other: `body` makes them with the function that it is
  /// given, and is run again when the connection is lost before the commit.
  using Ask = std::function<PgResult<PgRows>(const char* sql, PgParams params)>;
  [[nodiscard]] diag::Result<void> transaction(
      const std::function<PgResult<void>(const Ask& ask)>& body);

  /// See Store. A session that stands still in the section is thrown out of it by the server.
  [[nodiscard]] diag::Result<void> enter_section();
  void leave_section();

  /// This session's number among those that write; 0 before its first write.
  [[nodiscard]] std::int64_t writer() const { return writer_; }

 private:
  explicit PgSession(std::string url) : url_(std::move(url)) {}
  using Time = std::chrono::steady_clock::time_point;
  struct Unknown {
    std::size_t digest;  // of the calls
  };
  /// Whether the last ticket was committed.
  [[nodiscard]] PgResult<bool> seal();
  [[nodiscard]] diag::Result<void> connect();
  [[nodiscard]] diag::Result<void> connect_until(Time end);
  [[nodiscard]] PgResult<void> sign_in();
  [[nodiscard]] PgCall ticket_call() const;
  /// Settles what became of the last transaction. True: it was committed.
  [[nodiscard]] diag::Result<bool> find_out(Time end);
  [[nodiscard]] PgResult<void> interactive(
      const std::function<PgResult<void>(const Ask& ask)>& body, bool& is_committing);

  std::string url_;
  std::unique_ptr<PgConnection> connection_;
  std::int64_t writer_ = 0;
  std::int64_t ticket_ = 0;
  std::optional<Unknown> unknown_;
  bool is_in_section_ = false;
};

}  // namespace tiphys::store
