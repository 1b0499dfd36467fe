// The rules' memory of the SQLite store: see rule_memory.h.
//
// Borrows the connection. Used by one thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "store/connection.h"
#include "store/rule_memory.h"

namespace tiphys::store {

class SqliteRuleMemory {
 public:
  explicit SqliteRuleMemory(Connection& db) : db_(db) {}

  /// Within a transaction.
  [[nodiscard]] diag::Result<void> write(const std::vector<RuleMemoryRow>& rows);
  [[nodiscard]] diag::Result<void> remove_of(std::string_view rule);

  [[nodiscard]] diag::Result<std::optional<RuleMemoryRow>> find(std::string_view rule,
                                                                std::string_view key);
  /// Those with a time, the earliest first.
  [[nodiscard]] diag::Result<std::vector<RuleMemoryRow>> with_time();
  /// Removes those without a time that have not changed since.
  [[nodiscard]] diag::Result<void> remove_before(clock::Instant time);

 private:
  Connection& db_;
};

}  // namespace tiphys::store
