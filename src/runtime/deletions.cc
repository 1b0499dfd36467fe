#include "runtime/deletions.h"

#include <filesystem>
#include <utility>

#include "clock/rfc3339.h"
#include "engine/artifact_gc.h"
#include "observe/log.h"
#include "runtime/clocks.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

constexpr clock::Duration kUntilNextTry = clock::Duration::seconds(60);
constexpr clock::Duration kBetweenLooks = clock::Duration::seconds(5);
constexpr clock::Duration kClocksDiffer = clock::Duration::seconds(60);  // of machines, at most

// Whether pods of a workflow with a podGC have logs. Those that it keeps are looked at once more
// by each server.
bool has_logs_to_remove(const Config& config, const store::WorkflowRow& row) {
  if (config.executor == executor::ExecutorKind::kKubernetes) return false;  // logs are kept
  if (row.spec_json.find("\"podGC\"") == std::string::npos) return false;
  std::error_code error;
  const std::filesystem::path logs =
      std::filesystem::path(config.log_path(row.uid, "")).parent_path();
  return !std::filesystem::is_empty(logs, error) && !error;
}

}  // namespace

void Deletions::note(const WorkflowRun& run, clock::Instant now) {
  const engine::Engine& e = run.engine();
  const auto at = clock::parse_rfc3339(e.workflow_status()["finishedAt"].string_or(""));
  if (auto due = expires_at(e.spec(), e.phase(), at ? *at : now)) {
    expiry_.add(run.uid(), steady_time_of(*due));
  }
  if (has_artifact_finalizer(e.metadata())) with_artifacts_.insert(run.uid());
  unfinished_.erase(run.uid());
  noted_.insert(run.uid());
}

std::vector<std::string> Deletions::note_stored() {
  std::vector<std::string> unfinished_work;
  auto rows = store_.list_workflows("", false);
  if (!rows) return unfinished_work;
  for (const store::WorkflowRow& row : *rows) {
    if (!row.finished_at.is_set()) continue;
    bool has_work = has_logs_to_remove(config_, row);
    if (note(row)) has_work |= row.status_json.find(engine::kOnCompletion) == std::string::npos;
    if (has_work) unfinished_work.push_back(row.uid);
  }
  remember_unfinished();
  return unfinished_work;
}

// Gives whether artifacts go with it.
bool Deletions::note(const store::WorkflowRow& row) {
  noted_.insert(row.uid);
  const bool has_artifacts =
      row.metadata_json.find(engine::kArtifactFinalizer) != std::string::npos;
  if (has_artifacts) with_artifacts_.insert(row.uid);
  if (row.spec_json.find("ttlStrategy") == std::string::npos) return has_artifacts;
  const auto spec = value::parse_json(row.spec_json);
  const auto due = spec ? expires_at(*spec, row.phase, row.finished_at) : std::nullopt;
  if (due) expiry_.add(row.uid, steady_time_of(*due));
  return has_artifacts;
}

void Deletions::remember_unfinished() {
  looked_at_ = steady_now();
  looked_at_wall_ = wall_now();
  has_changed_ = false;
  unfinished_.clear();
  auto rows = store_.unfinished_workflows();
  for (store::WorkflowRow& row : rows.value_or(std::vector<store::WorkflowRow>())) {
    unfinished_[row.uid] = {std::move(row.name_space), std::move(row.name)};
  }
}

// What has ended since the last look had not ended then, or is newer: both are found by an index.
void Deletions::note_others() {
  if (!has_changed_ || steady_now() < looked_at_ + kBetweenLooks) return;
  std::set<std::string> before = std::exchange(noted_, {});
  const auto is_new = [&](const store::WorkflowRow& row) {
    return row.finished_at.is_set() && !before.contains(row.uid) && !noted_.contains(row.uid);
  };
  const std::map<std::string, Address> then = std::exchange(unfinished_, {});
  auto young = store_.created_since(looked_at_wall_ - kClocksDiffer);
  remember_unfinished();
  for (const store::WorkflowRow& row : young.value_or(std::vector<store::WorkflowRow>())) {
    if (is_new(row)) note(row);
    if (row.finished_at.is_set()) noted_.insert(row.uid);
  }
  for (const auto& [uid, address] : then) {
    if (unfinished_.contains(uid)) continue;
    auto row = store_.find_workflow(address.name_space, address.name);
    if (row && row->uid == uid && is_new(*row)) note(*row);
  }
}

void Deletions::try_again(const std::string& uid) {
  with_artifacts_.insert(uid);
  expiry_.add(uid, steady_now() + kUntilNextTry);
}

void Deletions::add(const std::string& uid) { expiry_.add(uid, steady_now()); }

std::vector<std::string> Deletions::carry_out(
    const std::function<bool(const std::string&)>& is_running) {
  std::vector<std::string> gone;
  for (const std::string& uid : expiry_.take_due(steady_now())) {
    if (is_running(uid)) continue;  // it was retried
    // Its lock is kept until all has been told, and what was to be told names it.
    const auto pending = store_.load_deliveries({.uid = uid, .state = "pending"});
    if (!pending || !pending->empty()) {
      expiry_.add(uid, steady_now() + kUntilNextTry);
      continue;
    }
    if (with_artifacts_.erase(uid) > 0) {
      artifact_gc_.remove_workflow(uid);
    } else if (auto deleted = delete_workflow(store_, config_, uid);
               !deleted && deleted.error().code != diag::Code::kNotFound) {
      observe::log(observe::LogLevel::kError, "cannot be deleted",
                   {{"uid", uid}, {"error", observe::without_urls(deleted.error().message)}});
      continue;
    }
    gone.push_back(uid);
  }
  return gone;
}

}  // namespace tiphys::runtime
