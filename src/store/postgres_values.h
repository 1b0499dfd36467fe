// Values in PostgreSQL's binary format: parameters of statements, and rows that came back.
//
// Everything goes binary, so that any bytes come back as they were and nothing is escaped. Pure,
// but for the library's memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/libpq.h"

namespace tiphys::store {

/// The parameters of one statement, in order. Columns are text, bytea or bigint.
class PgParams {
 public:
  /// For text and bytea.
  PgParams& text(std::string_view bytes);
  PgParams& number(std::int64_t n);
  /// One-dimensional arrays, for unnest().
  PgParams& texts(const std::vector<std::string_view>& all);
  PgParams& blobs(const std::vector<std::string_view>& all);
  PgParams& numbers(const std::vector<std::int64_t>& all);
  [[nodiscard]] const std::vector<std::string>& values() const { return values_; }

 private:
  PgParams& strings(const std::vector<std::string_view>& all, std::uint32_t type);
  std::vector<std::string> values_;
};

/// What a statement gave.
class PgRows {
 public:
  PgRows() = default;
  PgRows(const Libpq& pq, PGresult* result) : pq_(&pq), result_(result, pq.PQclear) {}
  [[nodiscard]] int size() const { return result_ == nullptr ? 0 : pq_->PQntuples(result_.get()); }
  [[nodiscard]] std::string text(int row, int column) const;
  /// Of a bigint, integer or boolean; 0 for NULL.
  [[nodiscard]] std::int64_t number(int row, int column) const;
  /// How many rows a statement that changes some has changed.
  [[nodiscard]] std::int64_t changed() const;

 private:
  const Libpq* pq_ = nullptr;
  std::shared_ptr<PGresult> result_;
};

}  // namespace tiphys::store
