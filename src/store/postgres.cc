#include "store/postgres.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "store/postgres_batch.h"
#include "store/postgres_deliveries.h"
#include "store/postgres_leases.h"
#include "store/postgres_session.h"

namespace tiphys::store {

namespace {

// A list reads neither specs nor statuses, which are the long texts.
#define TIPHYS_PG_COLUMNS                                                              \
  "SELECT w.uid, w.name_space, w.name, w.phase, w.message, w.progress, w.created_at, " \
  "w.started_at, w.finished_at, w.suspended, w.metadata_json, "
#define TIPHYS_PG_BRIEF TIPHYS_PG_COLUMNS "''::bytea, ''::bytea FROM tiphys.workflows w "
#define TIPHYS_PG_WHOLE                            \
  TIPHYS_PG_COLUMNS                                \
  "s.json, w.status_json FROM tiphys.workflows w " \
  "JOIN tiphys.specs s ON s.uid = w.uid "

WorkflowRow row_of(const PgRows& rows, int i) {
  return {.uid = rows.text(i, 0),
          .name_space = rows.text(i, 1),
          .name = rows.text(i, 2),
          .phase = rows.text(i, 3),
          .message = rows.text(i, 4),
          .progress = rows.text(i, 5),
          .created_at = {rows.number(i, 6)},
          .started_at = {rows.number(i, 7)},
          .finished_at = {rows.number(i, 8)},
          .suspended = rows.number(i, 9) != 0,
          .metadata_json = rows.text(i, 10),
          .spec_json = rows.text(i, 11),
          .status_json = rows.text(i, 12)};
}

std::vector<WorkflowRow> rows_of(const PgRows& rows) {
  std::vector<WorkflowRow> out;
  out.reserve(static_cast<std::size_t>(rows.size()));
  for (int i = 0; i < rows.size(); ++i) out.push_back(row_of(rows, i));
  return out;
}

std::vector<RuleMemoryRow> memories_of(const PgRows& rows) {
  std::vector<RuleMemoryRow> out;
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back({.rule = rows.text(i, 0),
                   .key = rows.text(i, 1),
                   .json = rows.text(i, 2),
                   .due_at = {rows.number(i, 3)},
                   .changed_at = {rows.number(i, 4)}});
  }
  return out;
}

std::set<std::string_view> workflows_in(const Batch& batch) {
  std::set<std::string_view> uids(batch.void_nodes_of.begin(), batch.void_nodes_of.end());
  for (const EventRow& row : batch.events) uids.insert(row.uid);
  for (const NodeRow& row : batch.nodes) uids.insert(row.uid);
  for (const WorkflowRow& row : batch.workflows) uids.insert(row.uid);
  for (const DeliveryRow& row : batch.deliveries) uids.insert(row.uid);
  return uids;
}

PgCall change_call(std::string_view kind) {
  return {
      "INSERT INTO tiphys.object_versions VALUES ($1, 1) ON CONFLICT (kind) DO UPDATE SET "
      "version = object_versions.version + 1",
      PgParams().text(kind)};
}

class PostgresStore final : public Store {
 public:
  PostgresStore(std::unique_ptr<PgSession> session, const std::string& url)
      : session_(std::move(session)), deliveries_(*session_), leases_(*session_, url) {}

  diag::Result<void> commit(const Batch& batch) override {
    std::vector<PgCall> calls = calls_of(batch);
    TRY(auto fence, leases_.fence(workflows_in(batch)));
    if (fence) calls.insert(calls.begin(), std::move(*fence));
    auto done = write(std::move(calls));
    if (!done && done.error().code == diag::Code::kConflict) leases_.doubt();
    return done;
  }

  diag::Result<void> create_workflow(const WorkflowRow& row, const EventRow& first) override {
    std::vector<PgCall> calls = creation_calls(row, first);
    auto claim = leases_.claim(row.uid);
    if (claim) calls.push_back(*claim);
    auto created = write(std::move(calls));
    if (created && claim) leases_.note_claimed(row.uid);
    if (!created && created.error().code == diag::Code::kAlreadyExists) {
      return diag::fail(diag::Code::kAlreadyExists,
                        fmt::format("workflow '{}' already exists", row.name));
    }
    return created;
  }

  diag::Result<WorkflowRow> find_workflow(std::string_view name_space,
                                          std::string_view name) override {
    TRY(const PgRows rows,
        session_->read(TIPHYS_PG_WHOLE "WHERE w.name = $1 AND ($2::text = '' OR w.name_space = $2) "
                                       "ORDER BY w.created_at DESC LIMIT 1",
                       PgParams().text(name).text(name_space)));
    if (rows.size() > 0) return row_of(rows, 0);
    return diag::fail(diag::Code::kNotFound, fmt::format("workflow '{}' not found", name));
  }

  diag::Result<std::vector<WorkflowRow>> list_workflows(std::string_view name_space,
                                                        bool brief) override {
#define TIPHYS_PG_TAIL "WHERE $1::text = '' OR w.name_space = $1 ORDER BY w.created_at DESC, w.name"
    TRY(const PgRows rows,
        session_->read(brief ? TIPHYS_PG_BRIEF TIPHYS_PG_TAIL : TIPHYS_PG_WHOLE TIPHYS_PG_TAIL,
                       PgParams().text(name_space)));
#undef TIPHYS_PG_TAIL
    return rows_of(rows);
  }

  diag::Result<std::vector<WorkflowRow>> unfinished_workflows() override {
    TRY(const PgRows rows,
        session_->read(TIPHYS_PG_BRIEF "WHERE w.finished_at = 0 ORDER BY w.created_at, w.name",
                       {}));
    return rows_of(rows);
  }

  diag::Result<std::vector<WorkflowRow>> created_since(clock::Instant time) override {
    TRY(const PgRows rows, session_->read(TIPHYS_PG_WHOLE "WHERE w.created_at >= $1 "
                                                          "ORDER BY w.created_at DESC, w.name",
                                          PgParams().number(time.ns)));
    return rows_of(rows);
  }

  diag::Result<std::vector<NodeRow>> load_nodes(std::string_view uid) override {
    TRY(const PgRows rows,
        session_->read(
            "SELECT node_index, record FROM tiphys.nodes WHERE uid = $1 ORDER BY node_index",
            PgParams().text(uid)));
    std::vector<NodeRow> out;
    for (int i = 0; i < rows.size(); ++i) {
      out.push_back({.uid = std::string(uid),
                     .index = static_cast<std::uint32_t>(rows.number(i, 0)),
                     .record = rows.text(i, 1)});
    }
    return out;
  }

  diag::Result<void> each_record_with(
      std::string_view text, std::string_view except,
      const std::function<void(const std::string& record)>& visit) override {
    TRY(const PgRows rows, session_->read("SELECT record FROM tiphys.nodes WHERE uid <> $1 "
                                          "AND position($2::bytea in record) > 0",
                                          PgParams().text(except).text(text)));
    for (int i = 0; i < rows.size(); ++i) visit(rows.text(i, 0));
    return {};
  }

  diag::Result<std::vector<EventRow>> load_events(std::string_view uid) override {
    TRY(const PgRows rows,
        session_->read(
            "SELECT sequence, payload FROM tiphys.events WHERE uid = $1 ORDER BY sequence",
            PgParams().text(uid)));
    std::vector<EventRow> out;
    for (int i = 0; i < rows.size(); ++i) {
      out.push_back({.uid = std::string(uid),
                     .sequence = static_cast<std::uint64_t>(rows.number(i, 0)),
                     .payload = rows.text(i, 1)});
    }
    return out;
  }

  diag::Result<std::uint64_t> shown_sequence(std::string_view uid) override {
    TRY(const PgRows rows,
        session_->read("SELECT shown_sequence FROM tiphys.workflows WHERE uid = $1",
                       PgParams().text(uid)));
    return rows.size() > 0 ? static_cast<std::uint64_t>(rows.number(0, 0)) : 0;
  }

  diag::Result<void> delete_workflow(std::string_view uid) override {
    bool is_found = false;
    TRY_VOID(session_->transaction([&](const PgSession::Ask& ask) -> PgResult<void> {
      if (auto done = PgDeliveries::remove_of(ask, uid); !done) return done;
      for (const char* sql :
           {"DELETE FROM tiphys.nodes WHERE uid = $1", "DELETE FROM tiphys.events WHERE uid = $1",
            "DELETE FROM tiphys.commands WHERE uid = $1", "DELETE FROM tiphys.specs WHERE uid = $1",
            "DELETE FROM tiphys.leases WHERE uid = $1",
            "DELETE FROM tiphys.workflows WHERE uid = $1"}) {
        auto gone = ask(sql, PgParams().text(uid));
        if (!gone) return std::unexpected(gone.error());
        is_found = gone->changed() > 0;
      }
      return {};
    }));
    if (is_found) return {};
    return diag::fail(diag::Code::kNotFound, fmt::format("workflow '{}' not found", uid));
  }

  diag::Result<std::vector<DeliveryRow>> load_deliveries(const DeliveryFilter& filter) override {
    return deliveries_.load(filter);
  }
  diag::Result<std::string> delivery_payload(std::string_view id) override {
    return deliveries_.payload(id);
  }
  diag::Result<std::vector<AttemptRow>> load_attempts(std::string_view id) override {
    return deliveries_.attempts(id);
  }
  diag::Result<DeliveryTotals> delivery_totals() override { return deliveries_.totals(); }
  diag::Result<std::size_t> prune_deliveries(const Retention& retention) override {
    return deliveries_.prune(retention);
  }

  diag::Result<std::optional<RuleMemoryRow>> find_rule_memory(std::string_view rule,
                                                              std::string_view key) override {
    TRY(const PgRows rows,
        session_->read("SELECT rule, key, json, due_at, changed_at FROM tiphys.rule_memory "
                       "WHERE rule = $1 AND key = $2",
                       PgParams().text(rule).text(key)));
    auto found = memories_of(rows);
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
  }
  diag::Result<std::vector<RuleMemoryRow>> timed_rule_memory() override {
    TRY(const PgRows rows,
        session_->read("SELECT rule, key, json, due_at, changed_at FROM tiphys.rule_memory "
                       "WHERE due_at > 0 ORDER BY due_at, rule, key",
                       {}));
    return memories_of(rows);
  }
  diag::Result<void> forget_rule_memory(clock::Instant time) override {
    return write({{"DELETE FROM tiphys.rule_memory WHERE due_at = 0 AND changed_at < $1::bigint",
                   PgParams().number(time.ns)}});
  }

  diag::Result<void> add_command(const CommandRow& c) override {
    PgParams p;
    p.text(c.uid).text(c.verb).text(c.arguments_json).number(c.created_at.ns);
    return write(
        {{"INSERT INTO tiphys.commands (uid, verb, arguments_json, created_at) "
          "VALUES ($1,$2,$3,$4::bigint)",
          std::move(p)}});
  }
  diag::Result<std::vector<CommandRow>> load_commands(std::string_view uid) override {
    TRY(const PgRows rows,
        session_->read("SELECT id, uid, verb, arguments_json, created_at FROM tiphys.commands "
                       "WHERE $1::text = '' OR uid = $1 ORDER BY id",
                       PgParams().text(uid)));
    std::vector<CommandRow> out;
    for (int i = 0; i < rows.size(); ++i) {
      out.push_back({.id = static_cast<std::uint64_t>(rows.number(i, 0)),
                     .uid = rows.text(i, 1),
                     .verb = rows.text(i, 2),
                     .arguments_json = rows.text(i, 3),
                     .created_at = {rows.number(i, 4)}});
    }
    return out;
  }

  // Whether an engine has died is a change, too: others take over what it had.
  diag::Result<std::uint64_t> data_version() override {
    TRY(const PgRows rows,
        session_->read("SELECT (SELECT sum(ticket) FROM tiphys.writers WHERE id <> $1::bigint)"
                       "::bigint, (SELECT count(*) FROM tiphys.engines "
                       "WHERE expires_at > clock_timestamp())",
                       PgParams().number(session_->writer() == 0 ? -1 : session_->writer())));
    return static_cast<std::uint64_t>(rows.number(0, 0)) * 1024U +
           static_cast<std::uint64_t>(rows.number(0, 1));
  }

  diag::Result<void> put_object(const ObjectRow& row) override {
    PgParams p;
    p.text(row.kind).text(row.name_space).text(row.name).text(row.json).number(row.created_at.ns);
    return write({{"INSERT INTO tiphys.objects VALUES ($1,$2,$3,$4,$5::bigint) "
                   "ON CONFLICT (kind, name_space, name) DO UPDATE SET json = excluded.json",
                   std::move(p)},
                  change_call(row.kind)});
  }
  diag::Result<ObjectRow> find_object(std::string_view kind, std::string_view name_space,
                                      std::string_view name) override {
    TRY(const PgRows rows, session_->read("SELECT json, created_at FROM tiphys.objects "
                                          "WHERE kind = $1 AND name_space = $2 AND name = $3",
                                          PgParams().text(kind).text(name_space).text(name)));
    if (rows.size() == 0)
      return diag::fail(diag::Code::kNotFound, fmt::format("{} '{}' not found", kind, name));
    return ObjectRow{.kind = std::string(kind),
                     .name_space = std::string(name_space),
                     .name = std::string(name),
                     .json = rows.text(0, 0),
                     .created_at = {rows.number(0, 1)}};
  }
  diag::Result<std::vector<ObjectRow>> list_objects(std::string_view kind,
                                                    std::string_view name_space) override {
    TRY(const PgRows rows,
        session_->read("SELECT kind, name_space, name, json, created_at FROM tiphys.objects "
                       "WHERE kind = $1 AND ($2::text = '' OR name_space = $2) "
                       "ORDER BY name_space, name",
                       PgParams().text(kind).text(name_space)));
    std::vector<ObjectRow> out;
    for (int i = 0; i < rows.size(); ++i) {
      out.push_back({.kind = rows.text(i, 0),
                     .name_space = rows.text(i, 1),
                     .name = rows.text(i, 2),
                     .json = rows.text(i, 3),
                     .created_at = {rows.number(i, 4)}});
    }
    return out;
  }
  diag::Result<void> delete_object(std::string_view kind, std::string_view name_space,
                                   std::string_view name) override {
    PgParams key;
    key.text(kind).text(name_space).text(name);
    std::vector<PgCall> calls = {
        {"DELETE FROM tiphys.objects WHERE kind = $1 AND name_space = $2 AND name = $3",
         std::move(key)},
        change_call(kind)};
    if (kind == "Notification") {
      calls.push_back({"DELETE FROM tiphys.rule_memory WHERE rule = $1",
                       PgParams().text(fmt::format("{}/{}", name_space, name))});
    }
    TRY(const PgSession::Written done, session_->write(std::move(calls)));
    if (done.is_found_out || done.rows.front().changed() > 0) return {};
    return diag::fail(diag::Code::kNotFound, fmt::format("{} '{}' not found", kind, name));
  }
  diag::Result<std::uint64_t> objects_version(std::string_view kind) override {
    TRY(const PgRows rows,
        session_->read("SELECT version FROM tiphys.object_versions WHERE kind = $1",
                       PgParams().text(kind)));
    return rows.size() > 0 ? static_cast<std::uint64_t>(rows.number(0, 0)) : 0;
  }

  [[nodiscard]] bool has_leases() const override { return true; }
  diag::Result<void> join(const EngineIdentity& identity) override {
    return leases_.join(identity);
  }
  diag::Result<Lease> take_lease(std::string_view uid) override { return leases_.take(uid); }
  void release_lease(std::string_view uid) override { leases_.release(uid); }
  diag::Result<std::vector<std::string>> lost_leases() override { return leases_.lost(); }
  bool leases_hold() const override { return leases_.hold(); }
  diag::Result<std::vector<std::string>> leased_elsewhere() override { return leases_.elsewhere(); }
  diag::Result<Spread> spread() override { return leases_.spread(); }
  diag::Result<void> enter_section() override { return session_->enter_section(); }
  void leave_section() override { session_->leave_section(); }

 private:
  diag::Result<void> write(std::vector<PgCall> calls) {
    TRY_VOID(session_->write(std::move(calls)));
    return {};
  }

  std::unique_ptr<PgSession> session_;
  PgDeliveries deliveries_;
  PgLeases leases_;
};

}  // namespace

diag::Result<std::unique_ptr<Store>> open_postgres(const std::string& url) {
  TRY(auto session, PgSession::open(url));
  return std::unique_ptr<Store>(new PostgresStore(std::move(session), url));
}

}  // namespace tiphys::store
