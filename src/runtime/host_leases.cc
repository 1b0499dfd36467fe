// What a Host does about leases, where engines of several machines share a store: it lets go of
// workflows that others have taken over, ends processes that were lost with another host, and
// leaves work to others.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "lease/share.h"
#include "observe/log.h"
#include "runtime/clocks.h"
#include "runtime/host_state.h"
#include "runtime/outcome.h"

namespace tiphys::runtime {

namespace {
constexpr int kAskAgainMs = 250;
}  // namespace

// The engine that began them is gone, and its supervisor is another machine's: whether they still
// run there cannot be asked. Pods are found again; requests are sent again, under the same key.
std::vector<engine::Event> Host::State::give_up_processes(
    const WorkflowRun& run, const std::string& host,
    std::vector<engine::Effect>& outstanding) const {
  std::vector<engine::Event> ends;
  if (host.empty() || process->is_shared()) return ends;
  std::erase_if(outstanding, [&](const engine::Effect& effect) {
    const auto* start = std::get_if<engine::StartLeaf>(&effect);
    if (start == nullptr || start->leaf.run != run.engine().run()) return false;
    if (run.engine().node(start->leaf.node).type != "Pod") return false;
    if (!run.engine().leaf(start->leaf.node).body["resource"].is_null()) return false;
    executor::Outcome outcome;
    outcome.phase = executor::Outcome::Phase::kError;
    outcome.message = fmt::format("lost with the host '{}'", host);
    outcome.started_at = outcome.finished_at = wall_now();
    ends.push_back({.at = wall_now(), .body = finished_of(start->leaf, std::move(outcome))});
    return true;
  });
  return ends;
}

// Work is spread over the engines of a store: each takes its share, the rest is the others'.
void Host::State::leave_to_others(std::set<std::string>& wanted,
                                  const std::set<std::string>& urgent, std::size_t unfinished) {
  leaves_some = false;
  if (!store->has_leases() || wanted.empty()) return;
  if (const auto elsewhere = store->leased_elsewhere()) {
    for (const std::string& uid : *elsewhere) wanted.erase(uid);
  }
  const auto spread = store->spread();
  if (!spread) return;
  leaves_some = lease::leave_to_others(wanted, urgent, unfinished, spread->engines, runs.size());
}

diag::Result<void> Host::State::keep_leases() {
  auto lost = store->lost_leases();
  for (bool is_told = false; !lost && takes_all && !must_stop;) {
    if (!std::exchange(is_told, true)) {
      observe::log(observe::LogLevel::kError, lost.error().message + "; nothing is started");
    }
    poll(nullptr, 0, kAskAgainMs);
    lost = store->lost_leases();
  }
  if (!lost) return std::unexpected(lost.error());
  for (const std::string& uid : *lost) drop(uid);
  if (lost->empty() || takes_all) return {};
  return diag::fail(diag::Code::kConflict,
                    "another engine has taken over the workflow, since this one was not heard of "
                    "for too long: follow it with 'tiphys watch'");
}

void Host::State::drop(const std::string& uid) {
  observe::log(observe::LogLevel::kWarn, "another engine has taken over", {{"uid", uid}});
  dropped.insert(uid);
  notifications->drop(uid, wall_now());
  const auto it = runs.find(uid);
  if (it == runs.end()) return;
  for (const engine::Effect& effect : it->second.engine().outstanding()) {
    const auto* start = std::get_if<engine::StartLeaf>(&effect);
    if (start == nullptr) continue;
    const std::string key = leaf_key(uid, start->leaf);
    for (executor::Executor* e : {process.get(), http.get(), plugins.get(),
                                  static_cast<executor::Executor*>(resources.get())}) {
      e->hand_over(key, config.grace);
    }
  }
  leave_ends(uid);
  open.erase(&it->second);
  timers.drop(uid);
  locks->forget(uid);
  subscriptions->forget(uid);
  runs.erase(it);
}

// Whoever stores the end of a pod lets the pod go: till then it is the only place that knows it.
bool Host::State::leaves_end(const std::string& key) {
  const auto address = parse_leaf_key(key);
  if (!process->is_shared() || !address || !dropped.contains(address->uid)) return false;
  http->acknowledge(key);
  return true;
}

void Host::State::leave_ends(const std::string& uid) {
  std::erase_if(acknowledged, [&](const std::string& key) {
    return key.starts_with(uid + ".") && leaves_end(key);
  });
}

bool Host::State::is_elsewhere(const std::string& uid) {
  if (!store->has_leases()) return false;
  const auto elsewhere = store->leased_elsewhere();
  return !elsewhere || std::ranges::find(*elsewhere, uid) != elsewhere->end();
}

void Host::State::remove_lost(store::Batch& batch) {
  const auto is_lost = [this](const auto& row) { return dropped.contains(row.uid); };
  for (const std::string& uid : dropped) {
    const auto commands = store->load_commands(uid);
    if (!commands) continue;
    for (const store::CommandRow& c : *commands) std::erase(batch.done_commands, c.id);
  }
  std::set<std::string> deliveries;
  for (const store::DeliveryRow& row : batch.deliveries) {
    if (is_lost(row)) deliveries.insert(row.id);
  }
  std::erase_if(batch.workflows, is_lost);
  std::erase_if(batch.nodes, is_lost);
  std::erase_if(batch.events, is_lost);
  std::erase_if(batch.deliveries, is_lost);
  std::erase_if(batch.attempts, [&](const auto& a) { return deliveries.contains(a.delivery); });
  std::erase_if(batch.void_nodes_of, [this](const auto& uid) { return dropped.contains(uid); });
}

diag::Result<void> Host::State::commit_own(store::Batch& batch) {
  while (!batch.empty()) {
    auto done = commit(batch);
    if (done || done.error().code != diag::Code::kConflict) return done;
    observe::log(observe::LogLevel::kError, done.error().message + ": nothing was written");
    TRY_VOID(keep_leases());
    remove_lost(batch);
  }
  return {};
}

}  // namespace tiphys::runtime
