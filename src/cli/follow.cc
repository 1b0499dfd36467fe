#include "cli/follow.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <set>
#include <thread>

#include "cli/commands.h"
#include "cli/live_view.h"
#include "cli/show.h"
#include "runtime/submit.h"

namespace tiphys::cli {

namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(100);

bool is_failure(const std::string& phase) { return phase == "Failed" || phase == "Error"; }

/// Looks at workflows in the store until all of them have ended.
class Follower {
 public:
  Follower(Opened& state, const std::vector<store::WorkflowRow>& rows, const Follow& follow,
           const view::GetOptions& view, Session& session)
      : state_(state),
        rows_(rows),
        follow_(follow),
        session_(session),
        live_({.show = show_of(follow), .view = view, .config = state.config},
              [this](const std::string& uid) { return object_of(uid); }) {}

  diag::Result<void> run() {
    std::optional<std::uint64_t> seen;
    while (ended_.size() < rows_.size() && std::ferror(stdout) == 0) {
      TRY(const std::uint64_t version, state_.store->data_version());
      if (!seen || *seen != version) TRY_VOID(look());
      seen = version;
      live_.tick();
      if (ended_.size() == rows_.size()) break;
      note_if_nobody_runs();
      std::this_thread::sleep_for(kBetweenLooks);
    }
    live_.finish();
    return show_end();
  }

 private:
  static LiveOptions::Show show_of(const Follow& follow) {
    if (follow.log) return LiveOptions::Show::kLogs;
    return follow.watch ? LiveOptions::Show::kNodes : LiveOptions::Show::kNothing;
  }

  value::Value object_of(const std::string& uid) {
    auto it = std::ranges::find(rows_, uid, &store::WorkflowRow::uid);
    if (it == rows_.end()) return {};
    auto workflow = runtime::load_workflow_object(*state_.store, *it);
    return workflow ? std::move(*workflow) : value::Value();
  }

  diag::Result<void> look() {
    for (store::WorkflowRow& row : rows_) {
      if (ended_.contains(row.uid)) continue;
      TRY(store::WorkflowRow latest, state_.store->find_workflow(row.name_space, row.name));
      if (latest.uid != row.uid) {
        return diag::fail(diag::Code::kNotFound,
                          fmt::format("workflow '{}' was deleted", row.name));
      }
      row = std::move(latest);
      live_.changed(row.uid);
      if (!row.finished_at.is_set()) continue;
      ended_.insert(row.uid);
      if (follow_.wait) TRY_VOID(tell_end(row));
    }
    return {};
  }

  diag::Result<void> tell_end(const store::WorkflowRow& row) {
    if (is_failure(row.phase)) session_.exit_code = 1;
    if (follow_.is_quiet || follow_.log) return {};
    TRY(const value::Value workflow, runtime::load_workflow_object(*state_.store, row));
    print_text(completion_line(workflow) + "\n");
    (void)std::fflush(stdout);
    return {};
  }

  diag::Result<void> show_end() {
    for (const store::WorkflowRow& row : rows_) {
      if (follow_.watch && !live_.shows_end()) {
        TRY_VOID(show_workflow(object_of(row.uid), "", session_));
      }
      if (follow_.wait && follow_.log && !follow_.is_quiet) {
        print_text(completion_line(object_of(row.uid)) + "\n");
      }
    }
    return {};
  }

  // A workflow that nobody runs could be waited for for ever: that is said, once.
  void note_if_nobody_runs() {
    if (has_noted_ || ++looks_ < 5) return;
    has_noted_ = true;
    for (const store::WorkflowRow& row : rows_) {
      const bool is_waiting =
          !ended_.contains(row.uid) && !runtime::is_owned(state_.config, *state_.store, row.uid);
      if (!is_waiting || has_engine(state_)) continue;
      live_.note(fmt::format("note: nothing is running '{}': start 'tiphys server'", row.name));
    }
  }

  Opened& state_;
  std::vector<store::WorkflowRow> rows_;
  Follow follow_;
  Session& session_;
  LiveView live_;
  std::set<std::string> ended_;
  int looks_ = 0;
  bool has_noted_ = false;
};

struct NameOptions {
  std::vector<std::string> names;
  bool ignore_not_found = false;
};

diag::Result<void> wait_for(const NameOptions& o, Session& session) {
  TRY(Opened state, open_state());
  std::vector<store::WorkflowRow> rows;
  for (const std::string& name : o.names) {
    auto row = find_workflow(*state.store, session, name);
    if (row) {
      rows.push_back(std::move(*row));
    } else if (!o.ignore_not_found || row.error().code != diag::Code::kNotFound) {
      return std::unexpected(row.error());
    }
  }
  return follow_workflows(state, rows, {.wait = true}, view_options(session), session);
}

struct WatchOptions {
  std::string name;
  std::string status;
  std::string node_field_selector;
};

diag::Result<void> watch(const WatchOptions& o, Session& session) {
  TRY(Opened state, open_state());
  TRY(const store::WorkflowRow row, find_workflow(*state.store, session, o.name));
  view::GetOptions view = view_options(session);
  view.status = o.status;
  view.node_field_selector = o.node_field_selector;
  return follow_workflows(state, {row}, {.watch = true}, view, session);
}

}  // namespace

void add_follow_flags(Command command, Follow& o) {
  command.add_flag("-w,--wait", o.wait, "wait for the end; exit 1 if it Failed");
  command.add_flag("--watch", o.watch, "show the workflow until it ends");
  command.add_flag("--log", o.log, "print the logs until it ends");
}

diag::Result<void> check_follow(const Follow& follow, std::size_t workflows) {
  if (follow.watch && workflows > 1) return wrong_usage("cannot watch more than one workflow");
  if (follow.watch && follow.wait) return wrong_usage("--wait cannot be combined with --watch");
  return {};
}

diag::Result<void> follow_workflows(Opened& state, const std::vector<store::WorkflowRow>& rows,
                                    const Follow& follow, const view::GetOptions& view,
                                    Session& session) {
  (void)std::fflush(stdout);
  if (!follow.is_wanted()) return {};
  return Follower(state, rows, follow, view, session).run();
}

diag::Result<void> until_commands_are_taken(store::Store& store, const std::string& uid) {
  for (;;) {
    TRY(const auto commands, store.load_commands(uid));
    if (commands.empty()) return {};
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

void add_wait(Command app, Session& session) {
  auto o = std::make_shared<NameOptions>();
  const Command command = add_command(app, "wait", "wait for workflows to end", session,
                                      [o, &session] { return wait_for(*o, session); });
  command.add_option("WORKFLOW", o->names, "names; @latest is the newest");
  command.add_flag("--ignore-not-found", o->ignore_not_found,
                   "a workflow that does not exist is no error");
}

void add_watch(Command app, Session& session) {
  auto o = std::make_shared<WatchOptions>();
  const Command command = add_command(app, "watch", "show a workflow until it ends", session,
                                      [o, &session] { return watch(*o, session); });
  command.add_option("WORKFLOW", o->name, "its name; @latest is the newest").required();
  command.add_option("--status", o->status, "only nodes of this phase");
  command.add_option("--node-field-selector", o->node_field_selector,
                     "only nodes that match, e.g. displayName=a");
}

}  // namespace tiphys::cli
