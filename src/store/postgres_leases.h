// Who owns which workflow in a PostgreSQL store (schema 2 in postgres_schema.cc).
//
// An engine has a row that it renews by a thread and a connection of its own, so that a long commit
// costs it nothing; a workflow's lease names an engine and an epoch. Time is the server's, but for
// one thing: how long this engine may believe in its own last renewal without asking, which it
// measures from before it sent that (CLOCK_BOOTTIME, which goes on while the machine sleeps).
// Used by one thread, besides its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lease/holdings.h"
#include "store/lease.h"
#include "store/postgres_session.h"
#include "store/store.h"

namespace tiphys::store {

// The statements; lease/register.h does the same in memory.
inline constexpr const char* kRenewEngine =
    "SELECT tiphys.renew($1::bigint, $2::text, $3::text, $4::bigint <> 0, "
    "$5::bigint * interval '1 ms')";
inline constexpr const char* kTakeLease =
    "INSERT INTO tiphys.leases AS l VALUES ($1, $2::bigint, 1, $3, $4) "
    "ON CONFLICT (uid) DO UPDATE SET engine = excluded.engine, epoch = l.epoch + 1 "
    "WHERE l.engine = excluded.engine OR "
    "tiphys.may_take(l.engine, excluded.place) RETURNING epoch, place, host";
inline constexpr const char* kLeasesElsewhere =
    "SELECT l.uid FROM tiphys.leases l JOIN tiphys.engines e ON e.id = l.engine "
    "WHERE e.id <> $1::bigint AND e.place <> $2 AND e.expires_at > clock_timestamp()";
inline constexpr const char* kCheckLeases =
    "SELECT tiphys.check_leases($1::bigint, $2::text[], $3::bigint[], $4, $5)";

class PgLeases {
 public:
  /// Borrows the session; `url` is for the connection that renews.
  PgLeases(PgSession& session, std::string url) : session_(session), url_(std::move(url)) {}
  PgLeases(const PgLeases&) = delete;
  PgLeases& operator=(const PgLeases&) = delete;
  ~PgLeases();

  // As Store has them.
  [[nodiscard]] diag::Result<void> join(const EngineIdentity& identity);
  [[nodiscard]] diag::Result<Lease> take(std::string_view uid);
  void release(std::string_view uid);
  [[nodiscard]] diag::Result<std::vector<std::string>> lost();
  [[nodiscard]] bool hold() const;
  [[nodiscard]] diag::Result<std::vector<std::string>> elsewhere();
  [[nodiscard]] diag::Result<Spread> spread();

  /// What a commit for these workflows has to begin with; nullopt when none has a lease here.
  /// Errors: kConflict, for one that was lost.
  [[nodiscard]] diag::Result<std::optional<PgCall>> fence(
      const std::set<std::string_view>& uids) const;
  /// A commit was refused: the next lost() asks.
  void doubt() { ++doubts_; }
  /// What makes a new workflow this engine's own; nullopt when it is none.
  [[nodiscard]] std::optional<PgCall> claim(std::string_view uid) const;
  void note_claimed(std::string_view uid) { holdings_.took(uid, 1); }

 private:
  [[nodiscard]] EngineIdentity identity() const;
  [[nodiscard]] diag::Result<void> renew(PgSession& session);
  void beat();

  PgSession& session_;
  std::string url_;
  std::int64_t engine_ = 0;
  lease::Holdings holdings_;
  std::atomic<std::int64_t> valid_until_ = 0;  // ns of CLOCK_BOOTTIME
  // Each time the lease had run out is a doubt: asked about, and then acted on by who asked.
  std::atomic<std::uint64_t> doubts_ = 0;
  std::uint64_t asked_ = 0;
  std::atomic<std::uint64_t> acted_ = 0;
  mutable std::mutex mutex_;  // guards the next two
  EngineIdentity identity_;
  bool is_stopping_ = false;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace tiphys::store
