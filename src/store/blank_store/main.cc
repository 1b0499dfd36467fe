// blank_store OUTPUT: writes the file of an empty store of the newest version as rows of C++,
// `{OFFSET, "BYTES"},`, without what is zero, and its size in a first row. Run by the build: making
// the tables anew takes longer than a workflow of one step may (3.5 ms).
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "store/schema.h"

namespace {

constexpr sqlite3_int64 kRow = 32;  // bytes

// https://www.sqlite.org/fileformat2.html#the_database_header: 2 says WAL.
constexpr int kWriteVersion = 18;
constexpr int kReadVersion = 19;

std::string empty_store() {
  sqlite3* opened = nullptr;
  bool ok = sqlite3_open(":memory:", &opened) == SQLITE_OK;
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database(opened, &sqlite3_close);
  const auto execute = [&](const std::string& sql) {
    ok = ok && sqlite3_exec(opened, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  };
  for (const char* migration : tiphys::store::migrations()) execute(migration);
  execute(fmt::format("PRAGMA user_version = {}", tiphys::store::migrations().size()));
  execute("VACUUM");  // pages of tables that later migrations dropped
  if (!ok) {
    fmt::print(stderr, "blank_store: {}\n", sqlite3_errmsg(opened));
    return {};
  }
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> bytes(
      sqlite3_serialize(opened, "main", &size, 0), &sqlite3_free);
  if (!bytes) return {};
  bytes.get()[kWriteVersion] = 2;
  bytes.get()[kReadVersion] = 2;
  return {reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(size)};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string store = empty_store();
  if (argc != 2 || store.empty()) return 1;
  std::ofstream out(argv[1]);
  out << fmt::format("{{{}, \"\"sv}},\n", store.size());
  for (std::size_t at = 0; at < store.size(); at += kRow) {
    const std::string row = store.substr(at, kRow);
    if (std::ranges::all_of(row, [](char c) { return c == '\0'; })) continue;
    std::string text;
    for (const char c : row) {
      fmt::format_to(std::back_inserter(text), "\\{:03o}", static_cast<unsigned char>(c));
    }
    out << fmt::format("{{{}, \"{}\"sv}},\n", at, text);
  }
  return out.flush().good() ? 0 : 1;
}
