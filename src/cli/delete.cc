#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "cli/commands.h"
#include "cli/selection.h"
#include "runtime/removal.h"
#include "runtime/submit.h"

namespace tiphys::cli {

namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(50);
constexpr clock::Duration kPatience = clock::Duration::seconds(60);

struct DeleteFlags {
  std::vector<std::string> names;
  SelectionFlags which;
  bool all = false;
  bool force = false;
  bool dry_run = false;
  int chunk_size = 0;
};

// A workflow that an engine runs is terminated first, as its steps would outlive it else. One that
// is over may have an engine still, which has something to tell of it, and goes on with that.
diag::Result<void> end(Opened& state, const store::WorkflowRow& row) {
  if (!runtime::is_owned(state.config, *state.store, row.uid)) return {};
  if (row.finished_at.is_set()) {
    TRY(const auto pending, state.store->load_deliveries({.uid = row.uid, .state = "pending"}));
    if (!pending.empty()) return {};
  }
  TRY_VOID(runtime::order_end(*state.store, row.uid, row.suspended, now()));
  runtime::poke_engines(state.config.home);
  const clock::Instant until = now() + kPatience;
  while (runtime::is_owned(state.config, *state.store, row.uid)) {
    if (now() > until) {
      return diag::fail(diag::Code::kConflict,
                        fmt::format("workflow '{}' was terminated, but has not ended in {} s: "
                                    "it is not deleted",
                                    row.name, kPatience.in_seconds()));
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return {};
}

diag::Result<void> remove(Opened& state, const store::WorkflowRow& row, bool is_forced) {
  TRY_VOID(end(state, row));
  auto now_row = state.store->find_workflow(row.name_space, row.name);
  const bool is_it = now_row && now_row->uid == row.uid;
  return runtime::remove_ended(*state.store, state.config, is_it ? *now_row : row, is_forced);
}

diag::Result<void> remove_all(const DeleteFlags& o, Session& session) {
  const bool is_filtered = o.which.is_given() || o.all || o.which.all_namespaces;
  if (o.names.empty() && !is_filtered) {
    return wrong_usage("requires either a workflow or other argument");
  }
  TRY(Opened state, open_state());
  std::vector<store::WorkflowRow> rows;
  if (is_filtered) {
    TRY(rows, select_workflows(*state.store, session, o.which));
  }
  for (const std::string& name : o.names) {
    auto row = find_workflow(*state.store, session, name);
    if (!row && row.error().code != diag::Code::kNotFound) return std::unexpected(row.error());
    if (row) {
      rows.push_back(std::move(*row));
    } else {
      print_text(fmt::format("Workflow '{}' not found\n", name));
    }
  }
  if (rows.empty() && o.names.empty()) print_text("No resources found\n");
  for (const store::WorkflowRow& row : rows) {
    if (!o.dry_run) TRY_VOID(remove(state, row, o.force));
    print_text(fmt::format("Workflow '{}' deleted{}\n", row.name, o.dry_run ? " (dry-run)" : ""));
  }
  return {};
}

}  // namespace

void add_delete(Command app, Session& session) {
  auto o = std::make_shared<DeleteFlags>();
  const Command command =
      add_command(app, "delete", "delete workflows; running ones are terminated", session,
                  [o, &session] { return remove_all(*o, session); });
  command.add_option("WORKFLOW", o->names, "names; @latest is the newest");
  command.add_flag("--all", o->all, "all workflows");
  command.add_flag("--dry-run", o->dry_run, "tell which, do nothing");
  command.add_flag("--force", o->force, "also when artifacts of it cannot be removed (artifactGC)");
  command.add_option("--query-chunk-size", o->chunk_size, "accepted; lists come in one piece");
  add_filters(command, o->which);
}

}  // namespace tiphys::cli
