#include "store/sqlite.h"

#include <fmt/format.h>

#include <limits>
#include <map>

#include "store/connection.h"
#include "store/new_store.h"
#include "store/schema.h"
#include "store/sqlite_deliveries.h"
#include "store/sqlite_rule_memory.h"

namespace tiphys::store {

namespace {

// A list reads neither specs nor statuses, which are the long texts.
#define TIPHYS_WORKFLOW_COLUMNS                                                 \
  "w.uid, w.name_space, w.name, w.phase, w.message, w.progress, w.created_at, " \
  "w.started_at, w.finished_at, w.suspended, w.metadata_json"
constexpr const char* kSelectBrief = "SELECT " TIPHYS_WORKFLOW_COLUMNS ", '', '' FROM workflows w ";
constexpr const char* kSelectWhole = "SELECT " TIPHYS_WORKFLOW_COLUMNS
                                     ", s.json, w.status_json "
                                     "FROM workflows w JOIN specs s ON s.uid = w.uid ";
#undef TIPHYS_WORKFLOW_COLUMNS

WorkflowRow row_of(const Query& q) {
  return {.uid = q.text(0),
          .name_space = q.text(1),
          .name = q.text(2),
          .phase = q.text(3),
          .message = q.text(4),
          .progress = q.text(5),
          .created_at = {q.number(6)},
          .started_at = {q.number(7)},
          .finished_at = {q.number(8)},
          .suspended = q.number(9) != 0,
          .metadata_json = q.text(10),
          .spec_json = q.text(11),
          .status_json = q.text(12)};
}

diag::Result<std::int64_t> number_of(Connection& c, const char* sql) {
  TRY(Query q, c.query(sql));
  TRY(const bool has_row, q.step());
  return has_row ? q.number(0) : 0;
}

/// The version of the file, if it is one that this program may use: 0 for a new one.
diag::Result<std::size_t> version_of(Connection& c, const std::string& path) {
  TRY(const std::int64_t version, number_of(c, "PRAGMA user_version"));
  TRY(const std::int64_t application, number_of(c, "PRAGMA application_id"));
  TRY(const std::int64_t tables, number_of(c, "SELECT count(*) FROM sqlite_schema"));
  const bool is_new = version == 0 && application == 0 && tables == 0;
  if (!is_new && application != kApplicationId && version != 1) {
    return diag::fail(
        diag::Code::kIo,
        fmt::format("'{}' is a database of another program, not a tiphys store", path));
  }
  const auto newest = static_cast<std::int64_t>(migrations().size());
  if (version > newest) {
    return diag::fail(
        diag::Code::kIo,
        fmt::format("the store '{}' has version {}, this tiphys knows versions up to {}: use the "
                    "newer tiphys that wrote it",
                    path, version, newest));
  }
  return static_cast<std::size_t>(version);
}

/// The same outside of a transaction: in one of its own, since another process may be making it.
diag::Result<std::size_t> version_seen(Connection& c, const std::string& path) {
  TRY_VOID(c.execute("BEGIN"));
  auto version = version_of(c, path);
  if (auto ended = c.execute("COMMIT"); version && !ended) return std::unexpected(ended.error());
  return version;
}

diag::Result<void> migrate(Connection& c, const std::string& path) {
  return c.transaction([&]() -> diag::Result<void> {
    TRY(const std::size_t version, version_of(c, path));  // another process may have been first
    for (std::size_t v = version; v < migrations().size(); ++v) {
      TRY_VOID(c.execute(migrations()[v]));
      TRY_VOID(c.execute(fmt::format("PRAGMA user_version = {}", v + 1).c_str()));
    }
    return {};
  });
}

/// The keys of a workflow's nodes or events: [first, last], by index or sequence.
struct Keys {
  explicit Keys(std::int64_t number)
      : first(number << 32), last(first | std::numeric_limits<std::uint32_t>::max()) {}
  std::int64_t first;
  std::int64_t last;
  static std::uint32_t index_of(std::int64_t key) { return static_cast<std::uint32_t>(key); }
};

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::unique_ptr<Connection> connection)
      : db_(std::move(connection)), deliveries_(*db_), rule_memory_(*db_) {}

  diag::Result<void> commit(const Batch& batch) override {
    return transaction([&]() -> diag::Result<void> {
      for (const std::string& uid : batch.void_nodes_of) TRY_VOID(remove_nodes(uid));
      TRY_VOID(write_events(batch.events));
      TRY_VOID(write_nodes(batch.nodes));
      for (const WorkflowRow& row : batch.workflows) TRY_VOID(update_workflow(row));
      TRY_VOID(deliveries_.write(batch.deliveries, batch.attempts));
      TRY_VOID(rule_memory_.write(batch.rule_memory));
      TRY(Query q, db_->query("DELETE FROM commands WHERE id = ?"));
      for (const std::uint64_t id : batch.done_commands)
        TRY_VOID(q.bind(static_cast<std::int64_t>(id)).run());
      return {};
    });
  }

  diag::Result<void> create_workflow(const WorkflowRow& row, const EventRow& first) override {
    auto created = transaction([&]() -> diag::Result<void> {
      TRY(Query q, db_->query("INSERT INTO workflows VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"));
      TRY_VOID(bind_row(q, row).run());
      TRY(Query spec, db_->query("INSERT INTO specs VALUES (?,?)"));
      TRY_VOID(spec.bind(row.uid).bind(row.spec_json).run());
      return write_events({first});
    });
    if (!created && created.error().code == diag::Code::kAlreadyExists) {
      return diag::fail(diag::Code::kAlreadyExists,
                        fmt::format("workflow '{}' already exists", row.name));
    }
    return created;
  }

  diag::Result<WorkflowRow> find_workflow(std::string_view name_space,
                                          std::string_view name) override {
    static const std::string kSql =
        std::string(kSelectWhole) +
        "WHERE w.name = ?1 AND (?2 = '' OR w.name_space = ?2) ORDER BY w.created_at DESC LIMIT 1";
    TRY(Query q, db_->query(kSql.c_str()));
    TRY(const bool found, q.bind(name).bind(name_space).step());
    if (found) return row_of(q);
    return diag::fail(diag::Code::kNotFound, fmt::format("workflow '{}' not found", name));
  }

  diag::Result<std::vector<WorkflowRow>> list_workflows(std::string_view name_space,
                                                        bool brief) override {
    static const std::string kTail =
        "WHERE ?1 = '' OR w.name_space = ?1 ORDER BY w.created_at DESC, w.name";
    static const std::string kBrief = kSelectBrief + kTail;
    static const std::string kWhole = kSelectWhole + kTail;
    TRY(Query q, db_->query(brief ? kBrief.c_str() : kWhole.c_str()));
    return all_rows(q.bind(name_space));
  }

  diag::Result<std::vector<WorkflowRow>> unfinished_workflows() override {
    static const std::string kSql =
        std::string(kSelectBrief) + "WHERE w.finished_at = 0 ORDER BY w.created_at, w.name";
    TRY(Query q, db_->query(kSql.c_str()));
    return all_rows(q);
  }

  diag::Result<std::vector<WorkflowRow>> created_since(clock::Instant time) override {
    static const std::string kSql =
        std::string(kSelectWhole) + "WHERE w.created_at >= ?1 ORDER BY w.created_at DESC, w.name";
    TRY(Query q, db_->query(kSql.c_str()));
    return all_rows(q.bind(time.ns));
  }

  diag::Result<std::vector<NodeRow>> load_nodes(std::string_view uid) override {
    TRY(Query q,
        rows_of(uid, "SELECT key, record FROM nodes WHERE key BETWEEN ? AND ? ORDER BY 1"));
    std::vector<NodeRow> rows;
    for (;;) {
      TRY(const bool more, q.step());
      if (!more) return rows;
      rows.push_back(
          {.uid = std::string(uid), .index = Keys::index_of(q.number(0)), .record = q.text(1)});
    }
  }

  diag::Result<void> each_record_with(
      std::string_view text, std::string_view except,
      const std::function<void(const std::string& record)>& visit) override {
    TRY(Query q,
        rows_of(except,
                "SELECT record FROM nodes WHERE key NOT BETWEEN ? AND ? AND instr(record, ?)"));
    q.bind(text);
    for (;;) {
      TRY(const bool more, q.step());
      if (!more) return {};
      visit(q.text(0));
    }
  }

  diag::Result<std::vector<EventRow>> load_events(std::string_view uid) override {
    TRY(Query q,
        rows_of(uid, "SELECT key, payload FROM events WHERE key BETWEEN ? AND ? ORDER BY 1"));
    std::vector<EventRow> rows;
    for (;;) {
      TRY(const bool more, q.step());
      if (!more) return rows;
      rows.push_back(
          {.uid = std::string(uid), .sequence = Keys::index_of(q.number(0)), .payload = q.text(1)});
    }
  }

  diag::Result<std::uint64_t> shown_sequence(std::string_view uid) override {
    TRY(Query q, db_->query("SELECT shown_sequence FROM workflows WHERE uid = ?"));
    TRY(const bool found, q.bind(uid).step());
    return found ? static_cast<std::uint64_t>(q.number(0)) : 0;
  }

  diag::Result<void> delete_workflow(std::string_view uid) override {
    return transaction([&]() -> diag::Result<void> {
      TRY_VOID(remove_nodes(uid));
      TRY(Query events, rows_of(uid, "DELETE FROM events WHERE key BETWEEN ? AND ?"));
      TRY_VOID(events.run());
      numbers_.erase(std::string(uid));
      TRY_VOID(deliveries_.remove_of(uid));
      for (const char* sql :
           {"DELETE FROM numbers WHERE uid = ?", "DELETE FROM commands WHERE uid = ?",
            "DELETE FROM specs WHERE uid = ?", "DELETE FROM workflows WHERE uid = ?"}) {
        TRY(Query q, db_->query(sql));
        TRY_VOID(q.bind(uid).run());
      }
      if (sqlite3_changes(db_->handle()) > 0) return {};
      return diag::fail(diag::Code::kNotFound, fmt::format("workflow '{}' not found", uid));
    });
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
    std::size_t count = 0;
    TRY_VOID(transaction([&]() -> diag::Result<void> {
      TRY(count, deliveries_.prune(retention));
      return {};
    }));
    return count;
  }

  diag::Result<std::optional<RuleMemoryRow>> find_rule_memory(std::string_view rule,
                                                              std::string_view key) override {
    return rule_memory_.find(rule, key);
  }
  diag::Result<std::vector<RuleMemoryRow>> timed_rule_memory() override {
    return rule_memory_.with_time();
  }
  diag::Result<void> forget_rule_memory(clock::Instant time) override {
    return rule_memory_.remove_before(time);
  }

  diag::Result<void> add_command(const CommandRow& command) override {
    TRY(Query q,
        db_->query(
            "INSERT INTO commands (uid, verb, arguments_json, created_at) VALUES (?,?,?,?)"));
    return q.bind(command.uid)
        .bind(command.verb)
        .bind(command.arguments_json)
        .bind(command.created_at.ns)
        .run();
  }

  diag::Result<std::vector<CommandRow>> load_commands(std::string_view uid) override {
    TRY(Query q, db_->query("SELECT id, uid, verb, arguments_json, created_at FROM commands WHERE "
                            "?1 = '' OR uid = ?1 "
                            "ORDER BY id"));
    q.bind(uid);
    std::vector<CommandRow> rows;
    for (;;) {
      TRY(const bool more, q.step());
      if (!more) return rows;
      rows.push_back({.id = static_cast<std::uint64_t>(q.number(0)),
                      .uid = q.text(1),
                      .verb = q.text(2),
                      .arguments_json = q.text(3),
                      .created_at = {q.number(4)}});
    }
  }

  diag::Result<std::uint64_t> data_version() override {
    TRY(const std::int64_t version, number_of(*db_, "PRAGMA data_version"));
    return static_cast<std::uint64_t>(version);
  }

  diag::Result<void> put_object(const ObjectRow& row) override {
    return transaction([&]() -> diag::Result<void> {
      TRY(Query q, db_->query("INSERT INTO objects VALUES (?,?,?,?,?) ON CONFLICT (kind, "
                              "name_space, name) DO UPDATE SET json = excluded.json"));
      q.bind(row.kind).bind(row.name_space).bind(row.name).bind(row.json);
      TRY_VOID(q.bind(row.created_at.ns).run());
      return note_change(row.kind);
    });
  }

  diag::Result<ObjectRow> find_object(std::string_view kind, std::string_view name_space,
                                      std::string_view name) override {
    TRY(Query q,
        db_->query(
            "SELECT json, created_at FROM objects WHERE kind = ? AND name_space = ? AND name = ?"));
    TRY(const bool found, q.bind(kind).bind(name_space).bind(name).step());
    if (!found)
      return diag::fail(diag::Code::kNotFound, fmt::format("{} '{}' not found", kind, name));
    return ObjectRow{.kind = std::string(kind),
                     .name_space = std::string(name_space),
                     .name = std::string(name),
                     .json = q.text(0),
                     .created_at = {q.number(1)}};
  }

  diag::Result<std::vector<ObjectRow>> list_objects(std::string_view kind,
                                                    std::string_view name_space) override {
    TRY(Query q, db_->query("SELECT kind, name_space, name, json, created_at FROM objects WHERE "
                            "kind = ?1 AND (?2 = '' "
                            "OR name_space = ?2) ORDER BY name_space, name"));
    q.bind(kind).bind(name_space);
    std::vector<ObjectRow> rows;
    for (;;) {
      TRY(const bool more, q.step());
      if (!more) return rows;
      rows.push_back({.kind = q.text(0),
                      .name_space = q.text(1),
                      .name = q.text(2),
                      .json = q.text(3),
                      .created_at = {q.number(4)}});
    }
  }

  diag::Result<void> delete_object(std::string_view kind, std::string_view name_space,
                                   std::string_view name) override {
    return transaction([&]() -> diag::Result<void> {
      TRY(Query q,
          db_->query("DELETE FROM objects WHERE kind = ? AND name_space = ? AND name = ?"));
      TRY_VOID(q.bind(kind).bind(name_space).bind(name).run());
      if (sqlite3_changes(db_->handle()) == 0) {
        return diag::fail(diag::Code::kNotFound, fmt::format("{} '{}' not found", kind, name));
      }
      if (kind == "Notification") {
        TRY_VOID(rule_memory_.remove_of(fmt::format("{}/{}", name_space, name)));
      }
      return note_change(kind);
    });
  }

  diag::Result<std::uint64_t> objects_version(std::string_view kind) override {
    TRY(Query q, db_->query("SELECT version FROM object_versions WHERE kind = ?"));
    TRY(const bool found, q.bind(kind).step());
    return found ? static_cast<std::uint64_t>(q.number(0)) : 0;
  }

 private:
  diag::Result<void> note_change(std::string_view kind) {
    TRY(Query q, db_->query("INSERT INTO object_versions VALUES (?, 1) ON CONFLICT (kind) DO "
                            "UPDATE SET version = version + 1"));
    return q.bind(kind).run();
  }

  static Query& bind_row(Query& q, const WorkflowRow& r) {
    q.bind(r.uid).bind(r.name_space).bind(r.name).bind(r.phase).bind(r.message).bind(r.progress);
    q.bind(r.created_at.ns).bind(r.started_at.ns).bind(r.finished_at.ns).bind(r.suspended ? 1 : 0);
    q.bind(r.metadata_json).bind(r.status_json);
    return q.bind(static_cast<std::int64_t>(r.shown_sequence));
  }

  static diag::Result<std::vector<WorkflowRow>> all_rows(Query& q) {
    std::vector<WorkflowRow> rows;
    for (;;) {
      TRY(const bool more, q.step());
      if (!more) return rows;
      rows.push_back(row_of(q));
    }
  }

  // Numbers that a transaction gave out and that was rolled back are not known.
  template <typename Body>
  diag::Result<void> transaction(const Body& body) {
    auto done = db_->transaction(body);
    if (!done) numbers_.clear();
    return done;
  }

  /// The number of a workflow in this file; 0 when it has none.
  diag::Result<std::int64_t> known_number(std::string_view uid) {
    if (auto it = numbers_.find(uid); it != numbers_.end()) return it->second;
    TRY(Query q, db_->query("SELECT number FROM numbers WHERE uid = ?"));
    TRY(const bool found, q.bind(uid).step());
    if (!found) return 0;
    return numbers_.emplace(uid, q.number(0)).first->second;
  }

  /// The same, within a transaction: a new workflow gets one.
  diag::Result<std::int64_t> number(const std::string& uid) {
    TRY(const std::int64_t known, known_number(uid));
    if (known != 0) return known;
    TRY(Query q, db_->query("INSERT INTO numbers (uid) VALUES (?)"));
    TRY_VOID(q.bind(uid).run());
    return numbers_.emplace(uid, sqlite3_last_insert_rowid(db_->handle())).first->second;
  }

  /// `sql`, its two parameters bound to the first and last key of a workflow's rows.
  diag::Result<Query> rows_of(std::string_view uid, const char* sql) {
    TRY(const std::int64_t n, known_number(uid));
    TRY(Query q, db_->query(sql));
    const Keys keys(n);
    q.bind(keys.first).bind(keys.last);
    return q;
  }

  diag::Result<void> write_events(const std::vector<EventRow>& events) {
    TRY(Query q, db_->query("INSERT OR REPLACE INTO events VALUES (?,?)"));
    for (const EventRow& e : events) {
      TRY(const std::int64_t n, number(e.uid));
      TRY_VOID(q.bind(Keys(n).first + static_cast<std::int64_t>(e.sequence)).bind(e.payload).run());
    }
    return {};
  }

  diag::Result<void> write_nodes(const std::vector<NodeRow>& nodes) {
    TRY(Query q, db_->query("INSERT OR REPLACE INTO nodes VALUES (?,?)"));
    for (const NodeRow& row : nodes) {
      TRY(const std::int64_t n, number(row.uid));
      TRY_VOID(q.bind(Keys(n).first + row.index).bind(row.record).run());
    }
    return {};
  }

  diag::Result<void> remove_nodes(std::string_view uid) {
    TRY(Query q, rows_of(uid, "DELETE FROM nodes WHERE key BETWEEN ? AND ?"));
    return q.run();
  }

  // Long texts that did not change are given empty and stay as they are.
  diag::Result<void> update_workflow(const WorkflowRow& r) {
    TRY(Query q,
        db_->query(
            "INSERT INTO workflows VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (uid) DO UPDATE "
            "SET "
            "phase = excluded.phase, message = excluded.message, progress = excluded.progress, "
            "started_at = excluded.started_at, finished_at = excluded.finished_at, "
            "suspended = excluded.suspended, status_json = excluded.status_json, "
            "shown_sequence = excluded.shown_sequence, "
            "metadata_json = iif(excluded.metadata_json = '', metadata_json, "
            "excluded.metadata_json)"));
    TRY_VOID(bind_row(q, r).run());
    TRY(Query spec, db_->query(r.spec_json.empty() ? "INSERT OR IGNORE INTO specs VALUES (?,?)"
                                                   : "INSERT OR REPLACE INTO specs VALUES (?,?)"));
    return spec.bind(r.uid).bind(r.spec_json).run();
  }

  std::unique_ptr<Connection> db_;
  SqliteDeliveries deliveries_;
  SqliteRuleMemory rule_memory_;
  std::map<std::string, std::int64_t, std::less<>> numbers_;  // by uid
};

}  // namespace

diag::Result<std::unique_ptr<Store>> open_sqlite(const std::string& path) {
  make_new_store(path);
  TRY(std::unique_ptr<Connection> c, Connection::open(path));
  TRY(const std::size_t version, version_seen(*c, path));  // before anything is written to the file
  TRY_VOID(c->use_wal());
  if (version != migrations().size()) TRY_VOID(migrate(*c, path));
  return std::unique_ptr<Store>(new SqliteStore(std::move(c)));
}

}  // namespace tiphys::store
