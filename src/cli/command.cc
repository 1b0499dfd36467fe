#include "cli/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "spec/labels.h"
#include "store/sqlite.h"
#include "value/json.h"

namespace tiphys::cli {

bool Session::color() const {
  return !no_color && std::getenv("NO_COLOR") == nullptr && isatty(STDOUT_FILENO) == 1;
}

diag::Result<Opened> open_state() {
  TRY(runtime::Config config, runtime::Config::from_environment());
  TRY(auto store, store::open_sqlite(config.store_path()));
  return Opened{.config = std::move(config), .store = std::move(store)};
}

void fail_with(Session& session, const std::string& text) {
  fmt::print(stderr, "Error: {}\n", text);
  session.exit_code = 1;
}

void fail_with(Session& session, const diag::Error& error) {
  if (!error.at.is_known()) {
    fail_with(session, error.message);
    return;
  }
  fail_with(session, fmt::format("{}:{}:{}: {}", error.at.file, error.at.line, error.at.column,
                                 error.message));
}

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      Session& session, const std::function<diag::Result<void>()>& body) {
  CLI::App* command = app.add_subcommand(name, description);
  command->fallthrough();
  command->callback([&session, body] {
    auto done = body();
    if (!done) fail_with(session, done.error());
  });
  return command;
}

clock::Instant now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

diag::Result<store::WorkflowRow> find_workflow(store::Store& store, const Session& session,
                                               const std::string& name) {
  if (name != "@latest") return store.find_workflow(session.name_space, name);
  TRY(const auto rows, store.list_workflows(session.name_space, true));
  if (rows.empty()) return diag::fail(diag::Code::kNotFound, "no workflows found");
  return store.find_workflow(rows.front().name_space, rows.front().name);
}

namespace {

bool matches_fields(const store::WorkflowRow& row, std::string_view fields) {
  while (!fields.empty()) {
    const std::size_t comma = fields.find(',');
    const std::string_view term = fields.substr(0, comma);
    fields = comma == std::string_view::npos ? "" : fields.substr(comma + 1);
    const std::size_t eq = term.find('=');
    if (eq == std::string_view::npos) continue;
    const bool is_not = eq > 0 && term[eq - 1] == '!';
    const std::string_view key = term.substr(0, is_not ? eq - 1 : eq);
    std::string_view wanted = term.substr(eq + 1);
    if (wanted.starts_with('=')) wanted.remove_prefix(1);
    const std::string_view have = key == "metadata.name"        ? std::string_view(row.name)
                                  : key == "metadata.namespace" ? std::string_view(row.name_space)
                                  : key == "status.phase"       ? std::string_view(row.phase)
                                                                : std::string_view();
    if ((have == wanted) == is_not) return false;
  }
  return true;
}

}  // namespace

diag::Result<std::vector<store::WorkflowRow>> select_workflows(store::Store& store,
                                                               const Session& session,
                                                               const std::string& labels,
                                                               const std::string& fields) {
  TRY(std::vector<store::WorkflowRow> rows, store.list_workflows(session.name_space, true));
  TRY(const auto selector, spec::Selector::parse(labels));
  std::erase_if(rows, [&](const store::WorkflowRow& row) {
    if (!matches_fields(row, fields)) return true;
    if (labels.empty()) return false;
    auto metadata = value::parse_json(row.metadata_json);
    return !metadata || !selector.matches(spec::labels_of((*metadata)["labels"]));
  });
  return rows;
}

}  // namespace tiphys::cli
