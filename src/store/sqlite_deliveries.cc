#include "store/sqlite_deliveries.h"

#include <fmt/format.h>

namespace tiphys::store {

namespace {

constexpr const char* kUpsert =
    "INSERT INTO deliveries (id, uid, name_space, workflow, node, channel, kind, destination, "
    "state, attempts, created_at, next_at, finished_at, status, reason, memory) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET "
    "state = excluded.state, attempts = excluded.attempts, next_at = excluded.next_at, "
    "kind = excluded.kind, destination = excluded.destination, "
    "finished_at = excluded.finished_at, status = excluded.status, reason = excluded.reason, "
    "memory = excluded.memory";

// Those that are to be sent are found by an index, however many have been: it wants to see the
// word.
#define TIPHYS_SELECT_DELIVERIES(of_state)                                                        \
  "SELECT id, uid, name_space, workflow, node, channel, kind, destination, state, attempts, "     \
  "created_at, next_at, finished_at, status, reason, memory FROM deliveries WHERE "               \
  "(?1 = '' OR id = ?1) AND (?2 = '' OR uid = ?2) AND (?3 = '' OR name_space = ?3) AND "          \
  "(?4 = '' OR workflow = ?4) AND (?5 = '' OR channel = ?5) AND (?6 = '' OR state = ?6)" of_state \
  " ORDER BY number"
constexpr const char* kSelect = TIPHYS_SELECT_DELIVERIES("");
constexpr const char* kSelectPending = TIPHYS_SELECT_DELIVERIES(" AND state = 'pending'");
#undef TIPHYS_SELECT_DELIVERIES

// A few thousand at once, so that nobody who writes has to wait for long; see is_outdated().
constexpr const char* kSelectOutdated =
    "SELECT id, uid, name_space, workflow, node, channel, kind, destination, state, attempts, "
    "created_at, next_at, finished_at, status, reason, memory FROM deliveries WHERE state <> "
    "'pending' AND finished_at <> 0 AND finished_at < CASE state WHEN 'dead' THEN ?2 ELSE ?1 END "
    "LIMIT 5000";

DeliveryRow row_of(const Query& q) {
  return {.id = q.text(0),
          .uid = q.text(1),
          .name_space = q.text(2),
          .workflow = q.text(3),
          .node = q.text(4),
          .channel = q.text(5),
          .kind = q.text(6),
          .destination = q.text(7),
          .state = q.text(8),
          .attempts = static_cast<std::uint32_t>(q.number(9)),
          .created_at = {q.number(10)},
          .next_at = {q.number(11)},
          .finished_at = {q.number(12)},
          .status = static_cast<int>(q.number(13)),
          .reason = q.text(14),
          .memory = q.text(15)};
}

}  // namespace

diag::Result<void> SqliteDeliveries::write(const std::vector<DeliveryRow>& rows,
                                           const std::vector<AttemptRow>& attempts) {
  for (const DeliveryRow& r : rows) {
    TRY(Query q, db_.query(kUpsert));
    q.bind(r.id).bind(r.uid).bind(r.name_space).bind(r.workflow).bind(r.node).bind(r.channel);
    q.bind(r.kind).bind(r.destination).bind(r.state).bind(std::int64_t{r.attempts});
    q.bind(r.created_at.ns).bind(r.next_at.ns).bind(r.finished_at.ns).bind(std::int64_t{r.status});
    TRY_VOID(q.bind(r.reason).bind(r.memory).run());
    if (r.payload.empty()) continue;
    TRY(Query p, db_.query("INSERT OR REPLACE INTO delivery_payloads "
                           "SELECT number, ?2 FROM deliveries WHERE id = ?1"));
    TRY_VOID(p.bind(r.id).bind(r.payload).run());
  }
  for (const AttemptRow& a : attempts) {
    TRY(Query q, db_.query("INSERT OR REPLACE INTO delivery_attempts "
                           "SELECT number, ?2, ?3, ?4, ?5, ?6, ?7 FROM deliveries WHERE id = ?1"));
    q.bind(a.delivery).bind(std::int64_t{a.number}).bind(a.at.ns).bind(a.latency.ns);
    TRY_VOID(q.bind(std::int64_t{a.status}).bind(a.answer).bind(a.error).run());
  }
  return {};
}

// What rows that have gone have counted is an object of the store, whose kind nobody else has.
diag::Result<DeliveryTotals> SqliteDeliveries::removed() {
  TRY(Query q, db_.query("SELECT json FROM objects WHERE kind = 'DeliveryTotals'"));
  TRY(const bool found, q.step());
  if (!found) return DeliveryTotals{};
  return parse_totals(q.text(0));
}

diag::Result<void> SqliteDeliveries::note_removed(const std::vector<DeliveryRow>& rows) {
  if (rows.empty()) return {};
  TRY(DeliveryTotals totals, removed());
  for (const DeliveryRow& row : rows) add(totals, row);
  TRY(Query q, db_.query("INSERT OR REPLACE INTO objects VALUES ('DeliveryTotals', '', 'removed', "
                         "?, 0)"));
  return q.bind(to_json(totals)).run();
}

diag::Result<DeliveryTotals> SqliteDeliveries::totals() {
  TRY(DeliveryTotals totals, removed());
  TRY(const std::vector<DeliveryRow> rows, load({}));
  for (const DeliveryRow& row : rows) add(totals, row);
  return totals;
}

diag::Result<std::size_t> SqliteDeliveries::prune(const Retention& retention) {
  std::vector<DeliveryRow> rows;
  {
    TRY(Query q, db_.query(kSelectOutdated));
    q.bind(retention.delivered_before.ns).bind(retention.dead_before.ns);
    for (;;) {
      TRY(const bool more, q.step());
      if (!more) break;
      rows.push_back(row_of(q));
    }
  }
  TRY_VOID(note_removed(rows));
  TRY_VOID(remove(rows));
  return rows.size();
}

diag::Result<void> SqliteDeliveries::remove_of(std::string_view uid) {
  TRY(std::vector<DeliveryRow> rows, load({.uid = std::string(uid)}));
  std::erase_if(rows, outlives_its_workflow);
  TRY_VOID(note_removed(rows));
  return remove(rows);
}

diag::Result<void> SqliteDeliveries::remove(const std::vector<DeliveryRow>& rows) {
  for (const DeliveryRow& row : rows) {
    for (const char* sql : {"DELETE FROM delivery_payloads WHERE number = "
                            "(SELECT number FROM deliveries WHERE id = ?)",
                            "DELETE FROM delivery_attempts WHERE number = "
                            "(SELECT number FROM deliveries WHERE id = ?)",
                            "DELETE FROM deliveries WHERE id = ?"}) {
      TRY(Query q, db_.query(sql));
      TRY_VOID(q.bind(row.id).run());
    }
  }
  return {};
}

diag::Result<std::vector<DeliveryRow>> SqliteDeliveries::load(const DeliveryFilter& filter) {
  TRY(Query q, db_.query(filter.state == "pending" ? kSelectPending : kSelect));
  q.bind(filter.id).bind(filter.uid).bind(filter.name_space).bind(filter.workflow);
  q.bind(filter.channel).bind(filter.state);
  std::vector<DeliveryRow> rows;
  for (;;) {
    TRY(const bool more, q.step());
    if (!more) return rows;
    rows.push_back(row_of(q));
  }
}

diag::Result<std::string> SqliteDeliveries::payload(std::string_view id) {
  TRY(Query q, db_.query("SELECT p.json FROM delivery_payloads p JOIN deliveries d "
                         "ON d.number = p.number WHERE d.id = ?"));
  TRY(const bool found, q.bind(id).step());
  if (found) return q.text(0);
  return diag::fail(diag::Code::kNotFound, fmt::format("notification '{}' not found", id));
}

diag::Result<std::vector<AttemptRow>> SqliteDeliveries::attempts(std::string_view id) {
  TRY(Query q, db_.query("SELECT a.attempt, a.at, a.latency, a.status, a.answer, a.error FROM "
                         "delivery_attempts a JOIN deliveries d ON d.number = a.number "
                         "WHERE d.id = ? ORDER BY a.attempt"));
  q.bind(id);
  std::vector<AttemptRow> rows;
  for (;;) {
    TRY(const bool more, q.step());
    if (!more) return rows;
    rows.push_back({.delivery = std::string(id),
                    .number = static_cast<std::uint32_t>(q.number(0)),
                    .at = {q.number(1)},
                    .latency = {q.number(2)},
                    .status = static_cast<int>(q.number(3)),
                    .answer = q.text(4),
                    .error = q.text(5)});
  }
}

}  // namespace tiphys::store
