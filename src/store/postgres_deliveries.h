// The outbox in a PostgreSQL store: deliveries are read, counted and pruned here; postgres_batch.cc
// writes them.
//
// I/O; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/delivery.h"
#include "store/delivery_totals.h"
#include "store/postgres_session.h"

namespace tiphys::store {

class PgDeliveries {
 public:
  explicit PgDeliveries(PgSession& session) : session_(session) {}
  [[nodiscard]] diag::Result<std::vector<DeliveryRow>> load(const DeliveryFilter& filter);
  [[nodiscard]] diag::Result<std::string> payload(std::string_view id);
  [[nodiscard]] diag::Result<std::vector<AttemptRow>> attempts(std::string_view id);
  [[nodiscard]] diag::Result<DeliveryTotals> totals();
  [[nodiscard]] diag::Result<std::size_t> prune(const Retention& retention);
  /// Removes those of a workflow, in a transaction of the caller's.
  [[nodiscard]] static PgResult<void> remove_of(const PgSession::Ask& ask, std::string_view uid);

 private:
  PgSession& session_;
};

}  // namespace tiphys::store
