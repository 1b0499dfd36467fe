// The deliveries of the SQLite store: see delivery.h.
//
// Borrows the connection. Used by one thread.
#pragma once

#include <string_view>
#include <vector>

#include "store/connection.h"
#include "store/delivery.h"
#include "store/delivery_totals.h"

namespace tiphys::store {

class SqliteDeliveries {
 public:
  explicit SqliteDeliveries(Connection& db) : db_(db) {}

  /// Within a transaction.
  [[nodiscard]] diag::Result<void> write(const std::vector<DeliveryRow>& rows,
                                         const std::vector<AttemptRow>& attempts);
  [[nodiscard]] diag::Result<void> remove_of(std::string_view uid);

  /// Oldest first, without payloads.
  [[nodiscard]] diag::Result<std::vector<DeliveryRow>> load(const DeliveryFilter& filter);
  /// Errors: kNotFound.
  [[nodiscard]] diag::Result<std::string> payload(std::string_view id);
  [[nodiscard]] diag::Result<std::vector<AttemptRow>> attempts(std::string_view id);
  [[nodiscard]] diag::Result<DeliveryTotals> totals();
  /// Within a transaction.
  [[nodiscard]] diag::Result<std::size_t> prune(const Retention& retention);

 private:
  [[nodiscard]] diag::Result<DeliveryTotals> removed();
  [[nodiscard]] diag::Result<void> remove(const std::vector<DeliveryRow>& rows);
  [[nodiscard]] diag::Result<void> note_removed(const std::vector<DeliveryRow>& rows);

  Connection& db_;
};

}  // namespace tiphys::store
