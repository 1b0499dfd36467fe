// Everything that a store holds, as the rows of tables that all stores on disk have in common: to
// move it from one to another, and to see that nothing was lost on the way.
//
// I/O; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "diag/error.h"

namespace tiphys::store {

/// A value of a row: a text or a number, as its column has it.
struct Cell {
  std::string text = {};
  std::int64_t number = 0;
};
using Row = std::vector<Cell>;

/// A table that all of them have, and how each of them reads and writes it. Its SQL has literals
/// only.
struct Table {
  const char* name;
  const char* columns;  // a letter each: t a text, n a number
  const char* read_sqlite;
  const char* write_sqlite;
  const char* declare_postgres;  // a cursor
  const char* fetch_postgres;
  const char* write_postgres;
};

/// A store while it is read or filled as a whole: in one transaction, during which nobody else
/// writes to it.
class Tables {
 public:
  Tables() = default;
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;
  virtual ~Tables() = default;
  /// All rows of a table, by its key. Errors: kIo, those of `visit`.
  [[nodiscard]] virtual diag::Result<void> read(
      const Table& table, const std::function<diag::Result<void>(const Row&)>& visit) = 0;
  [[nodiscard]] virtual diag::Result<void> write(const Table& table, const Row& row) = 0;
  /// Makes what was written last; without it nothing is. Errors: kIo.
  [[nodiscard]] virtual diag::Result<void> commit() = 0;
};

/// Opens the store at `where` (see store::open()), which is made or migrated as needed, and begins
/// the transaction. Errors: those of store::open().
[[nodiscard]] diag::Result<std::unique_ptr<Tables>> open_tables(const std::string& where);

/// What was moved of a table.
struct Moved {
  std::string table;
  std::uint64_t rows = 0;
  std::string digest;  // SHA-256 of all of its rows, in hexadecimal
};

/// Copies everything from one store to another, reads it again there, and commits when both have
/// the same rows with the same digest. Errors: kConflict when `to` holds something already, kIo,
/// kDamaged when a table came out otherwise; then nothing was written.
[[nodiscard]] diag::Result<std::vector<Moved>> move_store(Tables& from, Tables& to);

}  // namespace tiphys::store
