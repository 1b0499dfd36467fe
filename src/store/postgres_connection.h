// One connection to a PostgreSQL server: statements sent in pipeline mode, so that a transaction is
// one round trip, and errors as Results without passwords.
//
// Used by one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "diag/error.h"
#include "store/libpq.h"
#include "store/postgres_values.h"

namespace tiphys::store {

/// A statement, which must be a literal, with its parameters.
struct PgCall {
  const char* sql;
  PgParams params = {};
};

/// Why something failed, and what that means for whoever tried.
struct PgTrouble {
  diag::Error error;
  std::string state = {};  // SQLSTATE; empty when the server has said nothing
  bool is_lost = false;    // the connection: whether the transaction was committed is not known
};
template <typename T>
using PgResult = std::expected<T, PgTrouble>;

class PgConnection {
 public:
  /// Connects to `url`. Errors: what libpq says, kIo.
  [[nodiscard]] static PgResult<std::unique_ptr<PgConnection>> open(const std::string& url);
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;
  ~PgConnection();

  /// Runs statements without parameters, one transaction unless they say otherwise. Only before
  /// the first send().
  [[nodiscard]] PgResult<PgRows> execute(const char* sql);
  /// Sends the calls in one round trip; outside of BEGIN and COMMIT they are one transaction. Gives
  /// the rows of each.
  [[nodiscard]] PgResult<std::vector<PgRows>> send(const std::vector<PgCall>& calls);
  [[nodiscard]] bool is_lost() const { return is_lost_; }

 private:
  PgConnection(const Libpq& pq, PGconn* connection, const std::string& url);
  [[nodiscard]] bool put(const PgCall& call);
  [[nodiscard]] PgResult<std::vector<PgRows>> take_answers(std::size_t calls,
                                                           const std::vector<std::size_t>& sent);
  [[nodiscard]] PgTrouble trouble_of(const PGresult* result) const;
  [[nodiscard]] PgTrouble lost();

  const Libpq& pq_;
  PGconn* connection_;
  std::string shown_;
  std::vector<std::string> passwords_;
  std::map<const char*, std::string> prepared_;  // their names
  int named_ = 0;
  bool in_pipeline_mode_ = false;
  bool is_lost_ = false;
};

}  // namespace tiphys::store
