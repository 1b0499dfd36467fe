#include <fmt/format.h>

#include <filesystem>

#include "cli/commands.h"
#include "executor/content_check.h"
#include "store/open.h"
#include "store/postgres_address.h"
#include "store/transfer.h"
#include "view/table.h"

namespace tiphys::cli {

namespace {

struct MigrateFlags {
  std::string from;
  std::string to;
};

// `sqlite` is the file in the state folder, `postgres` what --store, TIPHYS_STORE or the file
// `store` names.
diag::Result<std::string> address_of(const std::string& word, const runtime::Config& config) {
  if (word == "sqlite") return config.home + "/tiphys.db";
  if (word != "postgres") return word;
  if (store::is_postgres_address(config.store)) return config.store;
  return wrong_usage(
      "'postgres' is what --store or TIPHYS_STORE names, which is no postgresql://...");
}

// Whoever has the store in his memory would go on to write to the one that is left.
diag::Result<void> expect_no_engine(const std::string& where, runtime::Config config) {
  if (!store::is_postgres_address(where)) {
    config.home = std::filesystem::absolute(where).parent_path().string();
  }
  TRY(auto store, store::open(where));
  if (!has_engine({.config = config, .store = std::move(store)})) return {};
  return diag::fail(diag::Code::kConflict,
                    fmt::format("an engine is running on '{}': stop it first",
                                store::shown_address_or_path(where)));
}

diag::Result<void> migrate(const MigrateFlags& o) {
  TRY(const runtime::Config config, runtime::Config::from_environment());
  TRY(const std::string from, address_of(o.from, config));
  TRY(const std::string to, address_of(o.to, config));
  if (from == to) return wrong_usage("--from and --to are the same store");
  if (!store::is_postgres_address(from) && !std::filesystem::exists(from)) {
    return diag::fail(diag::Code::kNotFound, fmt::format("there is no store '{}'", from));
  }
  for (const std::string& where : {from, to}) TRY_VOID(expect_no_engine(where, config));
  TRY(const auto source, store::open_tables(from));
  TRY(const auto target, store::open_tables(to));
  TRY(const auto moved, store::move_store(*source, *target));
  std::vector<std::vector<std::string>> rows = {{"TABLE", "ROWS", "SHA-256 OF BOTH"}};
  for (const store::Moved& m : moved) {
    rows.push_back({m.table, fmt::format("{}", m.rows), m.digest});
  }
  print_text(view::format_table(rows, 3));
  fmt::print("moved from '{}' to '{}'; the first is as it was\n",
             store::shown_address_or_path(from), store::shown_address_or_path(to));
  return {};
}

diag::Result<void> check() {
  TRY(const runtime::Config config, runtime::Config::from_environment());
  const auto report = executor::check_content(config.home + "/artifacts");
  for (const std::string& key : report.damaged) fmt::print("damaged: {}\n", key);
  fmt::print("contents: {}, bytes: {}, files: {}, removed without a file: {}\n", report.contents,
             report.bytes, report.files, report.abandoned);
  if (report.damaged.empty()) return {};
  return diag::fail(diag::Code::kIo,
                    fmt::format("{} of the files of artifacts hold other bytes than were stored: "
                                "restore them, or run again what made them",
                                report.damaged.size()));
}

}  // namespace

void add_store(Command app, Session& session) {
  const Command group = app.add_group("store", "move what is stored, check artifacts");
  auto o = std::make_shared<MigrateFlags>();
  const Command command = add_command(group, "migrate", "copy everything into an empty store",
                                      session, [o] { return migrate(*o); });
  constexpr const char* kWhat = "sqlite, postgres, the path of a file, or postgresql://...";
  command.add_option("--from", o->from, kWhat).required();
  command.add_option("--to", o->to, kWhat).required();
  add_command(group, "check", "compare the files of artifacts with their digests", session, check);
}

}  // namespace tiphys::cli
