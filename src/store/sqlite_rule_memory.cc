#include "store/sqlite_rule_memory.h"

namespace tiphys::store {

namespace {

RuleMemoryRow row_of(const Query& q) {
  return {.rule = q.text(0),
          .key = q.text(1),
          .json = q.text(2),
          .due_at = {q.number(3)},
          .changed_at = {q.number(4)}};
}

}  // namespace

diag::Result<void> SqliteRuleMemory::write(const std::vector<RuleMemoryRow>& rows) {
  for (const RuleMemoryRow& r : rows) {
    if (r.json.empty()) {
      TRY(Query q, db_.query("DELETE FROM rule_memory WHERE rule = ? AND key = ?"));
      TRY_VOID(q.bind(r.rule).bind(r.key).run());
      continue;
    }
    TRY(Query q, db_.query("INSERT OR REPLACE INTO rule_memory VALUES (?,?,?,?,?)"));
    q.bind(r.rule).bind(r.key).bind(r.json);
    TRY_VOID(q.bind(r.due_at.ns).bind(r.changed_at.ns).run());
  }
  return {};
}

diag::Result<void> SqliteRuleMemory::remove_of(std::string_view rule) {
  TRY(Query q, db_.query("DELETE FROM rule_memory WHERE rule = ?"));
  return q.bind(rule).run();
}

diag::Result<std::optional<RuleMemoryRow>> SqliteRuleMemory::find(std::string_view rule,
                                                                  std::string_view key) {
  TRY(Query q, db_.query("SELECT rule, key, json, due_at, changed_at FROM rule_memory "
                         "WHERE rule = ? AND key = ?"));
  TRY(const bool found, q.bind(rule).bind(key).step());
  return found ? std::optional(row_of(q)) : std::nullopt;
}

diag::Result<std::vector<RuleMemoryRow>> SqliteRuleMemory::with_time() {
  TRY(Query q, db_.query("SELECT rule, key, json, due_at, changed_at FROM rule_memory "
                         "WHERE due_at > 0 ORDER BY due_at, rule, key"));
  std::vector<RuleMemoryRow> rows;
  for (;;) {
    TRY(const bool more, q.step());
    if (!more) return rows;
    rows.push_back(row_of(q));
  }
}

diag::Result<void> SqliteRuleMemory::remove_before(clock::Instant time) {
  TRY(Query q, db_.query("DELETE FROM rule_memory WHERE due_at = 0 AND changed_at < ?"));
  return q.bind(time.ns).run();
}

}  // namespace tiphys::store
