#include "store/postgres_deliveries.h"

#include <fmt/format.h>

namespace tiphys::store {

namespace {

#define TIPHYS_DELIVERY_COLUMNS                                                               \
  "SELECT id, uid, name_space, workflow, node, channel, kind, destination, state, attempts, " \
  "created_at, next_at, finished_at, status, reason, memory FROM tiphys.deliveries "

std::vector<DeliveryRow> rows_of(const PgRows& rows) {
  std::vector<DeliveryRow> out;
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back({.id = rows.text(i, 0),
                   .uid = rows.text(i, 1),
                   .name_space = rows.text(i, 2),
                   .workflow = rows.text(i, 3),
                   .node = rows.text(i, 4),
                   .channel = rows.text(i, 5),
                   .kind = rows.text(i, 6),
                   .destination = rows.text(i, 7),
                   .state = rows.text(i, 8),
                   .attempts = static_cast<std::uint32_t>(rows.number(i, 9)),
                   .created_at = {rows.number(i, 10)},
                   .next_at = {rows.number(i, 11)},
                   .finished_at = {rows.number(i, 12)},
                   .status = static_cast<int>(rows.number(i, 13)),
                   .reason = rows.text(i, 14),
                   .memory = rows.text(i, 15)});
  }
  return out;
}

constexpr const char* kSelectRemoved =
    "SELECT json FROM tiphys.objects WHERE kind = 'DeliveryTotals'";

diag::Result<DeliveryTotals> removed_of(const PgRows& rows) {
  if (rows.size() == 0) return DeliveryTotals{};
  return parse_totals(rows.text(0, 0));
}

// What rows that go have counted stays in an object of the store, whose kind nobody else has.
PgResult<void> remove(const PgSession::Ask& ask, const std::vector<DeliveryRow>& rows) {
  if (rows.empty()) return {};
  auto lock = ask("SELECT pg_advisory_xact_lock(x'74697069'::bigint)", {});
  if (!lock) return std::unexpected(lock.error());
  auto stored = ask(kSelectRemoved, {});
  if (!stored) return std::unexpected(stored.error());
  auto totals = removed_of(*stored);
  if (!totals) return std::unexpected(PgTrouble{.error = totals.error()});
  std::vector<std::string_view> ids;
  for (const DeliveryRow& row : rows) {
    ids.push_back(row.id);
    add(*totals, row);
  }
  auto kept =
      ask("INSERT INTO tiphys.objects VALUES ('DeliveryTotals', '', 'removed', $1, 0) "
          "ON CONFLICT (kind, name_space, name) DO UPDATE SET json = excluded.json",
          PgParams().text(to_json(*totals)));
  if (!kept) return std::unexpected(kept.error());
  auto gone =
      ask("DELETE FROM tiphys.deliveries WHERE id = ANY ($1::text[])", PgParams().texts(ids));
  if (!gone) return std::unexpected(gone.error());
  return {};
}

}  // namespace

diag::Result<std::vector<DeliveryRow>> PgDeliveries::load(const DeliveryFilter& filter) {
  PgParams p;
  p.text(filter.id).text(filter.uid).text(filter.name_space).text(filter.workflow);
  p.text(filter.channel).text(filter.state);
#define TIPHYS_DELIVERY_FILTER                                                   \
  "WHERE ($1::text = '' OR id = $1) AND ($2::text = '' OR uid = $2) "            \
  "AND ($3::text = '' OR name_space = $3) AND ($4::text = '' OR workflow = $4) " \
  "AND ($5::text = '' OR channel = $5) AND ($6::text = '' OR state = $6) "
  // Those that are to be sent, and those of one workflow, are found by their index.
  const char* sql = TIPHYS_DELIVERY_COLUMNS TIPHYS_DELIVERY_FILTER "ORDER BY number";
  if (filter.state == "pending") {
    sql = TIPHYS_DELIVERY_COLUMNS TIPHYS_DELIVERY_FILTER "AND state = 'pending' ORDER BY number";
  } else if (!filter.uid.empty()) {
    sql = TIPHYS_DELIVERY_COLUMNS TIPHYS_DELIVERY_FILTER "AND uid = $2 ORDER BY number";
  }
#undef TIPHYS_DELIVERY_FILTER
  TRY(const PgRows rows, session_.read(sql, std::move(p)));
  return rows_of(rows);
}

diag::Result<std::string> PgDeliveries::payload(std::string_view id) {
  TRY(const PgRows rows,
      session_.read("SELECT p.json FROM tiphys.delivery_payloads p "
                    "JOIN tiphys.deliveries d ON d.number = p.number WHERE d.id = $1",
                    PgParams().text(id)));
  if (rows.size() > 0) return rows.text(0, 0);
  return diag::fail(diag::Code::kNotFound, fmt::format("notification '{}' not found", id));
}

diag::Result<std::vector<AttemptRow>> PgDeliveries::attempts(std::string_view id) {
  TRY(const PgRows rows,
      session_.read("SELECT a.attempt, a.at, a.latency, a.status, a.answer, a.error "
                    "FROM tiphys.delivery_attempts a JOIN tiphys.deliveries d "
                    "ON d.number = a.number WHERE d.id = $1 ORDER BY a.attempt",
                    PgParams().text(id)));
  std::vector<AttemptRow> out;
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back({.delivery = std::string(id),
                   .number = static_cast<std::uint32_t>(rows.number(i, 0)),
                   .at = {rows.number(i, 1)},
                   .latency = {rows.number(i, 2)},
                   .status = static_cast<int>(rows.number(i, 3)),
                   .answer = rows.text(i, 4),
                   .error = rows.text(i, 5)});
  }
  return out;
}

diag::Result<DeliveryTotals> PgDeliveries::totals() {
  TRY(const PgRows stored, session_.read(kSelectRemoved, {}));
  TRY(DeliveryTotals totals, removed_of(stored));
  TRY(const std::vector<DeliveryRow> rows, load({}));
  for (const DeliveryRow& row : rows) add(totals, row);
  return totals;
}

diag::Result<std::size_t> PgDeliveries::prune(const Retention& retention) {
  std::size_t count = 0;
  TRY_VOID(session_.transaction([&](const PgSession::Ask& ask) -> PgResult<void> {
    // A few thousand at once; two engines that prune do not wait for each other.
    auto rows =
        ask(TIPHYS_DELIVERY_COLUMNS
            "WHERE state <> 'pending' AND finished_at <> 0 AND finished_at < "
            "CASE state WHEN 'dead' THEN $2::bigint ELSE $1::bigint END "
            "LIMIT 5000 FOR UPDATE SKIP LOCKED",
            PgParams().number(retention.delivered_before.ns).number(retention.dead_before.ns));
    if (!rows) return std::unexpected(rows.error());
    const std::vector<DeliveryRow> old = rows_of(*rows);
    count = old.size();
    return remove(ask, old);
  }));
  return count;
}

PgResult<void> PgDeliveries::remove_of(const PgSession::Ask& ask, std::string_view uid) {
  auto rows = ask(TIPHYS_DELIVERY_COLUMNS "WHERE uid = $1 FOR UPDATE", PgParams().text(uid));
  if (!rows) return std::unexpected(rows.error());
  std::vector<DeliveryRow> gone = rows_of(*rows);
  std::erase_if(gone, outlives_its_workflow);
  return remove(ask, gone);
}
#undef TIPHYS_DELIVERY_COLUMNS

}  // namespace tiphys::store
