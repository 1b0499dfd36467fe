#include "store/transfer.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <string_view>
#include <utility>

#include "store/connection.h"
#include "store/open.h"
#include "store/postgres_address.h"
#include "store/postgres_connection.h"

namespace tiphys::store {

namespace {

// NAME, the columns, what SQLite reads from and orders by, and what it writes. PostgreSQL's tables
// have these columns in this order.
#define TIPHYS_TABLE(name, types, columns, from, order, write_sqlite, values)                 \
  {#name,                                                                                     \
   types,                                                                                     \
   "SELECT " columns " FROM " from " ORDER BY " order,                                        \
   write_sqlite,                                                                              \
   "DECLARE c_" #name " NO SCROLL CURSOR FOR SELECT * FROM tiphys." #name " ORDER BY " order, \
   "FETCH FORWARD 500 FROM c_" #name,                                                         \
   "INSERT INTO tiphys." #name " VALUES (" values ")"}
#define TIPHYS_ROWS_OF(table)                                     \
  "numbers u CROSS JOIN " table                                   \
  " r WHERE r.key BETWEEN u.number << 32 AND (u.number << 32) + " \
  "4294967295"

constexpr std::array<Table, 11> kTables = {{
    TIPHYS_TABLE(workflows, "ttttttnnnnttn", "*", "workflows", "uid",
                 "INSERT INTO workflows VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                 "$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13"),
    TIPHYS_TABLE(specs, "tt", "*", "specs", "uid", "INSERT INTO specs VALUES (?,?)", "$1,$2"),
    TIPHYS_TABLE(
        nodes, "tnt", "u.uid, r.key & 4294967295, r.record", TIPHYS_ROWS_OF("nodes"), "1, 2",
        "INSERT INTO nodes SELECT (number << 32) + ?2, ?3 FROM numbers WHERE uid = ?1", "$1,$2,$3"),
    TIPHYS_TABLE(events, "tnt", "u.uid, r.key & 4294967295, r.payload", TIPHYS_ROWS_OF("events"),
                 "1, 2",
                 "INSERT INTO events SELECT (number << 32) + ?2, ?3 FROM numbers WHERE uid = ?1",
                 "$1,$2,$3"),
    TIPHYS_TABLE(commands, "ntttn", "*", "commands", "id",
                 "INSERT INTO commands VALUES (?,?,?,?,?)", "$1,$2,$3,$4,$5"),
    TIPHYS_TABLE(objects, "ttttn", "*", "objects", "kind, name_space, name",
                 "INSERT INTO objects VALUES (?,?,?,?,?)", "$1,$2,$3,$4,$5"),
    TIPHYS_TABLE(object_versions, "tn", "*", "object_versions", "kind",
                 "INSERT INTO object_versions VALUES (?,?)", "$1,$2"),
    TIPHYS_TABLE(deliveries,
                 "nttttttttt"
                 "nnnnntt",
                 "*", "deliveries", "number",
                 "INSERT INTO deliveries VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                 "$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17"),
    TIPHYS_TABLE(delivery_payloads, "nt", "*", "delivery_payloads", "number",
                 "INSERT INTO delivery_payloads VALUES (?,?)", "$1,$2"),
    TIPHYS_TABLE(delivery_attempts, "nnnnntt", "*", "delivery_attempts", "number, attempt",
                 "INSERT INTO delivery_attempts VALUES (?,?,?,?,?,?,?)", "$1,$2,$3,$4,$5,$6,$7"),
    TIPHYS_TABLE(rule_memory, "tttnn", "*", "rule_memory", "rule, key",
                 "INSERT INTO rule_memory VALUES (?,?,?,?,?)", "$1,$2,$3,$4,$5"),
}};
#undef TIPHYS_TABLE
#undef TIPHYS_ROWS_OF

class SqliteTables final : public Tables {
 public:
  explicit SqliteTables(std::unique_ptr<Connection> c) : c_(std::move(c)) {}

  diag::Result<void> read(const Table& table,
                          const std::function<diag::Result<void>(const Row&)>& visit) override {
    const std::string_view types = table.columns;
    TRY(Query q, c_->query(table.read_sqlite));
    for (;;) {
      TRY(const bool more, q.step());
      if (!more) return {};
      Row row(types.size());
      for (std::size_t i = 0; i < types.size(); ++i) {
        const int column = static_cast<int>(i);
        if (types[i] == 'n') row[i].number = q.number(column);
        if (types[i] != 'n') row[i].text = q.text(column);
      }
      TRY_VOID(visit(row));
    }
  }

  diag::Result<void> write(const Table& table, const Row& row) override {
    const std::string_view types = table.columns;
    const std::string_view name = table.name;
    if ((name == "nodes" || name == "events") && row.front().text != numbered_) {
      numbered_ = row.front().text;
      TRY(Query number, c_->query("INSERT OR IGNORE INTO numbers (uid) VALUES (?)"));
      TRY_VOID(number.bind(numbered_).run());
    }
    TRY(Query q, c_->query(table.write_sqlite));
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (types[i] == 'n') q.bind(row[i].number);
      if (types[i] != 'n') q.bind(row[i].text);
    }
    return q.run();
  }

  diag::Result<void> commit() override { return c_->execute("COMMIT"); }

 private:
  std::unique_ptr<Connection> c_;
  std::string numbered_;  // the workflow that has its number for certain
};

class PostgresTables final : public Tables {
 public:
  explicit PostgresTables(std::unique_ptr<PgConnection> c) : c_(std::move(c)) {}

  diag::Result<void> read(const Table& table,
                          const std::function<diag::Result<void>(const Row&)>& visit) override {
    TRY_VOID(flush());
    TRY_VOID(send({{table.declare_postgres}}));
    const std::string_view types = table.columns;
    for (;;) {
      TRY(const auto results, send({{table.fetch_postgres}}));
      const PgRows& rows = results.front();
      for (int r = 0; r < rows.size(); ++r) {
        Row row(types.size());
        for (std::size_t i = 0; i < types.size(); ++i) {
          const int column = static_cast<int>(i);
          if (types[i] == 'n') row[i].number = rows.number(r, column);
          if (types[i] != 'n') row[i].text = rows.text(r, column);
        }
        TRY_VOID(visit(row));
      }
      if (rows.size() == 0) break;
    }
    TRY_VOID(send({{"CLOSE ALL"}}));
    return {};
  }

  diag::Result<void> write(const Table& table, const Row& row) override {
    const std::string_view types = table.columns;
    PgParams p;
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (types[i] == 'n') p.number(row[i].number);
      if (types[i] != 'n') p.text(row[i].text);
      bytes_ += row[i].text.size();
    }
    waiting_.push_back({table.write_postgres, std::move(p)});
    constexpr std::size_t kRowsAtOnce = 500;
    constexpr std::size_t kBytesAtOnce = 4'000'000;
    if (waiting_.size() < kRowsAtOnce && bytes_ < kBytesAtOnce) return {};
    return flush();
  }

  diag::Result<void> commit() override {
    TRY_VOID(flush());
    // What is made from now on has numbers behind those that came.
    TRY_VOID(send({{"SELECT setval(pg_get_serial_sequence('tiphys.commands', 'id'), "
                    "(SELECT coalesce(max(id), 0) + 1 FROM tiphys.commands), false)"},
                   {"SELECT setval(pg_get_serial_sequence('tiphys.deliveries', 'number'), "
                    "(SELECT coalesce(max(number), 0) + 1 FROM tiphys.deliveries), false)"},
                   {"COMMIT"}}));
    return {};
  }

  diag::Result<std::vector<PgRows>> send(const std::vector<PgCall>& calls) {
    auto rows = c_->send(calls);
    if (!rows) return std::unexpected(rows.error().error);
    return std::move(*rows);
  }

 private:
  diag::Result<void> flush() {
    if (waiting_.empty()) return {};
    bytes_ = 0;
    TRY_VOID(send(std::exchange(waiting_, {})));
    return {};
  }

  std::unique_ptr<PgConnection> c_;
  std::vector<PgCall> waiting_;
  std::size_t bytes_ = 0;
};

/// The digest of rows, whatever store they come from.
class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(const Row& row) {
    ++rows_;
    for (const Cell& cell : row) {
      add(fmt::format("{}:{}:", cell.number, cell.text.size()));
      add(cell.text);
    }
  }
  Moved end(const char* table) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int size = 0;
    CHECK(EVP_DigestFinal_ex(context_.get(), bytes.data(), &size) == 1);
    Moved out{.table = table, .rows = rows_, .digest = {}};
    for (unsigned int i = 0; i < size; ++i) out.digest += fmt::format("{:02x}", bytes.at(i));
    return out;
  }

 private:
  void add(std::string_view bytes) {
    CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
  std::uint64_t rows_ = 0;
};

diag::Result<void> expect_empty(Tables& to) {
  for (const Table& table : kTables) {
    if (table.name == std::string_view("object_versions")) continue;
    TRY_VOID(to.read(table, [&](const Row&) -> diag::Result<void> {
      return diag::fail(
          diag::Code::kConflict,
          fmt::format("the store that is to be filled is not empty: it has {}", table.name));
    }));
  }
  return {};
}

}  // namespace

diag::Result<std::unique_ptr<Tables>> open_tables(const std::string& where) {
  {
    TRY(const auto made, open(where));  // it has the newest tables from now on
  }
  if (!is_postgres_address(where)) {
    TRY(std::unique_ptr<Connection> c, Connection::open(where));
    TRY_VOID(c->execute("PRAGMA synchronous = FULL; BEGIN IMMEDIATE"));
    return std::unique_ptr<Tables>(new SqliteTables(std::move(c)));
  }
  auto c = PgConnection::open(where);
  if (!c) return std::unexpected(c.error().error);
  auto out = std::make_unique<PostgresTables>(std::move(*c));
  // Whoever writes notes it in `writers` (postgres_schema.cc).
  TRY_VOID(out->send({{"BEGIN ISOLATION LEVEL REPEATABLE READ"},
                      {"LOCK TABLE tiphys.writers IN EXCLUSIVE MODE"}}));
  return std::unique_ptr<Tables>(std::move(out));
}

diag::Result<std::vector<Moved>> move_store(Tables& from, Tables& to) {
  TRY_VOID(expect_empty(to));
  std::vector<Moved> moved;
  for (const Table& table : kTables) {
    Digest digest;
    TRY_VOID(from.read(table, [&](const Row& row) {
      digest.add(row);
      return to.write(table, row);
    }));
    moved.push_back(digest.end(table.name));
  }
  for (std::size_t i = 0; i < kTables.size(); ++i) {
    Digest digest;
    TRY_VOID(to.read(kTables.at(i), [&](const Row& row) -> diag::Result<void> {
      digest.add(row);
      return {};
    }));
    const Moved there = digest.end(moved[i].table.c_str());
    if (there.rows == moved[i].rows && there.digest == moved[i].digest) continue;
    return diag::fail(
        diag::Code::kDamaged,
        fmt::format("the table '{}' came out otherwise: {} rows with the digest {} "
                    "became {} with {}; nothing was written",
                    there.table, moved[i].rows, moved[i].digest, there.rows, there.digest));
  }
  TRY_VOID(to.commit());
  return moved;
}

}  // namespace tiphys::store
