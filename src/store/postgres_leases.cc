#include "store/postgres_leases.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace tiphys::store {

namespace {

std::int64_t boot_time_ns() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

diag::Error taken_over(std::string_view uid) {
  return {.code = diag::Code::kConflict,
          .message = fmt::format("another engine has taken over the workflow {}", uid)};
}

}  // namespace

PgLeases::~PgLeases() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (engine_ == 0) return;
  // What is not over stays its own until the lease has run out: an engine of the same place may go
  // on with its processes. Work is given to others from now on.
  (void)session_.read(
      "UPDATE tiphys.engines SET takes_all = false WHERE id = $1::bigint "
      "AND EXISTS (SELECT FROM tiphys.leases WHERE engine = $1::bigint)",
      PgParams().number(engine_));
  (void)session_.read(
      "DELETE FROM tiphys.engines WHERE id = $1::bigint "
      "AND NOT EXISTS (SELECT FROM tiphys.leases WHERE engine = $1::bigint)",
      PgParams().number(engine_));
}

diag::Result<void> PgLeases::join(const EngineIdentity& identity) {
  {
    const std::lock_guard lock(mutex_);
    identity_ = identity;
  }
  if (engine_ != 0) {
    TRY_VOID(
        session_.read("UPDATE tiphys.engines SET takes_all = $2::bigint <> 0 WHERE id = $1::bigint",
                      PgParams().number(engine_).number(identity.takes_all ? 1 : 0)));
    return {};
  }
  const std::int64_t begun = boot_time_ns();
  PgParams p;
  p.text(identity.place).text(identity.host).number(identity.takes_all ? 1 : 0);
  p.number(identity.lease.ns / 1'000'000);
  TRY(const PgRows rows,
      session_.read("INSERT INTO tiphys.engines (place, host, takes_all, expires_at) "
                    "VALUES ($1, $2, $3::bigint <> 0, "
                    "clock_timestamp() + $4::bigint * interval '1 ms') RETURNING id",
                    std::move(p)));
  engine_ = rows.number(0, 0);
  valid_until_ = lease::valid_until(begun, identity.lease);
  thread_ = std::thread([this] { beat(); });
  return {};
}

EngineIdentity PgLeases::identity() const {
  const std::lock_guard lock(mutex_);
  return identity_;
}

// What had run out may have been taken by others: that is to be asked before anything is believed.
diag::Result<void> PgLeases::renew(PgSession& session) {
  const EngineIdentity me = identity();
  const std::int64_t begun = boot_time_ns();
  PgParams p;
  p.number(engine_).text(me.place).text(me.host);
  p.number(me.takes_all ? 1 : 0).number(me.lease.ns / 1'000'000);
  TRY(const PgRows rows, session.read(kRenewEngine, std::move(p)));
  if (rows.number(0, 0) == 0) ++doubts_;
  valid_until_ = lease::valid_until(begun, me.lease);
  return {};
}

void PgLeases::beat() {
  std::unique_ptr<PgSession> own;
  const auto pause = std::chrono::milliseconds(
      std::clamp<std::int64_t>(identity().lease.ns / 1'000'000 / 5, 50, 2000));
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, pause, [this] { return is_stopping_; })) {
    lock.unlock();
    if (own == nullptr) {
      if (auto opened = PgSession::open(url_)) own = std::move(*opened);
    }
    if (own != nullptr && !renew(*own)) own.reset();
    lock.lock();
  }
}

diag::Result<Lease> PgLeases::take(std::string_view uid) {
  if (engine_ == 0) {
    TRY_VOID(join({.place = fmt::format("nowhere-{}", boot_time_ns()), .host = "a command"}));
  }
  PgParams p;
  p.text(uid).number(engine_).text(identity_.place).text(identity_.host);
  TRY(const PgRows rows, session_.read(kTakeLease, std::move(p)));
  if (rows.size() == 0) {
    return diag::fail(diag::Code::kConflict, "another tiphys engine runs this workflow");
  }
  holdings_.took(uid, rows.number(0, 0));
  const bool is_elsewhere = rows.text(0, 1) != identity_.place;
  return Lease{.lost_host = is_elsewhere ? rows.text(0, 2) : ""};
}

void PgLeases::release(std::string_view uid) {
  if (!holdings_.release(uid)) return;
  (void)session_.read(
      "WITH gone AS (DELETE FROM tiphys.leases l WHERE uid = $1 AND engine = $2::bigint "
      "AND NOT EXISTS (SELECT FROM tiphys.workflows w WHERE w.uid = l.uid)) "
      "UPDATE tiphys.leases l SET engine = 0 WHERE uid = $1 AND engine = $2::bigint "
      "AND EXISTS (SELECT FROM tiphys.workflows w WHERE w.uid = l.uid AND w.finished_at <> 0)",
      PgParams().text(uid).number(engine_));
}

diag::Result<std::vector<std::string>> PgLeases::lost() {
  acted_ = asked_;
  if (engine_ == 0 || (asked_ == doubts_ && boot_time_ns() < valid_until_)) {
    return std::vector<std::string>();
  }
  TRY_VOID(renew(session_));
  const std::uint64_t doubts = doubts_;  // what the other thread sees from now on is asked again
  TRY(const PgRows rows,
      session_.read("SELECT uid, epoch FROM tiphys.leases WHERE engine = $1::bigint",
                    PgParams().number(engine_)));
  asked_ = doubts;
  lease::Epochs kept;
  for (int i = 0; i < rows.size(); ++i) kept.emplace(rows.text(i, 0), rows.number(i, 1));
  return holdings_.settle(kept);
}

bool PgLeases::hold() const {
  return valid_until_ == 0 || (acted_ == doubts_ && boot_time_ns() < valid_until_);
}

diag::Result<std::vector<std::string>> PgLeases::elsewhere() {
  TRY(const PgRows rows,
      session_.read(kLeasesElsewhere, PgParams().number(engine_).text(identity_.place)));
  std::vector<std::string> out;
  for (int i = 0; i < rows.size(); ++i) out.push_back(rows.text(i, 0));
  return out;
}

diag::Result<Spread> PgLeases::spread() {
  TRY(const PgRows rows, session_.read("SELECT count(*) FROM tiphys.engines "
                                       "WHERE takes_all AND expires_at > clock_timestamp()",
                                       {}));
  return Spread{.engines = static_cast<std::size_t>(rows.number(0, 0))};
}

diag::Result<std::optional<PgCall>> PgLeases::fence(const std::set<std::string_view>& uids) const {
  const lease::Proof proof = holdings_.prove(uids);
  if (proof.lost) return std::unexpected(taken_over(*proof.lost));
  if (proof.epochs.empty()) return std::nullopt;
  std::vector<std::string_view> owned;
  std::vector<std::int64_t> epochs;
  for (const auto& [uid, epoch] : proof.epochs) {
    owned.push_back(uid);
    epochs.push_back(epoch);
  }
  PgParams p;
  p.number(engine_).texts(owned).numbers(epochs).text(identity_.place).text(identity_.host);
  return PgCall{kCheckLeases, std::move(p)};
}

std::optional<PgCall> PgLeases::claim(std::string_view uid) const {
  if (engine_ == 0) return std::nullopt;
  PgParams p;
  p.text(uid).number(engine_).text(identity_.place).text(identity_.host);
  return PgCall{"INSERT INTO tiphys.leases VALUES ($1, $2::bigint, 1, $3, $4)", std::move(p)};
}

}  // namespace tiphys::store
