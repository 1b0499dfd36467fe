#include "store/postgres_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <thread>
#include <utility>

#include "store/postgres_address.h"
#include "store/postgres_schema.h"

namespace tiphys::store {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience(10);  // as the SQLite store waits for a lock
constexpr std::chrono::milliseconds kPause(50);
constexpr int kTriesMax = 20;  // of a transaction that others are in the way of

std::size_t digest_of(const std::vector<PgCall>& calls) {
  std::size_t out = calls.size();
  const auto add = [&out](std::size_t hash) {
    out ^= hash + 0x9e3779b97f4a7c15U + (out << 6U) + (out >> 2U);
  };
  for (const PgCall& call : calls) {
    add(std::hash<std::string_view>()(call.sql));
    for (const std::string& value : call.params.values()) add(std::hash<std::string>()(value));
  }
  return out;
}

bool is_in_the_way(const PgTrouble& trouble) {  // deadlock, serialization
  return trouble.state == "40P01" || trouble.state == "40001";
}

/// The version of the tables; 0 where there are none.
PgResult<std::int64_t> version_of(PgConnection& c) {
  auto rows = c.execute("SELECT max(version)::text FROM tiphys.migrations");
  if (rows) return rows->text(0, 0).empty() ? 0 : std::stoll(rows->text(0, 0));
  const std::string& state = rows.error().state;
  if (state == "42P01" || state == "3F000") return 0;  // no such table, no such schema
  return std::unexpected(rows.error());
}

// One engine at a time: whoever waited finds the work done.
PgResult<void> migrate(PgConnection& c) {
  const auto run = [&c](const std::string& sql) -> PgResult<void> {
    auto done = c.execute(sql.c_str());
    if (!done) return std::unexpected(done.error());
    return {};
  };
  const auto migrations = postgres_migrations();
  auto done =
      run("BEGIN; SET LOCAL lock_timeout = 60000; "
          "SELECT pg_advisory_xact_lock(x'74697068'::bigint); "
          "CREATE SCHEMA IF NOT EXISTS tiphys; "
          "CREATE TABLE IF NOT EXISTS tiphys.migrations (version bigint PRIMARY KEY, "
          "at timestamptz NOT NULL DEFAULT now())");
  auto version = done ? version_of(c) : PgResult<std::int64_t>(0);
  if (done && !version) done = std::unexpected(version.error());
  for (std::size_t v = done ? static_cast<std::size_t>(*version) : 0; done && v < migrations.size();
       ++v) {
    done = run(migrations[v]);
    if (done) done = run(fmt::format("INSERT INTO tiphys.migrations VALUES ({})", v + 1));
  }
  if (done) return run("COMMIT");
  (void)run("ROLLBACK");
  return done;
}

}  // namespace

diag::Result<std::unique_ptr<PgSession>> PgSession::open(const std::string& url) {
  std::unique_ptr<PgSession> out(new PgSession(url));
  TRY_VOID(out->connect());
  return out;
}

PgSession::~PgSession() {
  if (writer_ == 0 || connection_ == nullptr || connection_->is_lost() || unknown_) return;
  // Its tickets go on to count. Best effort: old rows go in time, too.
  (void)connection_->send(
      {{"SELECT set_config('synchronous_commit', 'off', true)"},
       {"WITH gone AS (DELETE FROM tiphys.writers WHERE id = $1::bigint RETURNING ticket) "
        "UPDATE tiphys.writers SET ticket = writers.ticket + gone.ticket FROM gone "
        "WHERE writers.id = 0",
        PgParams().number(writer_)}});
}

diag::Result<void> PgSession::connect() {
  auto connection = PgConnection::open(url_);
  if (!connection) return std::unexpected(connection.error().error);
  auto version = version_of(**connection);
  const auto newest = static_cast<std::int64_t>(postgres_migrations().size());
  if (version && *version < newest) {
    if (auto done = migrate(**connection); !done) return std::unexpected(done.error().error);
    version = version_of(**connection);
  }
  if (!version) return std::unexpected(version.error().error);
  if (*version > newest) {
    return diag::fail(
        diag::Code::kIo,
        fmt::format("the store '{}' has version {}, this tiphys knows versions up to {}: use the "
                    "newer tiphys that wrote it",
                    shown_address(url_), *version, newest));
  }
  connection_ = std::move(*connection);
  return {};
}

diag::Result<void> PgSession::connect_until(Time end) {
  if (connection_ != nullptr && !connection_->is_lost()) return {};
  if (is_in_section_) {
    return diag::fail(diag::Code::kIo,
                      fmt::format("the connection to the store '{}' is lost", shown_address(url_)));
  }
  for (;;) {
    auto done = connect();
    if (done || steady_clock::now() >= end) return done;
    std::this_thread::sleep_for(kPause);
  }
}

diag::Result<PgRows> PgSession::read(const char* sql, PgParams params) {
  const Time end = steady_clock::now() + kPatience;
  const std::vector<PgCall> calls = {{sql, std::move(params)}};
  for (;;) {
    TRY_VOID(connect_until(end));
    auto rows = connection_->send(calls);
    if (rows) return std::move(rows->front());
    if (!rows.error().is_lost || steady_clock::now() >= end) {
      return std::unexpected(rows.error().error);
    }
  }
}

// The row need not be on the disk before the first transaction is: one that is lost in a crash of
// the server has had no other after it.
PgResult<void> PgSession::sign_in() {
  if (writer_ != 0) return {};
  auto rows = connection_->send({{"SELECT set_config('synchronous_commit', 'off', true)"},
                                 {"INSERT INTO tiphys.writers DEFAULT VALUES RETURNING id"}});
  if (!rows) return std::unexpected(rows.error());
  writer_ = (*rows)[1].number(0, 0);
  ticket_ = 0;
  return {};
}

diag::Result<void> PgSession::enter_section() {
  TRY_VOID(
      read("SELECT set_config('idle_session_timeout', '5000', false), "
           "pg_advisory_lock(x'7469706a'::bigint)",
           {}));
  is_in_section_ = true;
  return {};
}

void PgSession::leave_section() {
  if (!std::exchange(is_in_section_, false) || connection_->is_lost()) return;
  (void)read(
      "SELECT pg_advisory_unlock(x'7469706a'::bigint), "
      "set_config('idle_session_timeout', '0', false)",
      {});
}

PgCall PgSession::ticket_call() const {
  return {"SELECT tiphys.note_write($1::bigint, $2::bigint)",
          PgParams().number(writer_).number(ticket_ + 1)};
}

PgResult<bool> PgSession::seal() {
  auto rows = connection_->send(
      {{"UPDATE tiphys.writers SET sealed = true WHERE id = $1::bigint RETURNING ticket",
        PgParams().number(writer_)}});
  if (!rows) return std::unexpected(rows.error());
  const PgRows& row = rows->front();
  const bool is_committed = row.size() == 1 && row.number(0, 0) == ticket_ + 1;
  writer_ = 0;
  return is_committed;
}

diag::Result<bool> PgSession::find_out(Time end) {
  for (;;) {
    TRY_VOID(connect_until(end));
    auto is_committed = seal();
    if (is_committed) {
      unknown_.reset();
      return *is_committed;
    }
    if (!is_committed.error().is_lost || steady_clock::now() >= end) {
      return std::unexpected(is_committed.error().error);
    }
  }
}

diag::Result<PgSession::Written> PgSession::write(std::vector<PgCall> calls) {
  const Time end = steady_clock::now() + kPatience;
  const std::size_t digest = digest_of(calls);
  calls.insert(calls.begin(), PgCall{""});  // the ticket's place
  for (int tries = 1;;) {
    if (unknown_) {
      const std::size_t before = unknown_->digest;
      TRY(const bool is_committed, find_out(end));
      if (is_committed && before == digest) return Written{.rows = {}, .is_found_out = true};
    }
    TRY_VOID(connect_until(end));
    if (auto signed_in = sign_in(); !signed_in) {
      if (signed_in.error().is_lost && steady_clock::now() < end) continue;
      return std::unexpected(signed_in.error().error);
    }
    calls.front() = ticket_call();
    auto rows = connection_->send(calls);
    if (rows) {
      ++ticket_;
      rows->erase(rows->begin());
      return Written{.rows = std::move(*rows)};
    }
    const PgTrouble& trouble = rows.error();
    if (trouble.is_lost) {
      unknown_ = Unknown{digest};
      if (steady_clock::now() >= end) return std::unexpected(trouble.error);
      continue;
    }
    const bool was_given_up = trouble.state == "TY002";  // its row has gone: nothing was written
    if (was_given_up) writer_ = 0;
    if ((!was_given_up && !is_in_the_way(trouble)) || ++tries > kTriesMax) {
      return std::unexpected(trouble.error);
    }
  }
}

PgResult<void> PgSession::interactive(const std::function<PgResult<void>(const Ask& ask)>& body,
                                      bool& is_committing) {
  const Ask ask = [this](const char* sql, PgParams params) -> PgResult<PgRows> {
    auto rows = connection_->send({{sql, std::move(params)}});
    if (!rows) return std::unexpected(rows.error());
    return std::move(rows->front());
  };
  if (auto signed_in = sign_in(); !signed_in) return signed_in;
  auto begun = connection_->send({{"BEGIN"}, ticket_call()});
  PgResult<void> done;
  if (!begun) done = std::unexpected(begun.error());
  if (done) done = body(ask);
  if (done) {
    is_committing = true;
    if (auto committed = ask("COMMIT", {}); !committed) done = std::unexpected(committed.error());
  }
  if (!done && !done.error().is_lost) (void)ask("ROLLBACK", {});
  return done;
}

diag::Result<void> PgSession::transaction(
    const std::function<PgResult<void>(const Ask& ask)>& body) {
  const Time end = steady_clock::now() + kPatience;
  for (int tries = 1;;) {
    if (unknown_) {
      TRY(const bool is_committed, find_out(end));
      if (is_committed && tries > 1) return {};
    }
    TRY_VOID(connect_until(end));
    bool is_committing = false;
    auto done = interactive(body, is_committing);
    if (done) {
      ++ticket_;
      return {};
    }
    const PgTrouble& trouble = done.error();
    if (trouble.state == "TY002") writer_ = 0;
    if (trouble.is_lost && is_committing) unknown_ = Unknown{0};
    if (trouble.is_lost && !is_committing) writer_ = 0;
    const bool is_again = trouble.is_lost ? steady_clock::now() < end
                                          : trouble.state == "TY002" || is_in_the_way(trouble);
    if (!is_again || ++tries > kTriesMax) return std::unexpected(trouble.error);
  }
}

}  // namespace tiphys::store
