#include "cli/follow.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "cli/commands.h"
#include "cli/live_view.h"
#include "cli/show.h"
#include "runtime/submit.h"

namespace tiphys::cli {

namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(100);

bool is_failure(const std::string& phase) { return phase == "Failed" || phase == "Error"; }

diag::Result<void> follow_one(Opened& state, const store::WorkflowRow& row, const Follow& follow,
                              Session& session) {
  LiveView live(
      {.is_quiet = !follow.watch && !follow.log, .follow_logs = follow.log, .config = state.config},
      session);
  auto look = [&](const store::WorkflowRow& latest) {
    if (!follow.watch && !follow.log) return;
    if (auto workflow = runtime::load_workflow_object(*state.store, latest)) live.update(*workflow);
  };
  TRY(const store::WorkflowRow last, until_end(*state.store, row, look));
  live.finish();
  TRY(const value::Value workflow, runtime::load_workflow_object(*state.store, last));
  if (follow.watch && !live.has_shown_end()) TRY_VOID(show_workflow(workflow, "", session));
  if (!follow.wait) return {};
  fmt::print("{}\n", completion_line(workflow));
  if (is_failure(last.phase)) session.exit_code = 1;
  return {};
}

struct NameOptions {
  std::vector<std::string> names;
  bool ignore_not_found = false;
};

diag::Result<void> wait_for(const NameOptions& o, Session& session) {
  TRY(Opened state, open_state());
  for (const std::string& name : o.names) {
    auto row = find_workflow(*state.store, session, name);
    if (!row && o.ignore_not_found && row.error().code == diag::Code::kNotFound) continue;
    if (!row) return std::unexpected(row.error());
    TRY_VOID(follow_one(state, *row, {.wait = true}, session));
  }
  return {};
}

diag::Result<void> watch(const std::string& name, Session& session) {
  TRY(Opened state, open_state());
  TRY(const store::WorkflowRow row, find_workflow(*state.store, session, name));
  return follow_one(state, row, {.watch = true}, session);
}

}  // namespace

bool has_engine(const runtime::Config& config) {
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  bool found = false;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(config.home, error)) {
    const std::string path = entry.path().string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("engine-") || path.size() >= sizeof address.sun_path) continue;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    found = found || connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  close(fd);
  return found;
}

diag::Result<store::WorkflowRow> until_end(
    store::Store& store, const store::WorkflowRow& row,
    const std::function<void(const store::WorkflowRow&)>& look) {
  std::optional<std::uint64_t> seen;
  store::WorkflowRow latest = row;
  for (;;) {
    TRY(const std::uint64_t version, store.data_version());
    if (!seen || *seen != version) {
      seen = version;
      TRY(latest, store.find_workflow(row.name_space, row.name));
      look(latest);
      if (latest.finished_at.is_set()) return latest;
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

diag::Result<void> follow_workflows(Opened& state, const std::vector<store::WorkflowRow>& rows,
                                    const Follow& follow, Session& session) {
  if (!follow.wait && !follow.watch && !follow.log) return {};
  for (const store::WorkflowRow& row : rows) TRY_VOID(follow_one(state, row, follow, session));
  return {};
}

void add_wait(CLI::App& app, Session& session) {
  auto o = std::make_shared<NameOptions>();
  CLI::App* wait = add_command(app, "wait", "wait for workflows to end", session,
                               [o, &session] { return wait_for(*o, session); });
  wait->add_option("WORKFLOW", o->names)->required();
  wait->add_flag("--ignore-not-found", o->ignore_not_found);
  auto name = std::make_shared<std::string>();
  CLI::App* watching = add_command(app, "watch", "show a workflow until it ends", session,
                                   [name, &session] { return watch(*name, session); });
  watching->add_option("WORKFLOW", *name)->required();
}

}  // namespace tiphys::cli
